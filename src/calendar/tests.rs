//! The schedule: each rule of it, and what must hold whatever calendars, clocks and people do.

use super::schedule::{Change, Closed, Facts, Now, Running, Standing, is_on, rank, schedule};
use super::{Key, Occurrence};
use crate::policy::Level;
use jiff::Timestamp;
use proptest::prelude::*;
use std::collections::BTreeSet;

const START_S: i64 = 1_774_000_000;

/// `minute` of the test.
fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(START_S + 60 * minute).unwrap()
}

fn now(minute: i64) -> Now {
    Now { wall: at(minute), carried: at(minute) }
}

/// From minute to minute, armed ten before.
fn meeting(uid: &str, begins: i64, ends: i64, level: Level) -> Occurrence {
    Occurrence {
        key: Key { calendar: "room".into(), uid: uid.into(), recurrence: None },
        arms: at(begins - 10),
        begins: at(begins),
        ends: at(ends),
        level,
        title: uid.to_uppercase(),
        wide: Vec::new(),
    }
}

/// A room with its schedule.
struct Room {
    occurrences: Vec<Occurrence>,
    heard: BTreeSet<String>,
    closed: Vec<Closed>,
    running: Option<Running>,
    quiet: bool,
}

impl Room {
    fn new(occurrences: Vec<Occurrence>) -> Self {
        Self {
            occurrences,
            heard: BTreeSet::from(["room".to_owned()]),
            closed: Vec::new(),
            running: None,
            quiet: true,
        }
    }

    fn step(&mut self, now: Now) -> Vec<Change> {
        let facts = Facts {
            occurrences: &self.occurrences,
            heard: &self.heard,
            closed: &self.closed,
            quiet: self.quiet,
        };
        let (after, changes) = schedule(now, facts, self.running.as_ref());
        self.running = after;
        changes
    }

    /// A person ends the meeting.
    fn close(&mut self) {
        if let Some(running) = self.running.take() {
            self.closed.extend(running.closes());
        }
    }

    fn level(&self) -> Option<&str> {
        self.running.as_ref().map(|running| running.level.as_str())
    }
}

fn arms(title: &str) -> Vec<Change> {
    vec![Change::Arms(title.into())]
}

#[test]
fn it_arms_ahead_and_ends_when_quiet() {
    let mut room = Room::new(vec![meeting("a", 60, 120, Level::Secret)]);
    assert_eq!(room.step(now(49)), []);
    assert_eq!(room.step(now(50)), arms("A"));
    assert_eq!((room.step(now(119)), room.level()), (vec![], Some("secret")));
    room.quiet = false;
    assert_eq!(room.step(now(120)), [Change::Holds]);
    assert_eq!((room.step(now(121)), room.level()), (vec![], Some("secret")));
    room.quiet = true;
    assert_eq!((room.step(now(122)), room.level()), (vec![Change::Ends], None));
    assert_eq!((room.step(now(123)), room.level()), (vec![], None));
}

#[test]
fn overlapping_and_back_to_back_are_one_at_the_strictest_level() {
    let mut room = Room::new(vec![
        meeting("a", 60, 120, Level::Confidential),
        meeting("b", 90, 150, Level::TopSecret),
        meeting("c", 150, 180, Level::Secret),
    ]);
    room.quiet = false;
    room.step(now(50));
    assert_eq!(room.step(now(79)), []);
    assert_eq!((room.step(now(80)), room.level()), (vec![Change::Joins("B".into())], Some("top-secret")));
    assert_eq!((room.step(now(130)), room.level()), (vec![], Some("top-secret")));
    assert_eq!(room.step(now(140)), [Change::Joins("C".into())]);
    assert_eq!((room.step(now(150)), room.level()), (vec![], Some("secret")));
    assert_eq!((room.step(now(180)), room.level()), (vec![Change::Holds], Some("secret")));
}

#[test]
fn it_follows_what_is_moved_and_extended() {
    let mut room = Room::new(vec![meeting("a", 60, 120, Level::Secret)]);
    room.step(now(60));
    room.occurrences = vec![meeting("a", 60, 180, Level::Secret)];
    assert_eq!(room.step(now(100)), [Change::Moves("A".into())]);
    assert_eq!(room.step(now(179)), []);
    // Shortened: it is over.
    room.occurrences = vec![meeting("a", 60, 170, Level::Secret)];
    assert_eq!(room.step(now(179)), [Change::Ends]);
}

#[test]
fn what_is_cancelled_or_moved_away_while_on_waits_for_a_person() {
    for after in [vec![], vec![meeting("a", 5000, 5060, Level::Secret)]] {
        let mut room = Room::new(vec![meeting("a", 60, 120, Level::Secret)]);
        room.step(now(60));
        room.occurrences = after;
        assert_eq!(room.step(now(70)), [Change::Lost("A".into())]);
        // Quiet, and long over.
        assert_eq!((room.step(now(1000)), room.level()), (vec![], Some("secret")));
        room.close();
        assert_eq!((room.step(now(1001)), room.level()), (vec![], None));
        // Moved away, it is another meeting.
        let later = !room.occurrences.is_empty();
        assert_eq!(room.step(now(5000)), if later { arms("A") } else { vec![] });
    }
}

#[test]
fn what_comes_back_is_on_again() {
    let mut room = Room::new(vec![meeting("a", 60, 120, Level::Secret)]);
    room.step(now(60));
    let all = std::mem::take(&mut room.occurrences);
    room.step(now(70));
    assert!(room.running.as_ref().unwrap().is_lost());
    room.occurrences = all;
    room.step(now(71));
    assert!(!room.running.as_ref().unwrap().is_lost());
    assert_eq!(room.step(now(120)), [Change::Ends]);
}

#[test]
fn a_calendar_that_was_not_heard_of_since_the_start_takes_nothing_away() {
    let mut room = Room::new(vec![meeting("a", 60, 120, Level::Secret)]);
    room.step(now(60));
    room.occurrences.clear();
    room.heard.clear();
    assert_eq!(room.step(now(70)), []);
    assert_eq!(room.running.as_ref().unwrap().parts[0].standing, Standing::On);
    assert_eq!(room.step(now(120)), [Change::Ends]);
}

#[test]
fn who_ends_it_early_is_not_overruled() {
    let mut room =
        Room::new(vec![meeting("a", 60, 120, Level::Secret), meeting("b", 200, 210, Level::Secret)]);
    room.step(now(60));
    room.close();
    assert_eq!((room.step(now(61)), room.level()), (vec![], None));
    // Extended it is the same meeting still, at another time another one.
    room.occurrences[0] = meeting("a", 60, 150, Level::Secret);
    assert_eq!((room.step(now(62)), room.level()), (vec![], None));
    room.occurrences[0] = meeting("a", 400, 450, Level::Secret);
    assert_eq!(room.step(now(390)), arms("A"));
}

#[test]
fn setting_the_clock_disarms_nothing() {
    for step in [-100_000, -120, -3, 3, 120, 100_000, 5_000_000] {
        let mut room = Room::new(vec![meeting("a", 60, 120, Level::Secret)]);
        room.step(now(60));
        let set = |minute: i64| Now { wall: at(minute + step), carried: at(minute) };
        room.step(set(70));
        assert_eq!(room.level(), Some("secret"), "{step}");
        assert!(!room.running.as_ref().unwrap().is_lost(), "{step}");
        assert!(set(70).step().is_some());
        room.step(set(119));
        assert_eq!(room.level(), Some("secret"), "{step}");
    }
}

#[test]
fn a_manual_meeting_is_as_strict_as_the_strictest() {
    let manual = |level: Level| Running {
        manual: Some(level.as_str().into()),
        parts: Vec::new(),
        level: level.as_str().into(),
    };
    let mut room = Room::new(vec![meeting("a", 60, 120, Level::Secret)]);
    room.running = Some(manual(Level::Open));
    room.step(now(0));
    assert_eq!(room.level(), Some("open"));
    assert_eq!((room.step(now(50)), room.level()), (vec![Change::Joins("A".into())], Some("secret")));
    assert_eq!((room.step(now(120)), room.level()), (vec![], Some("open")));
    room.running = Some(manual(Level::TopSecret));
    room.step(now(60));
    assert_eq!(room.level(), Some("top-secret"));
}

#[derive(Debug, Clone)]
enum Act {
    Wait(i64),
    Put(u8, i64, i64, Level),
    Cancel(u8),
    Close,
    Quiet(bool),
    Begin(Level),
    ManualOver,
    Forget,
}

fn level() -> impl Strategy<Value = Level> {
    prop::sample::select(vec![Level::TopSecret, Level::Secret, Level::Confidential])
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0_i64..40).prop_map(Act::Wait),
        3 => (0_u8..5, -60_i64..60, 1_i64..90, level()).prop_map(|(n, from, length, l)| Act::Put(n, from, length, l)),
        1 => (0_u8..5).prop_map(Act::Cancel),
        1 => Just(Act::Close),
        1 => any::<bool>().prop_map(Act::Quiet),
        1 => prop::sample::select(Level::ALL.to_vec()).prop_map(Act::Begin),
        1 => Just(Act::ManualOver),
        1 => Just(Act::Forget),
    ]
}

proptest! {
    /// Whatever calendars, people and the clock do: within an occurrence that nobody closed the room is armed, at its level
    /// or a stricter one; and what was on is never dropped while a person must end it.
    #[test]
    fn never_unarmed_inside_a_live_meeting(
        acts in prop::collection::vec(act(), 1..60),
        step in prop::sample::select(vec![0_i64, 0, 0, -500, 7, 100_000]),
    ) {
        let mut room = Room::new(Vec::new());
        let mut minute = 0;
        for act in acts {
            let mut person = false;
            match act {
                Act::Wait(minutes) => minute += minutes,
                Act::Put(n, from, length, level) => {
                    let uid = format!("u{n}");
                    room.occurrences.retain(|o| o.key.uid != uid);
                    room.occurrences.push(meeting(&uid, minute + from, minute + from + length, level));
                }
                Act::Cancel(n) => room.occurrences.retain(|o| o.key.uid != format!("u{n}")),
                Act::Close => {
                    room.close();
                    person = true;
                }
                Act::Quiet(quiet) => room.quiet = quiet,
                Act::Begin(level) => {
                    let running = room.running.get_or_insert_with(Running::default);
                    running.manual = Some(level.as_str().into());
                    if running.level.is_empty() {
                        running.level = level.as_str().into();
                    }
                }
                Act::ManualOver => {
                    if let Some(running) = &mut room.running {
                        running.manual = None;
                    }
                }
                // A restart: what is kept is read back, calendars are heard anew.
                Act::Forget => {
                    let text = serde_json::to_string(&room.running).unwrap();
                    room.running = serde_json::from_str(&text).unwrap();
                }
            }
            let now = Now { wall: at(minute + step), carried: at(minute) };
            let was_lost = room.running.as_ref().is_some_and(Running::is_lost);
            room.step(now);
            for o in &room.occurrences {
                let inside = |t: Timestamp| o.arms <= t && t < o.ends;
                let closed = room.closed.iter().any(|closed| closed.is(o));
                prop_assert_eq!(is_on(o, now, &room.closed), (inside(now.wall) || inside(now.carried)) && !closed);
                if is_on(o, now, &room.closed) {
                    let level = room.level().and_then(Level::named);
                    prop_assert!(level.is_some_and(|level| rank(level) <= rank(o.level)), "{:?} in {:?}", level, o);
                }
            }
            prop_assert!(person || !was_lost || room.running.is_some());
            // Stepping again without anything new changes nothing.
            let before = room.running.clone();
            let again = room.step(now);
            prop_assert!(again.is_empty() || room.quiet, "{:?}", again);
            prop_assert_eq!(&before, &room.running);
        }
    }
}

#[test]
fn a_flood_of_occurrences_is_bounded() {
    let all: Vec<_> = (0..500).map(|n| meeting(&format!("u{n}"), 60, 120, Level::Confidential)).collect();
    let mut room = Room::new(all);
    room.occurrences.push(meeting("strict", 60, 120, Level::TopSecret));
    room.step(now(60));
    assert_eq!(room.level(), Some("top-secret"));
    assert_eq!(room.running.as_ref().unwrap().parts.len(), super::schedule::PARTS_MAX);
    assert_eq!(room.step(now(61)), []);
}
