//! Order, holding back, leaving out and trying again, at times of one's choice.

use super::*;
use crate::config::Severity;
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::json;

fn message(id: i64, episode: &str, weight: Weight) -> Message {
    Message {
        id: id.to_string(),
        delivery: Some(id),
        episode: episode.into(),
        weight,
        severity: Severity::Critical,
        kind: "alert.raised".into(),
        at: Timestamp::UNIX_EPOCH,
        text: String::new(),
        data: json!({}),
    }
}

fn ids(batch: &[Message]) -> Vec<i64> {
    batch.iter().filter_map(|message| message.delivery).collect()
}

/// Takes and delivers what goes at `now_s`.
fn deliver(queue: &mut Queue, now_s: f64) -> Vec<i64> {
    let batch = queue.take(now_s);
    if !batch.is_empty() {
        queue.arrived(&batch, now_s);
    }
    ids(&batch)
}

fn unreached() -> Failure {
    Failure::Unreached("refused".into(), None)
}

#[test]
fn the_first_goes_at_once_and_updates_are_held() {
    let mut queue = Queue::default();
    assert!(queue.push(message(1, "a1", Weight::First)).is_empty());
    assert_eq!(deliver(&mut queue, 0.0), [1]);
    queue.push(message(2, "a1", Weight::Update));
    assert!(deliver(&mut queue, 1.0).is_empty());
    // Another alert does not wait behind it.
    queue.push(message(3, "a2", Weight::First));
    assert_eq!(deliver(&mut queue, 1.0), [3]);
    // The later update stands for both.
    assert_eq!(ids(&queue.push(message(4, "a1", Weight::Update))), [2]);
    assert_eq!(queue.next_s(2.0), Some(30.0));
    assert_eq!(deliver(&mut queue, 30.0), [4]);
    // What ends it is not held, and leaves out the update that waits.
    queue.push(message(5, "a1", Weight::Update));
    assert_eq!(ids(&queue.push(message(6, "a1", Weight::Change))), [5]);
    assert_eq!(deliver(&mut queue, 31.0), [6]);
    assert_eq!((queue.len(), queue.next_s(31.0)), (0, None));
}

#[test]
fn an_outage_delays_and_keeps_order() {
    let mut queue = Queue::default();
    queue.meeting(true, 0.0);
    for id in 1..=3 {
        queue.push(message(id, "a1", Weight::Change));
    }
    let mut now_s = 0.0;
    for wait_s in [1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 60.0] {
        let batch = queue.take(now_s);
        // Those that the pace would hold back go with it.
        assert!([&[1][..], &[1, 2, 3]].contains(&ids(&batch).as_slice()), "{:?}", ids(&batch));
        let (due_s, left_out) = queue.failed(batch, &unreached(), now_s);
        assert_eq!((due_s, left_out.len()), (now_s + wait_s, 0));
        assert!(deliver(&mut queue, due_s - 0.5).is_empty());
        now_s = due_s;
    }
    assert_eq!(deliver(&mut queue, now_s), [1]);
    assert_eq!(deliver(&mut queue, now_s), [2]);
    assert_eq!(deliver(&mut queue, now_s), [3]);
}

#[test]
fn a_meeting_that_begins_ends_a_long_wait() {
    let mut queue = Queue::default();
    queue.push(message(1, "a1", Weight::First));
    let mut now_s = 0.0;
    for _ in 0..12 {
        let batch = queue.take(now_s);
        now_s = queue.failed(batch, &unreached(), now_s).0;
    }
    let failed_s = now_s - 900.0;
    queue.meeting(true, failed_s + 1.0);
    assert_eq!(queue.next_s(failed_s + 1.0), Some(failed_s + 61.0));
}

#[test]
fn a_server_that_asks_is_waited_for_within_reason() {
    for (asked_s, due_s) in [(0.0, 1.0), (120.0, 120.0), (1e9, ASKED_MAX_S)] {
        let mut queue = Queue::default();
        queue.push(message(1, "a1", Weight::First));
        let batch = queue.take(0.0);
        assert_eq!(queue.failed(batch, &Failure::Unreached("429".into(), Some(asked_s)), 0.0).0, due_s);
    }
}

#[test]
fn a_refused_message_holds_up_its_own_episode_only() {
    let mut queue = Queue::default();
    for (id, episode) in [(1, "a1"), (2, "a2"), (3, "a1")] {
        queue.push(message(id, episode, Weight::First));
    }
    let batch = queue.take(0.0);
    assert_eq!(queue.failed(batch, &Failure::Refused("422".into()), 0.0).0, 1.0);
    assert_eq!(deliver(&mut queue, 0.0), [2]);
    assert!(deliver(&mut queue, 0.5).is_empty());
    assert_eq!(deliver(&mut queue, 1.0), [1]);
    assert_eq!(deliver(&mut queue, 1.0), [3]);
}

#[test]
fn a_flood_goes_with_the_last_that_may_go() {
    let mut queue = Queue::default();
    for id in 1..=120 {
        queue.push(message(id, &format!("a{id}"), Weight::First));
    }
    let at_once: Vec<_> = (0..4).map(|_| deliver(&mut queue, 0.0)).collect();
    assert_eq!(at_once, [[1], [2], [3], [4]]);
    assert_eq!(deliver(&mut queue, 0.0), (5..=54).collect::<Vec<_>>());
    assert!(deliver(&mut queue, 0.0).is_empty());
    assert_eq!(queue.next_s(0.0), Some(12.0));
    assert_eq!(deliver(&mut queue, 12.0), (55..=104).collect::<Vec<_>>());
}

#[test]
fn too_many_leave_out_the_oldest_of_least_weight() {
    let mut queue = Queue::default();
    queue.push(message(0, "a", Weight::First));
    queue.push(message(1, "b", Weight::Update));
    queue.push(message(2, "c", Weight::Change));
    for id in 3..WAITING_MAX as i64 {
        queue.push(message(id, &format!("e{id}"), Weight::First));
    }
    assert_eq!(ids(&queue.push(message(5001, "x", Weight::First))), [1]);
    assert_eq!(ids(&queue.push(message(5002, "y", Weight::First))), [2]);
    assert_eq!(ids(&queue.push(message(5003, "z", Weight::First))), [0]);
    assert_eq!(queue.len(), WAITING_MAX);
}

proptest! {
    /// Whatever fails and when: nothing of weight is lost or repeated, and each episode arrives in order.
    #[test]
    fn all_arrive_once_and_in_order(
        what in prop::collection::vec((0_i64..5, 0_u8..3, 0_u8..4), 1..80),
    ) {
        let (mut queue, mut arrived, mut left_out) = (Queue::default(), Vec::new(), Vec::new());
        let mut now_s = 0.0;
        for (id, (episode, weight, fate)) in what.iter().enumerate() {
            let weight = [Weight::Update, Weight::Change, Weight::First][usize::from(*weight)];
            left_out.extend(queue.push(message(id as i64, &episode.to_string(), weight)));
            let batch = queue.take(now_s);
            match fate {
                0 if !batch.is_empty() => { queue.failed(batch, &unreached(), now_s); }
                1 if !batch.is_empty() => { queue.failed(batch, &Failure::Refused("422".into()), now_s); }
                _ => { queue.arrived(&batch, now_s); arrived.extend(batch); }
            }
            now_s += 1.0;
        }
        while let Some(next_s) = queue.next_s(now_s) {
            prop_assert!(next_s >= now_s && next_s < now_s + 2000.0);
            now_s = next_s;
            let batch = queue.take(now_s);
            prop_assert!(!batch.is_empty());
            queue.arrived(&batch, now_s);
            arrived.extend(batch);
        }
        prop_assert!(left_out.iter().all(|message| message.weight == Weight::Update));
        prop_assert_eq!(arrived.len() + left_out.len(), what.len());
        for episode in 0..5 {
            let of: Vec<_> = arrived.iter().filter(|m| m.episode == episode.to_string()).filter_map(|m| m.delivery).collect();
            prop_assert!(of.is_sorted_by(|a, b| a < b), "{:?}", of);
        }
    }
}
