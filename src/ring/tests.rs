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
    let lent = looker.history().lend(3, |_| true);
    for n in 10..100 {
        assert!(send(&mut filler, n), "block {n}");
        let block = looker.take().expect("what was sent");
        looker.keep(block);
    }
    assert_eq!(lent.blocks.iter().map(|block| value(block)).collect::<Vec<_>>(), [0, 1, 2]);
}
