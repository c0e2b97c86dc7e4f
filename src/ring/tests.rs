//! What must hold whatever the other side does.

use super::*;
use crate::iq::{SampleFormat, Samples};

fn small(queue: usize, history: usize, lent: usize) -> (Filler, Looker) {
    ring(queue, history, lent, || Block::with_capacity(SampleFormat::Ci8, 16))
}

/// Fills a block with `value` and hands it on.
fn send(filler: &mut Filler, value: i8) -> bool {
    let Some(mut block) = filler.take() else { return false };
    let inner = Arc::get_mut(&mut block).expect("nobody else holds an idle block");
    inner.iq.samples.clear();
    if let Samples::Ci8(samples) = &mut inner.iq.samples {
        samples.push([value, value]);
    }
    filler.hand_on(block)
}

fn value(block: &Block) -> i8 {
    match &block.iq.samples {
        Samples::Ci8(samples) => samples[0][0],
        _ => panic!("another format"),
    }
}

#[test]
fn blocks_come_in_order_and_go_round() {
    let (mut filler, mut looker) = small(4, 3, 0);
    for n in 0..100 {
        assert!(send(&mut filler, n));
        let block = looker.take().expect("what was sent");
        assert_eq!(value(&block), n);
        looker.keep(block);
        assert_eq!(looker.history().len(), 3.min(n as usize + 1));
    }
}

#[test]
fn a_side_that_stopped_costs_the_newest_and_nothing_else() {
    let (mut filler, mut looker) = small(4, 3, 0);
    let through = (0..50).filter(|n| send(&mut filler, *n)).count();
    assert_eq!(through, 4, "the queue's size");
    let first: Vec<_> = std::iter::from_fn(|| looker.take()).map(|block| value(&block)).collect();
    assert_eq!(first, [0, 1, 2, 3]);
}

#[test]
fn what_is_lent_stays_as_it_is_and_the_ring_runs_on() {
    let (mut filler, mut looker) = small(2, 3, 3);
    for n in 0..3 {
        assert!(send(&mut filler, n));
        let block = looker.take().expect("what was sent");
        looker.keep(block);
    }
    let mut lent = Vec::with_capacity(3);
    assert_eq!(looker.history().lend(0, &mut lent, |_| true), 3);
    for n in 10..100 {
        assert!(send(&mut filler, n), "block {n}");
        let block = looker.take().expect("what was sent");
        looker.keep(block);
    }
    assert_eq!(lent.iter().map(|block| value(block)).collect::<Vec<_>>(), [0, 1, 2]);
}

#[test]
fn what_is_lent_part_by_part_is_all_that_is_wanted_and_still_there() {
    let (mut filler, mut looker) = small(2, 6, 2);
    let mut next = |looker: &mut Looker, n: i8| {
        assert!(send(&mut filler, n), "block {n}");
        let block = looker.take().expect("what was sent");
        looker.keep(block);
    };
    (0..10).for_each(|n| next(&mut looker, n));
    let (mut part, mut seen, mut from) = (Vec::with_capacity(2), Vec::new(), 0);
    for later in 10.. {
        from = looker.history().lend(from, &mut part, |block| value(block) % 2 == 0);
        seen.extend(part.drain(..).map(|block| value(&block)));
        if from == looker.history().end() {
            break;
        }
        next(&mut looker, later);
    }
    // 0 and 2 are gone; the rest came while it went on.
    assert_eq!(seen, [4, 6, 8, 10]);
}
