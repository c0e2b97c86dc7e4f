//! Who may ask: by the room's own names, for changes only the page or a program that says so, and with a token where one
//! is needed.

use super::PAGE;
use super::api::problem;
use super::serve::Doors;
use crate::access::{Role, Throttle, Verdict, needed};
use crate::app::hub::Hub;
use crate::clock;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// Names under which the room is asked for on its own machine.
const HOSTS: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// A request must have come, and an answer begun, within this time.
const PATIENCE: Duration = Duration::from_secs(10);

/// Longest head of a request, bytes: names and values of all its headers, and its path.
const HEAD_MAX: usize = 16 * 1024;

/// Header that a foreign page cannot set without being asked first (CORS), which is refused.
const ASKED: &str = "x-emcon";

/// What the page may do: run its one script, wear its one style, ask this room. Both are known by their hash, so that
/// nothing that got into the page runs (W3C Content Security Policy Level 3, 2.3.1).
fn policy() -> &'static HeaderValue {
    static POLICY: OnceLock<HeaderValue> = OnceLock::new();
    POLICY.get_or_init(|| {
        let hash = |tag: &str| {
            let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
            let inside = PAGE.split_once(&open).and_then(|(_, rest)| rest.split_once(&close)).map_or("", |p| p.0);
            format!("'sha256-{}'", STANDARD.encode(Sha256::digest(inside)))
        };
        let policy = format!(
            "default-src 'none'; script-src {}; style-src {}; connect-src 'self'; img-src 'self' data:; base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
            hash("script"),
            hash("style")
        );
        HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
    })
}

/// Cookie of a session.
pub const COOKIE: &str = "emcon";

/// Where a connection comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// The socket in the records' folder, which only its owner can open.
    Owner,
    /// The network.
    At(IpAddr),
}

/// Who asks, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// What they may do.
    pub role: Role,
    /// Whose token it is.
    pub name: Option<String>,
    /// Id of the token or session.
    pub id: Option<String>,
}

/// What decides who may ask.
pub struct Gate {
    hub: Hub,
    /// Tokens are asked for.
    tokens: bool,
    /// The room is served over TLS.
    pub secure: bool,
    /// Beyond this machine it may be asked for by any address: a foreign page can only borrow a name.
    beyond: bool,
    hosts: Vec<String>,
    throttle: Mutex<Throttle>,
}

impl Gate {
    /// The gate at `doors`.
    pub fn new(hub: Hub, doors: &Doors) -> Self {
        let beyond = !doors.address.ip().is_loopback();
        let hosts = HOSTS.iter().map(|host| (*host).to_owned());
        Self {
            hub,
            tokens: doors.tokens || beyond,
            secure: doors.tls.is_some(),
            beyond,
            hosts: hosts.chain(doors.hosts.iter().map(|host| host.to_ascii_lowercase())).collect(),
            throttle: Mutex::default(),
        }
    }

    /// Judges what `peer` showed: `token` is the one that it is, if it is any.
    #[allow(clippy::result_large_err)] // An answer, given at once.
    pub fn judge(&self, peer: Peer, token: Option<&str>) -> Result<(), Response> {
        let address = match peer {
            Peer::At(address) => address,
            Peer::Owner => Ipv4Addr::LOCALHOST.into(),
        };
        let verdict = self.throttle.lock().unwrap_or_else(PoisonError::into_inner).judge(
            address,
            token,
            clock::monotonic_s(),
        );
        match verdict {
            Verdict::Right => Ok(()),
            Verdict::Wrong { backs_off } => {
                if backs_off {
                    self.hub.refused(address);
                }
                Err(stranger("this token does not hold"))
            }
            Verdict::Wait(wait_s) => {
                let why = "too many wrong tokens: wait, then try again";
                let wait_s = HeaderValue::from(wait_s.ceil() as u64);
                let answer = problem(StatusCode::TOO_MANY_REQUESTS, "wait", why);
                Err(([(header::RETRY_AFTER, wait_s)], answer).into_response())
            }
        }
    }

    /// Who asks, or the refusal: of whom no token is needed nobody is known.
    #[allow(clippy::result_large_err)] // As above.
    fn who(&self, peer: Peer, headers: &HeaderMap, role: Option<Role>) -> Result<Option<Who>, Response> {
        let Some(role) = role else { return Ok(None) };
        let who = match (peer, shown(headers)) {
            (Peer::Owner, _) => Who { role: Role::Officer, name: None, id: None },
            (_, Some(secret)) => {
                let found = self.hub.keys().find(secret, clock::utc());
                match found {
                    // One that held once is no guess.
                    Some((_, false)) => return Err(stranger("this token is revoked, or its time is over")),
                    Some((caller, true)) => {
                        self.judge(peer, Some(&caller.id))?;
                        self.hub.used(&caller.id);
                        Who { role: caller.role, name: Some(caller.name), id: Some(caller.id) }
                    }
                    None => {
                        self.judge(peer, None)?;
                        return Err(stranger("this token does not hold"));
                    }
                }
            }
            (_, None) if self.tokens => {
                return Err(stranger(
                    "a token is needed: log in on the page, or send it as Authorization: Bearer",
                ));
            }
            // Whoever sits at this machine; tokens are for those who prove who they are.
            (_, None) => Who { role: Role::Organizer, name: None, id: None },
        };
        if who.role < role {
            let why = format!("this takes the role {}, the token has {}", role.as_str(), who.role.as_str());
            return Err(problem(StatusCode::FORBIDDEN, "not allowed", &why));
        }
        Ok(Some(who))
    }
}

/// What is shown to be let in: of a program, else of the page.
fn shown(headers: &HeaderMap) -> Option<&str> {
    if let Some(authorization) = headers.get(header::AUTHORIZATION) {
        // What is no text, or no bearer's, is a wrong token.
        return Some(authorization.to_str().ok().and_then(|text| text.strip_prefix("Bearer ")).unwrap_or(""));
    }
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|cookies| cookies.to_str().ok());
    cookies
        .flat_map(|cookies| cookies.split("; "))
        .find_map(|cookie| cookie.strip_prefix(COOKIE)?.strip_prefix('='))
}

/// The answer to who must log in; a session that is over is forgotten by the browser.
fn stranger(why: &str) -> Response {
    let answer = problem(StatusCode::UNAUTHORIZED, "not known", why);
    let forget = format!("{COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict");
    ([(header::WWW_AUTHENTICATE, "Bearer".to_owned()), (header::SET_COOKIE, forget)], answer).into_response()
}

/// Refuses who may not ask, and says to browsers what they may do.
pub async fn guarded(State(gate): State<Arc<Gate>>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get().copied().unwrap_or(Peer::At(Ipv4Addr::UNSPECIFIED.into()));
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    let page = matches!(request.uri().path(), "/" | "/setup");
    let role = needed(request.method().as_str(), request.uri().path());
    let judged = if head_bytes(&request) > HEAD_MAX {
        let why = "a request's head has at most 16 KiB";
        Err(problem(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "too large", why))
    } else {
        match refusal(&gate, request.headers(), changes, page) {
            Some(why) => Err(problem(StatusCode::FORBIDDEN, "not from here", why)),
            None => gate.who(peer, request.headers(), role),
        }
    };
    let mut response = match judged {
        Err(refused) => refused,
        Ok(who) => {
            if let Some(who) = who {
                request.extensions_mut().insert(who);
            }
            tokio::time::timeout(PATIENCE, next.run(request)).await.unwrap_or_else(|_| {
                problem(StatusCode::REQUEST_TIMEOUT, "too slow", "the request did not end in time")
            })
        }
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy().clone());
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

fn head_bytes(request: &Request) -> usize {
    let path = request.uri().path_and_query().map_or(0, |path| path.as_str().len());
    request.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>() + path
}

/// Why a request is refused, if it is.
fn refusal(gate: &Gate, headers: &HeaderMap, changes: bool, page: bool) -> Option<&'static str> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let is_own = |name: &str| {
        gate.hosts.iter().any(|host| host.eq_ignore_ascii_case(name)) || (gate.beyond && is_address(name))
    };
    let Some(host) = text("host").map(without_port).filter(|host| is_own(host)) else {
        return Some(
            "ask for localhost, 127.0.0.1, or a name of [web] hosts: under another name this may be a foreign page",
        );
    };
    let scheme = if gate.secure { "https://" } else { "http://" };
    let is_same = |authority: &str| without_port(authority).eq_ignore_ascii_case(host);
    let foreign = |origin: &str| !origin.strip_prefix(scheme).is_some_and(is_same);
    if text("origin").is_some_and(foreign) {
        return Some("a foreign page may not ask");
    }
    // An image or a link of a foreign page; only following one to the page itself is fine.
    if !page && text("sec-fetch-site") == Some("cross-site") {
        return Some("a foreign page may not ask");
    }
    (changes && text(ASKED).is_none()).then_some("what changes something needs the header X-Emcon: 1")
}

/// `host:port` without its port; an address of IPv6 keeps its brackets.
fn without_port(authority: &str) -> &str {
    match authority.rfind(':') {
        Some(at) if !authority.ends_with(']') => &authority[..at],
        _ => authority,
    }
}

/// Whether `host` is an address, as a URL has it.
fn is_address(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    bare.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::hub::{Start, start};
    use crate::store::Store;

    fn gate(address: &str, hosts: &[&str]) -> Gate {
        let (hub, _, _) =
            start(Store::in_memory().unwrap(), Start::Standby, clock::utc(), Default::default()).unwrap();
        let hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
        let address: std::net::SocketAddr = address.parse().unwrap();
        let tls = (!address.ip().is_loopback()).then(|| super::super::Tls::self_signed(None, &[]).unwrap());
        Gate::new(hub, &Doors { address, tls, tokens: false, hosts, socket: None })
    }

    #[test]
    fn who_may_ask() {
        let headers = |all: &[(&'static str, &'static str)]| {
            let mut map = HeaderMap::new();
            for (name, value) in all {
                map.insert(*name, HeaderValue::from_static(value));
            }
            map
        };
        let near = gate("127.0.0.1:7430", &[]);
        let check = |all: &[(&'static str, &'static str)], changes: bool, refused: bool| {
            assert_eq!(refusal(&near, &headers(all), changes, false).is_some(), refused, "{all:?} {changes}");
        };
        check(&[("host", "localhost:7430")], false, false);
        check(&[("host", "127.0.0.1")], false, false);
        check(&[("host", "[::1]:7430")], false, false);
        check(&[("host", "room.example:7430")], false, true);
        check(&[], false, true);
        check(&[("host", "localhost"), ("origin", "http://localhost:7430")], false, false);
        check(&[("host", "localhost"), ("origin", "http://evil.example")], false, true);
        check(&[("host", "localhost"), ("origin", "null")], false, true);
        check(&[("host", "localhost"), ("sec-fetch-site", "cross-site")], false, true);
        check(&[("host", "localhost"), ("sec-fetch-site", "same-origin")], false, false);
        check(&[("host", "localhost")], true, true);
        check(&[("host", "localhost"), ("x-emcon", "1")], true, false);
        // A name that was bound to this address, by whoever owns the name.
        check(&[("host", "192.0.2.7")], false, true);
        let far = gate("192.0.2.7:7430", &["emcon.example"]);
        let check = |all: &[(&'static str, &'static str)], refused: bool| {
            assert_eq!(refusal(&far, &headers(all), false, false).is_some(), refused, "{all:?}");
        };
        check(&[("host", "192.0.2.7:7430")], false);
        check(&[("host", "[2001:db8::1]:7430")], false);
        check(&[("host", "EMCON.example:7430"), ("origin", "https://emcon.example:7430")], false);
        check(&[("host", "rebound.example:7430")], true);
        check(&[("host", "192.0.2.7:7430"), ("origin", "https://192.0.2.8:7430")], true);
        check(&[("host", "192.0.2.7:7430"), ("origin", "http://192.0.2.7:7430")], true);
    }

    #[test]
    fn a_token_is_shown_by_header_or_cookie() {
        let check = |name: &'static str, value: &'static str, expect: Option<&str>| {
            let headers = HeaderMap::from_iter([(
                header::HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )]);
            assert_eq!(shown(&headers), expect, "{name}: {value}");
        };
        check("authorization", "Bearer emcon_x", Some("emcon_x"));
        check("authorization", "Basic eDp5", Some(""));
        check("cookie", "a=b; emcon=emcon_y; c=d", Some("emcon_y"));
        check("cookie", "emconx=1", None);
    }

    #[test]
    fn the_policy_knows_script_and_style() {
        let policy = policy().to_str().unwrap();
        assert_eq!(policy.matches("'sha256-").count(), 2, "{policy}");
        assert!(!policy.contains(&STANDARD.encode(Sha256::digest(""))), "{policy}");
    }
}
