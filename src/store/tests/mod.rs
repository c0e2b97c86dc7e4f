//! The store against its promises, in memory where no file matters.

mod files;
mod processes;

use super::*;
use std::time::Duration;

/// A moment `seconds` after one on which nothing happened.
fn at(seconds: i64) -> Timestamp {
    Timestamp::new(1_800_000_000 + seconds, 123_456_789).unwrap()
}

#[test]
fn meetings_of_one_level_are_pruned_by_themselves() {
    let mut store = Store::in_memory().unwrap();
    for (id, level, ended) in [
        ("m1", "secret", Some(100)),
        ("m2", "open", Some(100)),
        ("m3", "secret", Some(900)),
        ("m4", "secret", None),
    ] {
        let meeting = Meeting { level: level.into(), ended: ended.map(at), ..meeting(id, 10) };
        store.begin_meeting(&meeting).unwrap();
        let of = |record: AlertRecord, name: &str| AlertRecord {
            id: format!("{name} of {id}"),
            meeting: Some(id.into()),
            ..record
        };
        store.put_alert(&of(closed("a", 20), "closed")).unwrap();
        store.put_alert(&of(alert("a", 20), "open")).unwrap();
    }
    // An open alert holds its meeting.
    assert_eq!(store.prune_level("secret", at(500)).unwrap(), 1);
    let left = |store: &Store, id: &str| store.alerts(Some(id), 10).unwrap().len();
    assert_eq!(["m1", "m2", "m3", "m4"].map(|id| left(&store, id)), [1, 2, 2, 2]);
    let end = AlertRecord { id: "open of m1".into(), meeting: Some("m1".into()), ..closed("a", 20) };
    store.put_alert(&end).unwrap();
    assert_eq!(store.prune_level("secret", at(500)).unwrap(), 2);
    assert_eq!(store.meetings(10).unwrap().len(), 3);
    assert_eq!(store.prune_level("secret", at(500)).unwrap(), 0);
}

fn new<'a>(kind: &'a str, seconds: i64, data: &'a str) -> NewEntry<'a> {
    NewEntry { kind, at: at(seconds), meeting: None, data }
}

fn meeting(id: &str, started: i64) -> Meeting {
    Meeting {
        id: id.into(),
        title: "Board, first quarter".into(),
        level: "silent".into(),
        started: at(started),
        ends: Some(at(started + 3600)),
        ended: None,
    }
}

fn alert(id: &str, raised: i64) -> AlertRecord {
    AlertRecord {
        id: id.into(),
        meeting: Some("m1".into()),
        emitter: "e7".into(),
        device: "phone".into(),
        signal: "gsm".into(),
        severity: "critical".into(),
        confidence: 0.9,
        center_hz: Some(897.4e6),
        bandwidth_hz: 200e3,
        power_dbfs: -31.25,
        reasons: vec!["bursts of 0.577 ms, limit \"0.6\"".into(), "zwei\nZeilen".into()],
        raised: at(raised),
        updated: at(raised + 1),
        resolved: None,
        resolved_because: None,
        acknowledged: None,
        acknowledged_by: None,
        note: None,
        evidence: Some(Evidence::Picture {
            sha256: "0f".repeat(32),
            from: at(raised - 2),
            until: at(raised),
        }),
    }
}

fn closed(id: &str, raised: i64) -> AlertRecord {
    AlertRecord {
        resolved: Some(at(raised + 2)),
        resolved_because: Some("silent".into()),
        acknowledged: Some(at(raised + 3)),
        acknowledged_by: Some("Ada".into()),
        note: Some("left outside".into()),
        center_hz: None,
        meeting: None,
        ..alert(id, raised)
    }
}

/// A store with `count` entries, one a second.
fn filled(mut store: Store, count: i64) -> Store {
    for number in 1..=count {
        store.append(&new("tick", number, &format!("{{\"n\":{number}}}"))).unwrap();
    }
    store
}

fn memory() -> Store {
    Store::in_memory().unwrap()
}

/// Has an entry wait for somebody.
fn deliver(store: &Store, number: i64) {
    outbox::add(&store.connection, "ada", number, at(0), None).unwrap();
}

fn numbers(entries: &[Entry]) -> Vec<i64> {
    entries.iter().map(|entry| entry.number).collect()
}

fn ids(alerts: &[AlertRecord]) -> Vec<&str> {
    alerts.iter().map(|alert| alert.id.as_str()).collect()
}

#[test]
fn entries_come_back_as_they_went_in_by_pages() {
    let mut store = memory();
    assert_eq!(store.last_number().unwrap(), 0);
    let first = store
        .append(&NewEntry { meeting: Some("m1"), ..new("alert.raised", 0, "{\"a\":[1,\"ü\\u0000\"]}") })
        .unwrap();
    assert_eq!((first.number, first.meeting.as_deref()), (1, Some("m1")));
    let mut store = filled(store, 9);
    let all = store.after(0, usize::MAX).unwrap();
    assert_eq!(all.len(), 10);
    assert_eq!(all[0], first);
    assert_eq!(
        all[9],
        Entry { number: 10, kind: "tick".into(), at: at(9), meeting: None, data: "{\"n\":9}".into() }
    );
    assert_eq!(numbers(&store.after(3, 4).unwrap()), [4, 5, 6, 7]);
    assert_eq!(numbers(&store.after(10, 4).unwrap()), [0; 0]);
    assert_eq!(store.last_number().unwrap(), 10);
    assert_eq!(store.append(&new("tick", 10, "{}")).unwrap().number, 11);
    store.verify().unwrap();
}

#[test]
fn data_must_be_a_json_object_within_the_limit() {
    let mut store = memory();
    for data in ["", "null", "[1]", "{\"a\":1", "{} {}", "{\"a\":nan}"] {
        let error = store.append(&new("x", 0, data)).unwrap_err();
        assert!(matches!(error, StoreError::NoObject { .. }), "{data}: {error}");
    }
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(journal::LONGEST_DATA));
    let error = store.append(&new("x", 0, &long)).unwrap_err();
    assert!(matches!(error, StoreError::TooLong { .. }), "{error}");
    assert_eq!(store.after(0, 9).unwrap().len(), 0);
    assert_eq!(store.append(&new("x", 0, "{}")).unwrap().number, 1);
}

#[test]
fn meetings_are_replaced_by_id_and_come_newest_first() {
    let mut store = memory();
    for (id, started) in [("m1", 10), ("m3", 30), ("m2", 20)] {
        store.begin_meeting(&meeting(id, started)).unwrap();
    }
    let ended = Meeting { ended: Some(at(25)), ends: None, ..meeting("m2", 20) };
    store.begin_meeting(&ended).unwrap();
    let found = store.meetings(10).unwrap();
    assert_eq!(found.len(), 3);
    assert_eq!(found, [meeting("m3", 30), ended, meeting("m1", 10)]);
    assert_eq!(store.meetings(1).unwrap(), [meeting("m3", 30)]);
}

#[test]
fn alerts_are_replaced_by_id_and_stay_open_until_acknowledged() {
    let mut store = memory();
    for alert in [alert("a1", 10), alert("a2", 30), closed("a3", 20)] {
        store.put_alert(&alert).unwrap();
    }
    let all = store.alerts(None, 10).unwrap();
    assert_eq!(all.len(), 3);
    assert_eq!(all, [alert("a2", 30), closed("a3", 20), alert("a1", 10)]);
    assert_eq!(ids(&store.alerts(Some("m1"), 10).unwrap()), ["a2", "a1"]);
    assert_eq!(ids(&store.alerts(Some("m1"), 1).unwrap()), ["a2"]);
    assert_eq!(ids(&store.alerts(Some("m9"), 10).unwrap()), [""; 0]);
    assert_eq!(ids(&store.open_alerts().unwrap()), ["a2", "a1"]);
    store.put_alert(&AlertRecord { resolved: Some(at(40)), ..alert("a2", 30) }).unwrap();
    assert_eq!(ids(&store.open_alerts().unwrap()), ["a2", "a1"], "resolving alone closes nothing");
    store.put_alert(&AlertRecord { acknowledged: Some(at(41)), ..alert("a2", 30) }).unwrap();
    assert_eq!(ids(&store.open_alerts().unwrap()), ["a1"]);
    assert_eq!(store.alerts(None, 10).unwrap().len(), 3);
}

#[test]
fn an_alert_is_kept_with_a_figure_that_could_not_be_measured() {
    let mut store = memory();
    store
        .put_alert(&AlertRecord { power_dbfs: f64::NEG_INFINITY, bandwidth_hz: f64::NAN, ..alert("a", 1) })
        .unwrap();
    let found = store.alerts(None, 1).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].power_dbfs, f64::NEG_INFINITY);
    assert!(found[0].bandwidth_hz.is_nan());
}

#[test]
fn records_serialise_as_the_api_shows_them() {
    let text = serde_json::to_string(&closed("a1", 0)).unwrap();
    assert!(text.contains("\"raised\":\"2027-01-15T08:00:00.123456789Z\""), "{text}");
    assert_eq!(serde_json::from_str::<AlertRecord>(&text).unwrap(), closed("a1", 0));
    let text = serde_json::to_string(&meeting("m1", 0)).unwrap();
    assert_eq!(serde_json::from_str::<Meeting>(&text).unwrap(), meeting("m1", 0));
}

#[test]
fn an_entry_and_its_records_go_in_together_or_not_at_all() {
    let mut store = memory();
    let entry = store.record(&new("begin", 1, "{}"), Some(&alert("a1", 1)), Some(&meeting("m1", 1))).unwrap();
    assert_eq!(entry.number, 1);
    assert_eq!((store.alerts(None, 9).unwrap().len(), store.meetings(9).unwrap().len()), (1, 1));
    store
        .connection
        .execute_batch("CREATE TRIGGER t BEFORE INSERT ON journal BEGIN SELECT raise(ABORT, 'no'); END")
        .unwrap();
    store.record(&new("begin", 2, "{}"), Some(&alert("a2", 2)), Some(&meeting("m2", 2))).unwrap_err();
    assert_eq!((store.alerts(None, 9).unwrap().len(), store.meetings(9).unwrap().len()), (1, 1));
    assert_eq!(store.last_number().unwrap(), 1);
    store.verify().unwrap();
}

fn told(
    store: &mut Store,
    entry: &NewEntry<'_>,
    contacts: &[&str],
    about: Option<&str>,
) -> Result<(Entry, Vec<i64>), StoreError> {
    store.record_one(&Deed { entry: *entry, alert: None, meeting: None, contacts, about })
}

#[test]
fn deliveries_wait_are_postponed_and_end() {
    let mut store = memory();
    let raised = new("alert", 1, r#"{"phase":"raised"}"#);
    let (entry, both) = told(&mut store, &raised, &["ada", "bob"], Some("a1")).unwrap();
    let (later, third) = told(&mut store, &new("changed", 2, "{}"), &["ada"], None).unwrap();
    let waiting = |store: &Store, contact| store.waiting(contact, 9).unwrap();
    assert_eq!(waiting(&store, "ada"), [(both[0], entry.clone()), (third[0], later.clone())]);
    assert_eq!(store.waiting("ada", 1).unwrap(), [(third[0], later)]);
    assert_eq!(waiting(&store, "bob"), [(both[1], entry)]);

    store.postponed(both[0], at(20), "refused").unwrap();
    for n in 0..2 {
        store.delivered(both[0], at(21 + n)).unwrap();
    }
    store.left_out(third[0]).unwrap();
    assert_eq!((waiting(&store, "ada").len(), waiting(&store, "bob").len()), (0, 1));
    let told = store.deliveries("a1", 9).unwrap();
    assert_eq!((told.len(), told[0].contact.as_str(), told[1].contact.as_str()), (2, "ada", "bob"));
    assert_eq!((told[0].phase.as_deref(), told[0].attempts), (Some("raised"), 1));
    assert_eq!((told[0].last_error.as_deref(), told[0].delivered), (Some("refused"), Some(at(21))));
    assert_eq!((told[1].attempts, told[1].delivered), (0, None));
    assert_eq!(store.deliveries("a2", 9).unwrap(), []);
    assert!(matches!(store.left_out(third[0]), Err(StoreError::UnknownDelivery { .. })));
    assert!(matches!(store.delivered(77, at(1)), Err(StoreError::UnknownDelivery { id: 77 })));
    assert!(matches!(store.postponed(77, at(1), "x"), Err(StoreError::UnknownDelivery { id: 77 })));
}

#[test]
fn no_entry_without_its_deliveries() {
    let mut store = filled(memory(), 1);
    store
        .connection
        .execute_batch("CREATE TRIGGER t BEFORE INSERT ON outbox BEGIN SELECT raise(ABORT, 'no'); END")
        .unwrap();
    told(&mut store, &new("alert", 2, "{}"), &["ada"], None).unwrap_err();
    assert_eq!(store.last_number().unwrap(), 1);
}

#[test]
fn pruning_spares_what_is_open_and_keeps_the_chain_and_the_numbers() {
    let mut store = filled(memory(), 100);
    for number in [10, 95] {
        deliver(&store, number);
    }
    for alert in [alert("open", 10), closed("old", 11), closed("new", 95)] {
        store.put_alert(&alert).unwrap();
    }
    for (id, ended) in [("m1", Some(5)), ("m2", Some(6)), ("m3", None), ("m4", Some(96))] {
        store.begin_meeting(&Meeting { ended: ended.map(at), ..meeting(id, 1) }).unwrap();
    }
    // Entries 1 to 89, one alert, one meeting: m1 has an open alert.
    assert_eq!(store.prune(at(90)).unwrap(), 89 + 1 + 1);
    let left = store.after(0, 999).unwrap();
    assert_eq!(left.len(), 11);
    assert_eq!(left[0].number, 90);
    assert_eq!(ids(&store.alerts(None, 9).unwrap()), ["new", "open"]);
    assert_eq!(store.meetings(9).unwrap().len(), 3);
    assert_eq!(store.waiting("ada", 9).unwrap().len(), 1);
    store.verify().unwrap();

    assert_eq!(store.prune(at(90)).unwrap(), 0);
    assert_eq!(store.prune(at(1000)).unwrap(), 11 + 1 + 1);
    assert_eq!(store.after(0, 999).unwrap().len(), 0);
    assert_eq!(store.last_number().unwrap(), 100);
    store.verify().unwrap();
    assert_eq!(store.append(&new("tick", 0, "{}")).unwrap().number, 101);
    store.verify().unwrap();
}

#[test]
fn a_clock_that_was_set_back_makes_no_hole_in_the_chain() {
    let mut store = memory();
    for seconds in [1, 2, 50, 3, 4, 60] {
        store.append(&new("tick", seconds, "{}")).unwrap();
    }
    assert_eq!(store.prune(at(10)).unwrap(), 2);
    assert_eq!(numbers(&store.after(0, 9).unwrap()), [3, 4, 5, 6]);
    store.verify().unwrap();
}

#[test]
fn every_way_to_alter_the_journal_is_found() {
    for (sql, verdict) in [
        ("UPDATE journal SET data = '{\"n\":9}' WHERE number = 300", "entry 300"),
        ("UPDATE journal SET kind = 'tock' WHERE number = 300", "entry 300"),
        ("UPDATE journal SET at = replace(at, '2027', '2026') WHERE number = 300", "entry 300"),
        ("UPDATE journal SET meeting = '' WHERE number = 300", "entry 300"),
        ("UPDATE journal SET hash = zeroblob(32) WHERE number = 300", "entry 300"),
        ("UPDATE journal SET number = 1000 WHERE number = 300", "entry 300"),
        ("DELETE FROM journal WHERE number = 300", "entry 300"),
        ("DELETE FROM journal WHERE number <= 20", "entry 11"),
        ("DELETE FROM journal WHERE number > 390", "ends at entry 390, its head says 400"),
        ("DELETE FROM journal", "ends at entry 10, its head says 400"),
        ("UPDATE chain SET last = 390", "ends at entry 400, its head says 390"),
        ("UPDATE chain SET last_hash = zeroblob(32)", "entry 400"),
        ("UPDATE chain SET base_hash = zeroblob(32)", "entry 11"),
        ("UPDATE chain SET base = 20", "entry 11"),
        ("UPDATE journal SET at = 'yesterday' WHERE number = 300", "cannot be verified"),
    ] {
        let mut store = filled(memory(), 400);
        store.prune(at(11)).unwrap();
        store.verify().unwrap();
        assert!(store.connection.execute(sql, []).unwrap() > 0, "{sql}");
        let found = store.verify().unwrap_err().to_string();
        assert!(found.contains(verdict), "{sql}: {found}");
    }
}

#[test]
fn where_one_text_ends_and_the_next_begins_is_hashed_too() {
    let hash = |kind: &str, meeting: Option<&str>| {
        let mut store = memory();
        store.append(&NewEntry { meeting, ..new(kind, 0, "{}") }).unwrap();
        store.head().unwrap().hash
    };
    assert_ne!(hash("ab", None), hash("a", None));
    assert_ne!(hash("a", None), hash("a", Some("")));
    assert_eq!(hash("a", Some("x")), hash("a", Some("x")));
}

#[test]
fn after_an_input_or_output_error_nothing_is_believed_any_more() {
    let mut store = filled(memory(), 1);
    let failure = |code| rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
    let error = store.write(|_| Err::<(), _>(failure(rusqlite::ffi::SQLITE_CONSTRAINT))).unwrap_err();
    assert!(matches!(error, StoreError::Database { .. }), "{error}");
    assert_eq!(store.last_number().unwrap(), 1, "not the disk's fault");
    let error = store.write(|_| Err::<(), _>(failure(rusqlite::ffi::SQLITE_IOERR_FSYNC))).unwrap_err();
    assert!(matches!(error, StoreError::Database { .. }), "{error}");
    assert!(matches!(store.append(&new("x", 2, "{}")), Err(StoreError::Broken { .. })));
    assert!(matches!(store.last_number(), Err(StoreError::Broken { .. })));
}
