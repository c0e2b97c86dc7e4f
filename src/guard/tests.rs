//! The table of modes and states, event by event, and the lease.

use super::*;

fn band(name: &str, required: bool, looked_s: Option<f64>) -> Band {
    Band { name: name.into(), required, looked_s, fresh_s: 3.0 }
}

/// Armed at 10 s with two required bands, all well.
fn armed() -> Guard {
    let mut guard = Guard::new(0.0, []);
    guard.heard(10.0);
    guard.begin(9.0);
    guard.looked(10.0, vec![band("a", true, Some(9.9)), band("b", true, Some(9.5)), band("c", false, None)]);
    assert_eq!((guard.mode(), guard.state(10.0)), (Mode::Armed, State::Clear));
    guard
}

#[test]
fn a_new_guard_that_heard_nothing_is_blind() {
    let guard = Guard::new(0.0, []);
    assert_eq!((guard.mode(), guard.state(0.0)), (Mode::Standby, State::Blind));
    assert_eq!(guard.lease_s(0.0), 0.0);
}

#[test]
fn arming_waits_for_every_required_band() {
    let mut guard = Guard::new(0.0, []);
    guard.heard(5.0);
    assert_eq!(guard.state(5.0), State::Standby);
    guard.begin(5.0);
    assert_eq!((guard.mode(), guard.state(5.0)), (Mode::Arming, State::Arming));
    // Looked at before the meeting began: not enough.
    guard.looked(5.1, vec![band("a", true, Some(4.9)), band("b", true, Some(5.05))]);
    assert_eq!(guard.mode(), Mode::Arming);
    guard.looked(5.2, vec![band("a", true, Some(5.15)), band("b", true, None)]);
    assert_eq!(guard.mode(), Mode::Arming);
    guard.wrong(5.2, [(State::Blind, "clipping".into())]);
    guard.looked(5.3, vec![band("a", true, Some(5.15)), band("b", true, Some(5.25))]);
    assert_eq!(guard.mode(), Mode::Arming, "blind");
    guard.wrong(5.4, []);
    guard.tick(5.4);
    assert_eq!((guard.mode(), guard.state(5.4)), (Mode::Armed, State::Clear));
}

#[test]
fn without_a_required_band_nothing_is_clear() {
    let mut guard = Guard::new(0.0, []);
    guard.heard(1.0);
    guard.begin(1.0);
    guard.looked(1.0, vec![band("c", false, Some(1.0))]);
    assert_eq!(guard.state(1.0), State::Arming);
}

#[test]
fn clear_is_a_lease_of_five_seconds_from_what_was_heard() {
    let guard = armed();
    assert!((guard.lease_s(10.0) - LEASE_S).abs() < 1e-9);
    assert!((guard.lease_s(11.0) - 4.0).abs() < 1e-9);
    // Nothing more is heard: blind long before the lease is over.
    assert_eq!((guard.state(12.1), guard.lease_s(12.1)), (State::Blind, 0.0));
}

#[test]
fn a_stale_band_degrades_and_all_stale_is_blind() {
    let mut guard = armed();
    guard.heard(12.8);
    assert_eq!((guard.state(12.8), guard.lease_s(12.8)), (State::Degraded, 0.0));
    assert!(
        guard.conditions(12.8)[0].reason.contains("1 of 2 required bands"),
        "{:?}",
        guard.conditions(12.8)
    );
    guard.heard(13.0);
    assert_eq!(guard.state(13.0), State::Blind);
}

#[test]
fn an_alert_is_latched_until_acknowledged_and_hides_nothing() {
    let mut guard = armed();
    guard.raise("a1".into());
    guard.wrong(10.5, [(State::Blind, "device gone".into())]);
    assert_eq!(guard.state(10.5), State::Alert);
    assert_eq!(guard.conditions(10.5)[0].state, State::Blind);
    guard.acknowledge("a1", -100.0);
    assert_eq!(guard.state(10.5), State::Blind);
    guard.wrong(10.6, []);
    assert_eq!(guard.state(10.6), State::Clear);
}

#[test]
fn what_was_wrong_keeps_its_time() {
    let mut guard = armed();
    guard.wrong(10.1, [(State::Degraded, "gap".into())]);
    guard.wrong(10.9, [(State::Tamper, "another device".into()), (State::Degraded, "gap".into())]);
    let all = guard.conditions(10.9);
    assert_eq!(all.len(), 2);
    assert_eq!((all[0].state, all[0].since_s), (State::Tamper, 10.9));
    assert_eq!((all[1].state, all[1].since_s), (State::Degraded, 10.1));
}

#[test]
fn a_restart_keeps_the_latch() {
    let mut guard = Guard::new(0.0, ["a7".to_string()]);
    guard.heard(0.0);
    assert_eq!((guard.mode(), guard.state(0.0)), (Mode::Ended, State::Alert));
    guard.acknowledge("a7", 0.0);
    assert_eq!((guard.mode(), guard.state(0.0)), (Mode::Standby, State::Standby));
}

/// Every mode against every event, compared with the table in the module's head.
#[test]
fn the_table_of_modes() {
    use Mode::{Armed, Arming, Ended, Standby};
    let in_mode = |mode: Mode, alerts: bool| {
        let mut guard = armed();
        guard.mode = mode;
        if alerts {
            guard.raise("a1".into());
        }
        guard
    };
    let after = |mode, alerts, event: &dyn Fn(&mut Guard)| {
        let mut guard = in_mode(mode, alerts);
        event(&mut guard);
        guard.mode()
    };
    for mode in [Standby, Arming, Armed, Ended] {
        for alerts in [false, true] {
            let began = after(mode, alerts, &|guard| guard.begin(20.0));
            assert_eq!(began, Arming, "{mode:?} begin");
            let ended = after(mode, alerts, &Guard::end);
            let expect = match (mode, alerts) {
                (Standby, _) | (_, false) => Standby,
                _ => Ended,
            };
            assert_eq!(ended, expect, "{mode:?} end, {alerts}");
            let acknowledged = after(mode, alerts, &|guard| guard.acknowledge("a1", -100.0));
            assert_eq!(acknowledged, if mode == Ended { Standby } else { mode }, "{mode:?} acknowledge");
            let ticked = after(mode, alerts, &|guard| guard.tick(10.0));
            assert_eq!(ticked, if mode == Arming { Armed } else { mode }, "{mode:?} tick");
        }
    }
}

/// Every set of conditions, mode and latch: the state is the worst that holds, and CLEAR alone has a lease.
#[test]
fn the_worst_that_holds_wins() {
    let wrong = [State::Degraded, State::Blind, State::Tamper];
    for bits in 0..8u8 {
        for latched in [false, true] {
            for mode in [Mode::Standby, Mode::Arming, Mode::Armed, Mode::Ended] {
                let mut guard = armed();
                guard.mode = mode;
                let held: Vec<State> = (0..3).filter(|n| bits >> n & 1 == 1).map(|n| wrong[n]).collect();
                guard.wrong(10.0, held.iter().map(|state| (*state, "why".into())));
                if latched {
                    guard.raise("a1".into());
                }
                let plain = match mode {
                    Mode::Standby | Mode::Ended => State::Standby,
                    Mode::Arming => State::Arming,
                    Mode::Armed => State::Clear,
                };
                let worst = held.iter().copied().max().unwrap_or(plain);
                let expect = if latched { State::Alert } else { worst };
                assert_eq!(guard.state(10.0), expect, "{held:?} {latched} {mode:?}");
                assert_eq!(guard.lease_s(10.0) > 0.0, expect == State::Clear);
            }
        }
    }
}

#[test]
fn who_was_acknowledged_and_sends_on_keeps_the_room_from_being_clear() {
    let mut guard = armed();
    guard.raise("a1".into());
    guard.acknowledge("a1", 9.0);
    assert_eq!((guard.state(10.0), guard.lease_s(10.0)), (State::Degraded, 0.0));
    guard.sends("a1", 10.4);
    let at = |guard: &mut Guard, s: f64| {
        guard.heard(s);
        guard.looked(s, vec![band("a", true, Some(s))]);
        guard.state(s)
    };
    assert_eq!(at(&mut guard, 10.4 + GONE_S - 0.1), State::Degraded);
    assert_eq!(at(&mut guard, 10.4 + GONE_S + 0.1), State::Clear);
    guard.raise("a1".into());
    assert_eq!(at(&mut guard, 50.0), State::Alert);
}

#[test]
fn without_records_nothing_is_clear() {
    let mut guard = armed();
    guard.recorded(10.0, false);
    assert_eq!(guard.state(10.0), State::Degraded);
    guard.recorded(10.0, true);
    assert_eq!(guard.state(10.0), State::Clear);
}

#[test]
fn a_contact_that_is_not_reached_keeps_the_room_from_being_clear() {
    let mut guard = armed();
    guard.unreached(vec![("contact siem is not reached: refused".into(), 3.0)]);
    assert_eq!((guard.state(10.0), guard.lease_s(10.0)), (State::Degraded, 0.0));
    assert_eq!(guard.conditions(10.0)[0].since_s, 3.0);
    // What is wrong with what is seen is told of on its own.
    guard.wrong(10.0, []);
    assert_eq!(guard.state(10.0), State::Degraded);
    guard.unreached(Vec::new());
    assert_eq!(guard.state(10.0), State::Clear);
}
