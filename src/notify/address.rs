//! Where messages may go: not to addresses by which machines reach their own cloud's or link's services.
//!
//! Contacts are in the room's network as often as beyond it, so private addresses and this machine are fine. Link-local
//! addresses are not: the metadata services of clouds, which hand out credentials, are there (169.254.169.254, RFC 3927;
//! fd00:ec2::254). Names are judged by what they resolve to when a connection is made, so that no later answer of the
//! name server leads elsewhere.

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// The metadata service of a cloud in a private network of IPv6.
const METADATA: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x254);

/// Whether messages may go to `address`.
pub fn is_allowed(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            !(v4.is_link_local() || v4.is_multicast() || v4.is_unspecified() || v4.is_broadcast())
        }
        IpAddr::V6(v6) => {
            let link_local = v6.segments()[0] & 0xffc0 == 0xfe80;
            !(link_local || v6.is_multicast() || v6.is_unspecified() || v6 == METADATA)
        }
    }
}

/// Why messages may not go to `host`.
pub fn refusal(host: &str) -> String {
    format!("{host} is a link-local, multicast or metadata address, where no message goes")
}

/// What `host` and `port` resolve to, as far as messages may go there.
///
/// # Errors
/// The resolver's; nothing is left.
pub async fn resolve(host: &str, port: u16) -> std::io::Result<Vec<SocketAddr>> {
    let all = tokio::net::lookup_host((host, port)).await?;
    let allowed: Vec<SocketAddr> = all.filter(|address| is_allowed(address.ip())).collect();
    if allowed.is_empty() { Err(std::io::Error::other(refusal(host))) } else { Ok(allowed) }
}

/// Resolves names as [`resolve`] does.
#[derive(Debug)]
pub struct Resolver;

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let all = resolve(name.as_str(), 0).await?;
            Ok(Box::new(all.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_of_the_house_are_fine_and_metadata_are_not() {
        for (address, allowed) in [
            ("127.0.0.1", true),
            ("192.168.1.20", true),
            ("10.0.0.1", true),
            ("fd12::1", true),
            ("203.0.113.7", true),
            ("169.254.169.254", false),
            ("::ffff:169.254.169.254", false),
            ("fe80::1", false),
            ("fd00:ec2::254", false),
            ("0.0.0.0", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("::", false),
        ] {
            assert_eq!(is_allowed(address.parse().unwrap()), allowed, "{address}");
        }
    }
}
