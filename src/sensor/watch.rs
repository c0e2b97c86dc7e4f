//! Whether a sensor can be trusted, judged by what it sends and when: pure, fed with messages and the time.
//!
//! No driver's word is taken for it. Samples that are counted against the clock, blocks that repeat, rails that do
//! not move and messages that stop are what a blind receiver looks like from outside.

use super::floors::{FloorVerdict, Floors};
use crate::pipeline::HealthState;
use crate::sweep::Look;
use crate::wire::{Counts, Hello};
use std::collections::VecDeque;

/// Time without samples after which the room is blind, seconds: rtl_433's figure for a stalled receiver (its pull
/// request 2411), of which a frame is expected every 250 ms.
pub const STALLED_S: f64 = 1.5;

/// Time without samples, or without a word, after which a sensor is killed, seconds.
pub const KILL_S: f64 = 3.0;

/// Time that opening may take before the sensor is killed, seconds: some drivers need half a minute at boot.
pub const OPENING_S: f64 = 60.0;

/// Time over which losses are taken, seconds, and the shares from which they matter.
const LOSS_S: f64 = 10.0;
const LOSS_DEGRADED: f64 = 0.01;
const LOSS_BLIND: f64 = 0.1;

/// Time that a fault of the content is held after it was last seen, seconds: the whole of a sweep's retune and look
/// many times over.
const HELD_S: f64 = 2.0;

/// Dwells in a row that sound like the one before from which it is not chance.
const ALIKE: u64 = 2;

/// Share of blocks with a dead rail from which it is not chance.
const RAIL_SHARE: f64 = 0.5;

/// Times in a row that a receiver is opened and gives nothing, after which opening it again is no cure.
const IN_VAIN: u32 = 2;

/// What is wrong with a sensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// It is not running.
    Down,
    /// Its receiver is not open.
    Opening,
    /// No samples come.
    NoSamples,
    /// It says nothing at all.
    NotAnswering,
    /// Another receiver than the one that was accepted.
    OtherReceiver,
    /// The gain is not what was set.
    GainMoved,
    /// Blocks repeat.
    Repeated,
    /// Every sample is the same.
    Constant,
    /// One rail is dead.
    DeadRail,
    /// Samples are lost: more than a hundredth.
    Lossy,
    /// More than a tenth.
    VeryLossy,
    /// The driver's time went back.
    TimeWentBack,
    /// Every tuning sounds like the one before.
    RetuneIgnored,
    /// The noise floor is far higher than it was, everywhere.
    Jammed,
    /// It is lower than it was, everywhere.
    FloorFell,
    /// It is higher than it was, everywhere.
    FloorRose,
}

impl Fault {
    /// How far the sensor can be trusted with it.
    pub fn state(self) -> HealthState {
        match self {
            Self::Down
            | Self::Opening
            | Self::NoSamples
            | Self::NotAnswering
            | Self::OtherReceiver
            | Self::Repeated
            | Self::Constant
            | Self::VeryLossy
            | Self::RetuneIgnored
            | Self::Jammed
            | Self::FloorFell => HealthState::Blind,
            Self::GainMoved | Self::DeadRail | Self::Lossy | Self::TimeWentBack | Self::FloorRose => {
                HealthState::Degraded
            }
        }
    }

    /// Whether somebody may have had a hand in it.
    pub fn is_tamper(self) -> bool {
        matches!(self, Self::OtherReceiver | Self::GainMoved | Self::Jammed)
    }

    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Down => "the sensor is not running",
            Self::Opening => "the receiver is being opened",
            Self::NoSamples => "no samples come from the receiver",
            Self::NotAnswering => "the sensor does not answer",
            Self::OtherReceiver => "another receiver than the accepted one is attached",
            Self::GainMoved => "the gain is not what was set",
            Self::Repeated => "the receiver repeats old samples",
            Self::Constant => "stuck samples",
            Self::DeadRail => "one rail of the converter is dead",
            Self::Lossy => "more than 1 % of the samples are lost",
            Self::VeryLossy => "more than 10 % of the samples are lost",
            Self::TimeWentBack => "the receiver's time went back",
            Self::RetuneIgnored => "the receiver stays where it was when it is tuned elsewhere",
            Self::Jammed => "the noise floor rose by 10 dB and more everywhere: something jams the receiver",
            Self::FloorFell => "the noise floor fell everywhere: antenna, cable or receiver",
            Self::FloorRose => "the noise floor is 6 dB higher than at the start, everywhere",
        }
    }
}

/// What the sensor is doing, as far as it said.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Phase {
    Down,
    Opening {
        since_s: f64,
    },
    /// Open, and no sample has come yet.
    Open,
    Streaming,
}

/// Judges one sensor.
#[derive(Debug, Clone)]
pub struct Watch {
    phase: Phase,
    /// When it last said anything, when samples last came, when its process began.
    heard_s: f64,
    samples_s: f64,
    counts: Counts,
    /// Samples received and lost, by time.
    window: VecDeque<(f64, u64, u64)>,
    /// Until when a fault of the content is held, by fault.
    held: Vec<(Fault, f64)>,
    /// Serial of the receiver that was accepted first.
    accepted: Option<(String, Option<String>)>,
    other: bool,
    /// Times that the receiver was opened since samples last came.
    opened: u32,
    floors: Floors,
}

impl Default for Watch {
    fn default() -> Self {
        Self {
            phase: Phase::Down,
            heard_s: 0.0,
            samples_s: 0.0,
            counts: Counts::default(),
            window: VecDeque::new(),
            held: Vec::new(),
            accepted: None,
            other: false,
            opened: 0,
            floors: Floors::default(),
        }
    }
}

impl Watch {
    /// A process was started.
    pub fn started(&mut self, now_s: f64) {
        self.phase = Phase::Opening { since_s: now_s };
        (self.heard_s, self.samples_s) = (now_s, now_s);
        (self.counts, self.opened) = (Counts::default(), 0);
        self.window.clear();
    }

    /// It ended.
    pub fn ended(&mut self) {
        // That another receiver answered stays true until the accepted one does.
        self.phase = Phase::Down;
    }

    /// A receiver is being opened.
    pub fn opening(&mut self, now_s: f64) {
        self.heard_s = now_s;
        if !matches!(self.phase, Phase::Opening { .. }) {
            self.phase = Phase::Opening { since_s: now_s };
        }
    }

    /// A receiver was opened. The first one is accepted, every other must be the same.
    pub fn hello(&mut self, hello: &Hello, now_s: f64) {
        let who = (hello.hardware.clone(), hello.serial.clone());
        self.other = *self.accepted.get_or_insert_with(|| who.clone()) != who;
        self.phase = Phase::Open;
        self.opened += 1;
        (self.heard_s, self.samples_s) = (now_s, now_s);
    }

    /// A dwell is over; the floor in it was `floor_dbfs_per_hz`.
    pub fn looked(&mut self, look: &Look, floor_dbfs_per_hz: f32, now_s: f64) {
        self.heard_s = now_s;
        self.floors.looked(look.dwell.tuning, look.dwell.gain_step, floor_dbfs_per_hz, now_s);
        match self.floors.verdict() {
            FloorVerdict::AsEver => {}
            FloorVerdict::Jammed => self.hold(Fault::Jammed, now_s),
            FloorVerdict::Fell => self.hold(Fault::FloorFell, now_s),
            FloorVerdict::Drifted => self.hold(Fault::FloorRose, now_s),
        }
    }

    /// Any message that says nothing of the receiver came.
    pub fn heard(&mut self, now_s: f64) {
        self.heard_s = now_s;
    }

    /// Counts came.
    pub fn status(&mut self, counts: &Counts, now_s: f64) {
        self.heard_s = now_s;
        if counts.received > self.counts.received {
            (self.samples_s, self.opened) = (now_s, 0);
            self.phase = Phase::Streaming;
        }
        let more = |now: u64, before: u64| now.saturating_sub(before);
        let blocks = more(counts.blocks, self.counts.blocks);
        if more(counts.repeated, self.counts.repeated) > 0 {
            self.hold(Fault::Repeated, now_s);
        }
        // Between two bursts of a squelched stream? A receiver has no squelch.
        if more(counts.constant, self.counts.constant) > 0 {
            self.hold(Fault::Constant, now_s);
        }
        if blocks > 0 && more(counts.dead_rail, self.counts.dead_rail) as f64 >= RAIL_SHARE * blocks as f64 {
            self.hold(Fault::DeadRail, now_s);
        }
        if more(counts.time_backs, self.counts.time_backs) > 0 {
            self.hold(Fault::TimeWentBack, now_s);
        }
        if counts.alike >= ALIKE {
            self.hold(Fault::RetuneIgnored, now_s);
        }
        if counts.gain_moved {
            self.hold(Fault::GainMoved, now_s);
        }
        self.counts = *counts;
        self.window.push_back((now_s, counts.received, counts.lost + counts.dropped));
        while self.window.len() > 2 && self.window.get(1).is_some_and(|second| now_s - second.0 >= LOSS_S) {
            self.window.pop_front();
        }
    }

    fn hold(&mut self, fault: Fault, now_s: f64) {
        let until_s = now_s + HELD_S;
        match self.held.iter_mut().find(|(held, _)| *held == fault) {
            Some((_, until)) => *until = until_s,
            None => self.held.push((fault, until_s)),
        }
    }

    /// All that is wrong at `now_s`, worst first.
    pub fn faults(&self, now_s: f64) -> Vec<Fault> {
        let mut faults: Vec<Fault> =
            self.held.iter().filter(|(_, until_s)| now_s < *until_s).map(|(fault, _)| *fault).collect();
        match self.phase {
            Phase::Down => faults.push(Fault::Down),
            Phase::Opening { .. } => faults.push(Fault::Opening),
            Phase::Open | Phase::Streaming => {}
        }
        let stalled = self.phase == Phase::Streaming && now_s - self.samples_s >= STALLED_S;
        if stalled || self.phase == Phase::Open {
            faults.push(Fault::NoSamples);
        }
        if self.phase != Phase::Down && now_s - self.heard_s >= STALLED_S {
            let opening = matches!(self.phase, Phase::Opening { .. });
            // A driver that opens slowly lets its process say nothing.
            if !opening {
                faults.push(Fault::NotAnswering);
            }
        }
        if self.other {
            faults.push(Fault::OtherReceiver);
        }
        let share = self.loss_share();
        if share > LOSS_BLIND {
            faults.push(Fault::VeryLossy);
        } else if share > LOSS_DEGRADED {
            faults.push(Fault::Lossy);
        }
        faults.sort_by_key(|fault| (std::cmp::Reverse(fault.state()), *fault));
        faults
    }

    /// Share of samples lost lately.
    pub fn loss_share(&self) -> f64 {
        let (Some(first), Some(last)) = (self.window.front(), self.window.back()) else { return 0.0 };
        let (received, lost) = (last.1.saturating_sub(first.1), last.2.saturating_sub(first.2));
        if received + lost == 0 { 0.0 } else { lost as f64 / (received + lost) as f64 }
    }

    /// Whether the process must be killed, and why.
    pub fn hopeless(&self, now_s: f64) -> Option<&'static str> {
        match self.phase {
            Phase::Down => None,
            Phase::Opening { since_s } if now_s - since_s >= OPENING_S => Some("opening takes for ever"),
            Phase::Opening { .. } => None,
            _ if self.other => Some("another receiver answers"),
            _ if self.opened > IN_VAIN => Some("no samples come, though it was opened anew"),
            _ if now_s - self.heard_s >= KILL_S => Some("it does not answer"),
            _ if now_s - self.samples_s >= KILL_S => Some("no samples come"),
            _ => None,
        }
    }

    /// The latest counts.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iq::SampleFormat;
    use crate::plan::ReceiverPlan;

    fn hello(serial: &str) -> Hello {
        let plan = ReceiverPlan {
            receiver: "hackrf".into(),
            rate_hz: 20e6,
            usable_hz: 16e6,
            offset_hz: 2e5,
            settle_s: 0.01,
            gain_steps: 1,
            superframe_s: 1.0,
            tunings: Vec::new(),
            bands: Vec::new(),
        };
        Hello {
            driver: "hackrf".into(),
            hardware: "HackRF One".into(),
            serial: Some(serial.into()),
            rate_hz: 20e6,
            format: SampleFormat::Ci8,
            settle_samples: 262_144,
            settle_measured: true,
            real_time: false,
            plan,
        }
    }

    /// A sensor that has streamed for `seconds`, losing `lost` of 1000 samples.
    fn streaming(seconds: f64, lost: u64) -> (Watch, f64) {
        let mut watch = Watch::default();
        watch.started(0.0);
        watch.hello(&hello("1"), 0.1);
        let (mut now_s, mut counts) = (0.1, Counts::default());
        while now_s < seconds {
            now_s += 0.25;
            counts.received += 1000 - lost;
            counts.lost += lost;
            counts.blocks += 10;
            watch.status(&counts, now_s);
        }
        (watch, now_s)
    }

    #[test]
    fn a_working_sensor_has_no_fault() {
        let (watch, now_s) = streaming(20.0, 0);
        assert_eq!(watch.faults(now_s), []);
        assert_eq!(watch.hopeless(now_s), None);
    }

    #[test]
    fn before_the_first_samples_it_is_blind_and_not_killed() {
        let mut watch = Watch::default();
        assert_eq!(watch.faults(0.0), [Fault::Down]);
        watch.started(0.0);
        assert_eq!(watch.faults(30.0), [Fault::Opening]);
        assert_eq!(watch.hopeless(30.0), None);
        assert!(watch.hopeless(61.0).is_some());
    }

    #[test]
    fn silence_is_told_after_one_and_a_half_seconds_and_ends_after_three() {
        let (watch, now_s) = streaming(5.0, 0);
        assert_eq!(watch.faults(now_s + 1.4), []);
        assert_eq!(watch.faults(now_s + 1.6), [Fault::NoSamples, Fault::NotAnswering]);
        assert_eq!(watch.hopeless(now_s + 2.9), None);
        assert!(watch.hopeless(now_s + 3.1).is_some());
    }

    #[test]
    fn words_without_samples_are_no_sign_of_life() {
        let (mut watch, now_s) = streaming(5.0, 0);
        let counts = *watch.counts();
        for step in 1..16 {
            watch.status(&counts, now_s + 0.25 * f64::from(step));
        }
        assert_eq!(watch.faults(now_s + 3.75), [Fault::NoSamples]);
        assert!(watch.hopeless(now_s + 3.75).is_some());
    }

    #[test]
    fn losses_count_by_their_share_of_ten_seconds() {
        for (lost, fault) in [(5, None), (20, Some(Fault::Lossy)), (200, Some(Fault::VeryLossy))] {
            let (watch, now_s) = streaming(20.0, lost);
            assert_eq!(watch.faults(now_s), fault.into_iter().collect::<Vec<_>>(), "{lost} of 1000");
        }
    }

    #[test]
    fn another_receiver_is_not_adopted() {
        let (mut watch, now_s) = streaming(5.0, 0);
        watch.ended();
        watch.started(now_s);
        watch.hello(&hello("2"), now_s);
        assert_eq!(watch.faults(now_s), [Fault::NoSamples, Fault::OtherReceiver]);
        assert!(watch.hopeless(now_s).is_some());
        watch.ended();
        assert_eq!(
            watch.faults(now_s),
            [Fault::Down, Fault::OtherReceiver],
            "it is told, though it was killed"
        );
        watch.started(now_s);
        assert_eq!(watch.hopeless(now_s), None, "the accepted one may be back");
        watch.hello(&hello("1"), now_s);
        assert_eq!(watch.faults(now_s), [Fault::NoSamples], "open is not seeing");
        watch.status(&Counts { received: 1, ..Counts::default() }, now_s);
        assert_eq!(watch.faults(now_s), []);
    }

    #[test]
    fn repeated_blocks_blind_at_once() {
        let (mut watch, now_s) = streaming(5.0, 0);
        let mut counts = *watch.counts();
        (counts.received, counts.repeated) = (counts.received + 10, counts.repeated + 1);
        watch.status(&counts, now_s);
        assert_eq!(watch.faults(now_s), [Fault::Repeated]);
        assert_eq!(watch.faults(now_s + 2.5).first(), Some(&Fault::NoSamples));
    }
}
