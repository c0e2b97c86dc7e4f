//! The loop against a receiver that does what it is told, breaks included.

use super::*;
use crate::iq::SampleFormat;
use crate::plan::{ReceiverAbility, ReceiverPlan};
use crate::ring::{Looker, ring};
use crate::sdr::Facts;
use std::collections::VecDeque;

const RATE_HZ: f64 = 1e6;
const TRANSFER: usize = 4096;
const BLOCK: usize = 1024;

/// What the fake does next.
#[derive(Debug, Clone, PartialEq)]
enum Act {
    /// Gives so many samples, as fast as they are read.
    Give(usize),
    /// Loses so many, and says so.
    Lose(u64),
    /// Loses so many in silence.
    Skip(u64),
    Nothing,
    Fail,
}

/// The number of a sample as its value: short of the rails, where it would count as clipped.
fn value(number: u64) -> i8 {
    ((number % 199) as i16 - 99) as i8
}

/// A receiver whose samples are their own number on one rail, and the tuning in MHz on the other.
struct Fake {
    facts: Facts,
    acts: VecDeque<Act>,
    at: u64,
    times: bool,
    read_at: u64,
    center_hz: f64,
    stale: u64,
    tuned: Vec<f64>,
    restarts: usize,
}

impl Fake {
    fn new(acts: Vec<Act>, times: bool) -> Self {
        let facts = Facts {
            driver: "fake".into(),
            hardware: "fake".into(),
            serial: None,
            rate_hz: RATE_HZ,
            format: SampleFormat::Ci8,
            tunable_hz: vec![[0.0, 1e9]],
            transfer: TRANSFER,
            gain_steps: 1,
        };
        Self {
            facts,
            acts: acts.into(),
            at: 0,
            times,
            read_at: 0,
            center_hz: 0.0,
            stale: 0,
            tuned: Vec::new(),
            restarts: 0,
        }
    }
}

impl Receiver for Fake {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn tune(&mut self, center_hz: f64) -> Result<(), ReceiverError> {
        self.tuned.push(center_hz);
        (self.center_hz, self.stale) = (center_hz, self.at + 2000);
        Ok(())
    }

    fn set_gain_step(&mut self, _: usize) -> Result<(), ReceiverError> {
        Ok(())
    }

    fn gain_holds(&mut self) -> Option<bool> {
        None
    }

    fn read(&mut self, samples: &mut Samples, most: usize, _: Duration) -> Read {
        match self.acts.front_mut() {
            None => return Read::Failed("the script is over".into()),
            Some(Act::Give(left)) => {
                let count = most.min(*left);
                *left -= count;
                let over = *left == 0;
                let Samples::Ci8(samples) = samples else { panic!("another format") };
                let number = |n: usize| value(self.at + n as u64);
                let tuning = |n: usize| {
                    if self.at + (n as u64) < self.stale { -1 } else { (self.center_hz / 1e6) as i8 }
                };
                samples.extend((0..count).map(|n| [number(n), tuning(n)]));
                self.read_at = self.at;
                self.at += count as u64;
                if over {
                    self.acts.pop_front();
                }
                return Read::Samples(count);
            }
            Some(_) => {}
        }
        match self.acts.pop_front() {
            Some(Act::Lose(lost)) => {
                self.at += lost;
                Read::Overflow
            }
            Some(Act::Skip(lost)) => {
                self.at += lost;
                self.read(samples, most, Duration::ZERO)
            }
            Some(Act::Nothing) => Read::Nothing,
            _ => Read::Failed("it failed".into()),
        }
    }

    fn time_ns(&self) -> Option<i64> {
        self.times.then(|| 5_000_000 + (self.read_at as f64 * 1e9 / RATE_HZ).round() as i64)
    }

    fn restart(&mut self) -> Result<(), ReceiverError> {
        self.restarts += 1;
        Ok(())
    }
}

fn parked() -> ReceiverPlan {
    let ability = ReceiverAbility {
        name: "fake".into(),
        ranges_hz: vec![[0.0, 1e9]],
        rate_hz: RATE_HZ,
        usable_hz: 0.8 * RATE_HZ,
        offset_hz: 1e3,
        settle_s: 2e-3,
        usual_settle_s: 2e-3,
        looked_min: 0.0,
        gain_steps: 1,
    };
    ReceiverPlan::parked(&ability, 10e6)
}

/// A plan of three tunings, 20 ms each.
fn swept() -> ReceiverPlan {
    let mut plan = parked();
    let first = plan.tunings[0].clone();
    plan.tunings = [20e6, 30e6, 40e6]
        .into_iter()
        .map(|hz| {
            let mut tuning = first.clone();
            (tuning.centers_hz, tuning.dwell_s) = ([hz; 2], 20e-3);
            (tuning.low_hz, tuning.high_hz) = (hz - 4e5, hz + 4e5);
            tuning
        })
        .collect();
    plan
}

/// Runs the script to its end; gives why it ended, the counts, and the looking side.
fn capture(fake: &mut Fake, plan: &ReceiverPlan, queue: usize) -> (Ended, crate::wire::Counts, Looker) {
    let (filler, looker) = ring(queue, 16, 4, || Block::with_capacity(SampleFormat::Ci8, BLOCK));
    let (_suspect, suspicions) = crossbeam_channel::bounded(4);
    let mut axis = Axis::new(Scheduler::new(plan, 1), filler, suspicions);
    let shared = Shared::default();
    let params = CaptureParams { block: BLOCK, settle: 2000, patient: false };
    let ended = Capture::new(fake, &mut axis, &shared, std::thread::current(), params).run();
    (ended, shared.counts(), looker)
}

fn blocks(looker: &mut Looker) -> Vec<Arc<Block>> {
    std::iter::from_fn(|| looker.take()).filter(|block| !block.iq.samples.is_empty()).collect()
}

fn samples(block: &Block) -> &[[i8; 2]] {
    match &block.iq.samples {
        Samples::Ci8(samples) => samples,
        _ => panic!("another format"),
    }
}

/// Checks every block against the sample's own number: what is said to be missing is what is missing.
fn check(blocks: &[Arc<Block>], start: u64) {
    let mut next = None;
    for block in blocks {
        let first = start + block.iq.first;
        if let Some(next) = next {
            assert_eq!(first, next + block.lost_before, "what is missing is said");
        }
        for (n, [number, _]) in samples(block).iter().enumerate() {
            assert_eq!(*number, value(first + n as u64), "sample {n} of the block at {first}");
        }
        next = Some(first + block.iq.samples.len() as u64);
    }
}

#[test]
fn a_parked_receiver_streams_one_segment_without_a_hole() {
    let mut fake = Fake::new(vec![Act::Give(400_000)], false);
    let (ended, counts, mut looker) = capture(&mut fake, &parked(), 1000);
    assert!(matches!(ended, Ended::Silent(_)));
    let blocks = blocks(&mut looker);
    assert_eq!((counts.received, counts.lost, counts.dropped), (400_000, 0, 0));
    assert!(blocks.iter().all(|block| block.segment == 1 && block.lost_before == 0));
    let start = (blocks[0].segment_start_s * RATE_HZ).round() as u64;
    assert_eq!(start, 2048, "settling, to the next block");
    check(&blocks, start);
    let looked: usize = blocks.iter().map(|block| block.iq.samples.len()).sum();
    assert_eq!(looked as u64 + counts.settled + 400_000 % 1024, 400_000);
}

#[test]
fn no_sample_of_a_sweep_belongs_to_the_tuning_before() {
    let mut fake = Fake::new(vec![Act::Give(900_000)], false);
    let (_, counts, mut looker) = capture(&mut fake, &swept(), 1000);
    let blocks = blocks(&mut looker);
    assert!(fake.tuned.len() > 20);
    for block in &blocks {
        let megahertz = (block.dwell.expect("a dwell").center_hz / 1e6) as i8;
        assert!(samples(block).iter().all(|[_, tuning]| *tuning == megahertz), "stale samples");
    }
    let looked: u64 = blocks.iter().map(|block| block.iq.samples.len() as u64).sum();
    assert_eq!(counts.dropped, 0);
    assert!(900_000 - looked - counts.settled < BLOCK as u64, "every sample is looked at or settled");
}

/// Oracle: what the fake lost. Tolerance: none, for it tells the time.
#[test]
fn losses_are_exact_where_the_driver_tells_the_time() {
    let acts = vec![
        Act::Give(50_000),
        Act::Lose(12_345),
        Act::Give(50_123),
        Act::Skip(777),
        Act::Give(3),
        Act::Lose(1),
        Act::Give(60_000),
    ];
    let mut fake = Fake::new(acts, true);
    let (_, counts, mut looker) = capture(&mut fake, &parked(), 1000);
    assert_eq!((counts.lost, counts.overflows), (12_345 + 777 + 1, 2));
    let blocks = blocks(&mut looker);
    check(&blocks, 2048);
    let said: u64 = blocks.iter().map(|block| block.lost_before).sum();
    assert_eq!(said, counts.lost);
}

#[test]
fn capture_goes_on_while_nobody_looks() {
    let mut fake = Fake::new(vec![Act::Give(2_000_000)], false);
    let (_, counts, mut looker) = capture(&mut fake, &parked(), 8);
    assert_eq!(counts.received, 2_000_000);
    let blocks = blocks(&mut looker);
    assert!(blocks.len() <= 8);
    let looked: u64 = blocks.iter().map(|block| block.iq.samples.len() as u64).sum();
    let whole = 2_000_000 - 2_000_000 % BLOCK as u64;
    assert_eq!(looked + counts.settled + counts.dropped, whole, "what is not handed on is counted");
    check(&blocks, 2048);
}

#[test]
fn a_silent_driver_is_restarted_and_then_given_up() {
    let mut acts = vec![Act::Give(20_000)];
    acts.extend(vec![Act::Nothing; 100]);
    acts.push(Act::Give(20_000));
    let mut fake = Fake::new(acts, false);
    let (ended, counts, _) = capture(&mut fake, &parked(), 100);
    // The script's reads take no time, so that neither limit of time is reached: it fails at its end.
    assert_eq!((counts.timeouts, counts.received), (100, 40_000));
    assert!(matches!(ended, Ended::Silent(why) if why.contains("script is over")));
}

#[test]
fn a_driver_that_only_fails_is_closed() {
    let mut fake = Fake::new(vec![Act::Fail; 1000], false);
    let (ended, counts, _) = capture(&mut fake, &parked(), 100);
    assert!(matches!(ended, Ended::Silent(why) if why.contains("it failed")));
    assert_eq!(counts.failures, u64::from(FAILURES));
}
