//! How fast anybody may guess: each address backs off, and all together have so many guesses a minute.
//!
//! A wrong token costs its address a wait that doubles with each further one. During a wait, and while the minute's
//! guesses of all addresses are used up, no token is looked at that this address has not used with success before: a
//! guess is refused whether it is right or wrong, and who worked here before goes on working.

use std::collections::{BTreeMap, VecDeque};
// Addresses as values: nothing is sent here.
use core::net::{IpAddr, Ipv6Addr};

/// Guesses of all addresses in a minute (`docs/access.md`, "Guessing").
const GUESSES: usize = 20;
const MINUTE_S: f64 = 60.0;
/// Wrong ones that cost nothing: a slip of the hand.
const FREE: u32 = 3;
/// Longest wait, and as long is a failure remembered, seconds.
const WAIT_MAX_S: f64 = 300.0;
/// Addresses, and pairs of address and token, that are remembered; beyond, the oldest goes.
const REMEMBERED: usize = 1024;

/// What becomes of what somebody showed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verdict {
    /// It is right.
    Right,
    /// It is wrong.
    Wrong {
        /// From now on this address waits: worth an entry in the journal, once each time.
        backs_off: bool,
    },
    /// It was not looked at: ask again after so many seconds.
    Wait(f64),
}

/// Who guessed, and who did not have to.
#[derive(Debug, Default)]
pub struct Throttle {
    failed: BTreeMap<IpAddr, Failed>,
    /// Times of the last minute's guesses, of all.
    guesses: VecDeque<f64>,
    /// Tokens by the addresses that used them, and when last.
    proven: BTreeMap<(IpAddr, String), f64>,
}

#[derive(Debug)]
struct Failed {
    times: u32,
    last_s: f64,
    until_s: f64,
}

impl Throttle {
    /// Judges what came from `address` at `now_s`: `token` is the one that it is, if it is any.
    pub fn judge(&mut self, address: IpAddr, token: Option<&str>, now_s: f64) -> Verdict {
        let address = network(address);
        let key = token.map(|token| (address, token.to_owned()));
        if let Some(used_s) = key.as_ref().and_then(|key| self.proven.get_mut(key)) {
            *used_s = now_s;
            return Verdict::Right;
        }
        if let Some(wait_s) = self.wait_s(address, now_s) {
            return Verdict::Wait(wait_s);
        }
        match key {
            Some(key) => {
                if self.proven.len() >= REMEMBERED {
                    let oldest =
                        self.proven.iter().min_by(|a, b| a.1.total_cmp(b.1)).map(|(key, _)| key.clone());
                    oldest.map(|key| self.proven.remove(&key));
                }
                self.proven.insert(key, now_s);
                Verdict::Right
            }
            None => Verdict::Wrong { backs_off: self.fail(address, now_s) },
        }
    }

    /// How long `address` must wait, if it must.
    fn wait_s(&mut self, address: IpAddr, now_s: f64) -> Option<f64> {
        while self.guesses.front().is_some_and(|at_s| now_s - at_s >= MINUTE_S) {
            self.guesses.pop_front();
        }
        let own_s = self.failed.get(&address).map_or(0.0, |failed| failed.until_s - now_s);
        let all_s = match self.guesses.front() {
            Some(first_s) if self.guesses.len() >= GUESSES => first_s + MINUTE_S - now_s,
            _ => 0.0,
        };
        let wait_s = own_s.max(all_s);
        (wait_s > 0.0).then_some(wait_s)
    }

    /// Whether the address waits from now on.
    fn fail(&mut self, address: IpAddr, now_s: f64) -> bool {
        self.guesses.push_back(now_s);
        self.failed.retain(|_, failed| now_s - failed.last_s < WAIT_MAX_S);
        if self.failed.len() >= REMEMBERED && !self.failed.contains_key(&address) {
            let oldest = self.failed.iter().min_by(|a, b| a.1.last_s.total_cmp(&b.1.last_s)).map(|(a, _)| *a);
            oldest.map(|address| self.failed.remove(&address));
        }
        let failed = self.failed.entry(address).or_insert(Failed { times: 0, last_s: now_s, until_s: now_s });
        failed.times += 1;
        failed.last_s = now_s;
        if failed.times <= FREE {
            return false;
        }
        let doublings = i32::try_from((failed.times - FREE).min(16)).unwrap_or(16);
        failed.until_s = now_s + 2.0_f64.powi(doublings).min(WAIT_MAX_S);
        true
    }
}

/// Who counts as one: an address, of IPv6 what one site has (RFC 6177: a /64 at least).
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    fn wrong(throttle: &mut Throttle, last: u8, now_s: f64) -> bool {
        matches!(throttle.judge(address(last), None, now_s), Verdict::Wrong { .. })
    }

    #[test]
    fn one_address_that_guesses_all_the_time_has_few_guesses() {
        let mut throttle = Throttle::default();
        let looked_at = (0..600).filter(|n| wrong(&mut throttle, 1, f64::from(*n) * 0.1)).count();
        // 3 free, then after 0, 2, 6, 14, 30 seconds.
        assert_eq!(looked_at, 8);
        // A wait does not tell right from wrong.
        assert!(matches!(throttle.judge(address(1), Some("t1"), 60.1), Verdict::Wait(_)));
        assert_eq!(throttle.judge(address(1), Some("t1"), 500.0), Verdict::Right);
    }

    #[test]
    fn all_addresses_together_have_twenty_guesses_a_minute() {
        let mut throttle = Throttle::default();
        for minute in 0..5 {
            let from_s = f64::from(minute) * 60.0;
            let looked_at =
                (0..250).filter(|n| wrong(&mut throttle, *n as u8, from_s + f64::from(*n) * 0.2)).count();
            assert!(looked_at <= GUESSES, "{looked_at} in minute {minute}");
        }
    }

    #[test]
    fn who_worked_before_goes_on_while_others_guess() {
        let mut throttle = Throttle::default();
        assert_eq!(throttle.judge(address(9), Some("t1"), 0.0), Verdict::Right);
        (0..200).for_each(|n| {
            wrong(&mut throttle, n, 1.0);
            wrong(&mut throttle, 9, 1.0);
        });
        assert_eq!(throttle.judge(address(9), Some("t1"), 2.0), Verdict::Right);
        assert!(matches!(throttle.judge(address(9), Some("t2"), 2.0), Verdict::Wait(_)));
        assert!(matches!(throttle.judge(address(10), Some("t1"), 2.0), Verdict::Wait(_)));
    }

    #[test]
    fn a_site_is_one_and_memory_is_bounded() {
        let mut throttle = Throttle::default();
        let site = |n: u16| IpAddr::from([0x2001, 0xdb8, 1, 1, 0, 0, 0, n]);
        let waits =
            (0..10).filter(|n| matches!(throttle.judge(site(*n), None, 0.0), Verdict::Wait(_))).count();
        assert_eq!(waits, 6);
        for n in 0..5000_u32 {
            throttle.judge(IpAddr::from(n.to_be_bytes()), None, 60.0 * f64::from(n));
            throttle.judge(IpAddr::from(n.to_be_bytes()), Some("t"), 60.0 * f64::from(n));
        }
        assert!(throttle.failed.len() <= REMEMBERED && throttle.proven.len() <= REMEMBERED);
        assert!(throttle.guesses.len() <= GUESSES);
    }
}
