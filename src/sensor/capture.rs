//! The capturing loop: tunes, discards what is stale, fills blocks and hands them on.
//!
//! It waits for the receiver and for nobody else. Blocks exist from the start; where none is idle or the queue is
//! full, samples are read all the same, dropped and counted, and the next block says how many are missing. A lost
//! sample advances the stream's axis as a received one does: exactly where the driver tells the time, else as far
//! as the clock shows ([`super::pace`]).
//!
//! When no samples come: read again; after [`RESTART_S`] stop the stream and start it; after [`REOPEN_S`] give up,
//! and whoever runs the loop opens the receiver anew. If even that hangs, the process is killed from outside.

use super::pace::{Backlog, Pace, had_to_wait};
use super::shared::{Shared, add};
use crate::clock::Monotonic;
use crate::iq::Samples;
use crate::ring::{Block, Filler};
use crate::sdr::{Read, Receiver, ReceiverError};
use crate::spectrum::kernels;
use crate::sweep::{Dwell, Look, Scheduler, Suspicion};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::Thread;
use std::time::Duration;

/// Longest wait of a read. rtl_433 expects samples every 250 ms of a working receiver; two reads fit.
const READ: Duration = Duration::from_millis(100);

/// Shortest time that a read in vain may take.
const SHORTEST: Duration = Duration::from_millis(10);

/// Time without samples after which the stream is stopped and started, seconds.
pub const RESTART_S: f64 = 0.75;

/// Time without samples after which the receiver is opened anew, seconds.
pub const REOPEN_S: f64 = 1.5;

/// Deviation of the driver's time that is its rounding, samples.
const ROUNDING: f64 = 0.75;

/// A driver's time that is later than this is a fault of its clock, not a loss, seconds.
const MOST_LOST_S: f64 = 60.0;

/// Failures in a row that end the loop: a driver that only fails is closed.
const FAILURES: u32 = 50;

/// Why the loop ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Ended {
    /// It was told to.
    Stopped,
    /// No samples come, or only failures do: open the receiver anew.
    Silent(String),
    /// The receiver refused a setting.
    Refused(ReceiverError),
}

/// What is tuned to now.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Segment {
    number: u32,
    /// Position of its first sample on the stream's axis.
    start: u64,
    center_hz: f64,
    gain_step: u8,
}

/// How the loop is set up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CaptureParams {
    /// Samples of a block.
    pub block: usize,
    /// Samples to discard after a change of tuning.
    pub settle: u64,
    /// Whether to wait for who looks instead of dropping: for a source that is no radio.
    pub patient: bool,
}

/// What outlives a receiver that is opened anew.
pub struct Axis {
    /// Which tuning next.
    pub scheduler: Scheduler,
    /// Blocks on their way.
    pub filler: Filler,
    /// Suspicions from the room.
    pub suspicions: crossbeam_channel::Receiver<Suspicion>,
    /// Samples that the radio made.
    stream: u64,
    segments: u32,
    /// Number of the latest dwell that was booked.
    booked: u64,
    /// When the radio made the first of them.
    origin: Option<Monotonic>,
}

impl Axis {
    /// The beginning of a stream.
    pub fn new(
        scheduler: Scheduler,
        filler: Filler,
        suspicions: crossbeam_channel::Receiver<Suspicion>,
    ) -> Self {
        Self { scheduler, filler, suspicions, stream: 0, segments: 0, booked: 0, origin: None }
    }

    /// The same after `stream` samples that were read before.
    pub fn after(mut self, stream: u64) -> Self {
        self.stream = stream;
        self
    }
}

/// The loop.
pub struct Capture<'a> {
    receiver: &'a mut dyn Receiver,
    axis: &'a mut Axis,
    shared: &'a Shared,
    looker: Thread,
    params: CaptureParams,
    rate_hz: f64,
    pace: Pace,
    backlog: Backlog,
    /// The driver's time at stream position 0, nanoseconds.
    origin_ns: Option<f64>,
    segment: Segment,
    dwell: Dwell,
    /// Position of the dwell's first sample.
    from: u64,
    block: Option<Arc<Block>>,
    scratch: Samples,
    /// Samples missing before the next block, within the segment.
    missing: u64,
    /// Within the dwell: samples lost, samples at the rails, samples in all.
    lost: u64,
    clipped: u64,
    counted: u64,
    quiet_since: Option<Monotonic>,
    restarted: bool,
    failures: u32,
    failure: String,
}

impl<'a> Capture<'a> {
    /// A loop over `receiver` that goes on at `axis`.
    pub fn new(
        receiver: &'a mut dyn Receiver,
        axis: &'a mut Axis,
        shared: &'a Shared,
        looker: Thread,
        params: CaptureParams,
    ) -> Self {
        let facts = receiver.facts();
        let (rate_hz, transfer, format) = (facts.rate_hz, facts.transfer, facts.format);
        // The radio went on while nobody listened.
        let origin = *axis.origin.get_or_insert_with(Monotonic::now);
        let since = (origin.elapsed().as_secs_f64() * rate_hz) as u64;
        if axis.stream > 0 && since > axis.stream {
            add(&shared.unheard, since - axis.stream);
            axis.stream = since;
        }
        let dwell = axis.scheduler.next(axis.stream as f64 / rate_hz);
        Self {
            receiver,
            shared,
            looker,
            params,
            rate_hz,
            pace: Pace::new(rate_hz, transfer),
            backlog: Backlog::new(rate_hz, transfer),
            origin_ns: None,
            segment: Segment { number: 0, start: 0, center_hz: f64::NAN, gain_step: 0 },
            dwell,
            from: 0,
            block: None,
            scratch: Samples::with_capacity(format, params.block),
            missing: 0,
            lost: 0,
            clipped: 0,
            counted: 0,
            quiet_since: None,
            restarted: false,
            failures: 0,
            failure: String::new(),
            axis,
        }
    }

    /// Captures until something ends it.
    pub fn run(&mut self) -> Ended {
        loop {
            if let Err(ended) = self.tune().and_then(|()| self.dwell()) {
                return ended;
            }
        }
    }

    /// Tunes to the dwell, and discards until the samples are its own.
    fn tune(&mut self) -> Result<(), Ended> {
        let Dwell { center_hz, gain_step, .. } = self.dwell;
        if self.segment.center_hz == center_hz && self.segment.gain_step == gain_step {
            return Ok(());
        }
        if self.segment.gain_step != gain_step {
            self.receiver.set_gain_step(usize::from(gain_step)).map_err(Ended::Refused)?;
        }
        if self.segment.center_hz != center_hz {
            self.receiver.tune(center_hz).map_err(Ended::Refused)?;
        }
        self.shared.gain_moved.store(self.receiver.gain_holds() == Some(false), Ordering::Relaxed);
        // What the driver still holds is stale as well. Counted is what comes: what turns out to be lost meanwhile may
        // have been lost before.
        let held = self.backlog.produced(Monotonic::now(), self.axis.stream) - self.axis.stream;
        let mut left = held + self.params.settle;
        let block = self.params.block as u64;
        // Blocks lie on one grid, so that a driver that repeats its buffers repeats blocks.
        while left > 0 || !self.axis.stream.is_multiple_of(block) {
            let to_grid = block - self.axis.stream % block;
            self.scratch.clear();
            let count = self.read(to_grid as usize, true)?;
            left = left.saturating_sub(count as u64);
            add(&self.shared.settled, count as u64);
        }
        self.axis.segments = self.axis.segments.wrapping_add(1);
        self.segment = Segment { number: self.axis.segments, start: self.axis.stream, center_hz, gain_step };
        self.missing = 0;
        Ok(())
    }

    /// Fills blocks until the dwell is over, and asks for the next.
    fn dwell(&mut self) -> Result<(), Ended> {
        (self.from, self.lost, self.clipped, self.counted) = (self.axis.stream, 0, 0, 0);
        let block = self.params.block as u64;
        // Whole transfers: what a transfer still holds when the receiver is tuned elsewhere is stale.
        let transfer = self.receiver.facts().transfer as u64;
        let grid = if transfer > block && transfer.is_multiple_of(block) { transfer } else { block };
        let wanted = self.axis.stream as f64 + self.dwell.look_s * self.rate_hz;
        let end = ((wanted / grid as f64).round() as u64 * grid).max(self.axis.stream + block);
        while self.axis.stream < end {
            self.fill()?;
        }
        self.end_dwell();
        Ok(())
    }

    /// Reads until the block that is being filled is full.
    fn fill(&mut self) -> Result<(), Ended> {
        let block = self.params.block as u64;
        let until = (self.axis.stream / block + 1) * block;
        while self.axis.stream < until {
            self.hold();
            let most = (until - self.axis.stream) as usize;
            if self.block.is_none() {
                self.scratch.clear();
            }
            self.read(most, false)?;
        }
        self.hand_on(None, false);
        Ok(())
    }

    /// Takes an idle block where there is one and none is held.
    fn hold(&mut self) {
        while self.block.is_none() {
            self.block = self.axis.filler.take();
            if self.block.is_none() {
                if self.params.patient && !self.shared.stopped() {
                    self.wait_for_looker();
                    continue;
                }
                return;
            }
            if let Some(block) = self.block.as_mut().and_then(Arc::get_mut) {
                block.clear();
                block.iq.first = self.axis.stream - self.segment.start;
                block.segment = self.segment.number;
                block.segment_start_s = self.segment.start as f64 / self.rate_hz;
                block.dwell = Some(self.dwell);
            }
        }
    }

    /// Reads at most `most` samples, stale ones into the scratch; counts all, and what is missing before them.
    fn read(&mut self, most: usize, stale: bool) -> Result<usize, Ended> {
        add(&self.shared.turns, 1);
        if self.shared.stopped() {
            return Err(Ended::Stopped);
        }
        // Of a patient source what is suspected waits for the end of a dwell, so that runs repeat.
        if !self.params.patient {
            self.suspect();
        }
        let before = Monotonic::now();
        let into = match self.block.as_mut().and_then(Arc::get_mut) {
            Some(block) if !stale => &mut block.iq.samples,
            _ => &mut self.scratch,
        };
        match self.receiver.read(into, most, READ) {
            Read::Samples(count) => {
                let now = Monotonic::now();
                // A source that is no radio may be slow without losing anything.
                let took_s = now.seconds_since(before);
                let waited = !self.params.patient && had_to_wait(took_s, count, self.rate_hz);
                if waited {
                    self.backlog.waited(now, self.axis.stream);
                }
                self.arrived(count, waited, now, stale);
                Ok(count)
            }
            Read::Nothing => {
                add(&self.shared.timeouts, 1);
                self.quiet(before, None)
            }
            Read::Overflow => {
                add(&self.shared.overflows, 1);
                Ok(0)
            }
            Read::Failed(why) => {
                add(&self.shared.failures, 1);
                self.quiet(before, Some(why))
            }
        }
    }

    /// `count` samples have just been appended.
    fn arrived(&mut self, count: usize, waited: bool, now: Monotonic, stale: bool) {
        (self.quiet_since, self.restarted, self.failures) = (None, false, 0);
        let lost = self.lost_before();
        if lost > 0 {
            self.note_loss(lost, count, stale);
        }
        self.axis.stream += count as u64;
        if !stale {
            self.counted += count as u64;
            self.clipped += self.rails(count);
            self.stamp(now);
        }
        // The clock also sees what a driver lost that tells the time of what it kept.
        if waited {
            let at_s = now.seconds_since(self.shared.began);
            if let Some(more) = self.pace.waited(at_s, self.axis.stream) {
                self.note_loss(more, 0, stale);
                self.backlog.lost(more);
                self.origin_ns = None;
            }
        }
        add(&self.shared.received, count as u64);
        self.shared.stream.store(self.axis.stream, Ordering::Relaxed);
    }

    /// Samples missing before the ones just read, by the driver's time.
    fn lost_before(&mut self) -> u64 {
        let Some(told_ns) = self.receiver.time_ns() else {
            self.origin_ns = None;
            return 0;
        };
        let expected_ns = self.axis.stream as f64 * 1e9 / self.rate_hz;
        let origin_ns = *self.origin_ns.get_or_insert(told_ns as f64 - expected_ns);
        let off = (told_ns as f64 - origin_ns - expected_ns) * self.rate_hz / 1e9;
        if off < -ROUNDING || off > MOST_LOST_S * self.rate_hz {
            add(&self.shared.time_backs, 1);
            self.origin_ns = Some(told_ns as f64 - expected_ns);
            return 0;
        }
        if off > ROUNDING { off.round() as u64 } else { 0 }
    }

    /// `lost` samples are missing before the latest `count`.
    fn note_loss(&mut self, lost: u64, count: usize, stale: bool) {
        add(&self.shared.lost, lost);
        if stale {
            self.axis.stream += lost;
            return;
        }
        self.skip(lost, count);
    }

    /// `lost` samples of the dwell are missing before the latest `count`.
    fn skip(&mut self, lost: u64, count: usize) {
        self.lost += lost;
        self.split(count);
        self.axis.stream += lost;
        self.missing += lost;
        if let Some(block) = self.block.as_mut().and_then(Arc::get_mut) {
            block.lost_before = self.missing;
            block.iq.first += lost;
            self.missing = 0;
        }
    }

    /// Hands on what the block held before the latest `count` samples, which move to the next.
    fn split(&mut self, count: usize) {
        let Some(old) = self.block.take() else { return };
        if old.iq.samples.len() == count {
            self.block = Some(old);
            return;
        }
        // `hold` dates the block by the stream's position, which is still that of the first of them.
        let patient = std::mem::replace(&mut self.params.patient, false);
        self.hold();
        self.params.patient = patient;
        let mut old = old;
        if let Some(inner) = Arc::get_mut(&mut old) {
            if let Some(new) = self.block.as_mut().and_then(Arc::get_mut) {
                new.iq.samples.append_tail(&inner.iq.samples, count);
            } else {
                self.missing += count as u64;
                add(&self.shared.dropped, count as u64);
            }
            inner.iq.samples.drop_tail(count);
        }
        let new = self.block.replace(old);
        self.hand_on(None, false);
        self.block = new;
    }

    /// Samples at the rails among the latest `count`.
    fn rails(&self, count: usize) -> u64 {
        let samples = self.block.as_ref().map_or(&self.scratch, |block| &block.iq.samples);
        let from = samples.len().saturating_sub(count);
        match samples {
            Samples::Cu8(s) => kernels::rails_cu8(&s[from..]),
            Samples::Ci8(s) => kernels::rails_ci8(&s[from..]),
            Samples::Ci16(s) => kernels::rails_ci16(&s[from..]),
            Samples::Cf32(s) => kernels::rails_cf32(&s[from..]),
        }
    }

    fn stamp(&mut self, now: Monotonic) {
        let received_ns = now.since(self.shared.began).as_nanos() as u64;
        if let Some(block) = self.block.as_mut().and_then(Arc::get_mut) {
            block.received_ns = received_ns;
        }
    }

    /// Hands the block on, if it holds anything or there is something to say.
    fn hand_on(&mut self, finished: Option<Look>, ends_segment: bool) {
        let Some(mut block) = self.block.take() else {
            let missed = self.scratch.len() as u64;
            self.scratch.clear();
            self.missing += missed;
            self.lost += missed;
            add(&self.shared.dropped, missed);
            return;
        };
        let mut held = 0;
        if let Some(inner) = Arc::get_mut(&mut block) {
            held = inner.iq.samples.len() as u64;
            if inner.lost_before == 0 {
                inner.lost_before = std::mem::take(&mut self.missing);
            }
            (inner.finished, inner.ends_segment) = (finished, ends_segment);
        }
        if held == 0 && finished.is_none() {
            return self.axis.filler.put_back(block);
        }
        let lost_before = block.lost_before;
        while self.params.patient && self.axis.filler.is_full() && !self.shared.stopped() {
            self.wait_for_looker();
        }
        if self.axis.filler.hand_on(block) {
            self.looker.unpark();
        } else {
            self.missing += lost_before + held;
            self.lost += held;
            add(&self.shared.dropped, held);
        }
    }

    /// A source that can be kept waiting is: until what was heard in the dwell before the one that is over was judged.
    /// The room is then as late as with a radio, and always by as much: the same scene and seed give the same run.
    fn wait_for_room(&mut self) {
        if !self.params.patient {
            return;
        }
        // One that a fault cut short is not booked, and nobody judges it.
        while self.shared.judged.load(Ordering::Acquire) < self.axis.booked && !self.shared.stopped() {
            add(&self.shared.turns, 1);
            self.wait_for_looker();
        }
        self.suspect();
    }

    /// Takes what the room suspects.
    fn suspect(&mut self) {
        while let Ok(suspicion) = self.axis.suspicions.try_recv() {
            self.axis.scheduler.suspect(&suspicion);
        }
    }

    /// For a source that can be kept waiting.
    fn wait_for_looker(&self) {
        self.looker.unpark();
        std::thread::sleep(Duration::from_micros(100));
    }

    /// Books the dwell, and decides on the next.
    fn end_dwell(&mut self) {
        let clipped_share = self.clipped as f32 / self.counted.max(1) as f32;
        let look = Look {
            dwell: self.dwell,
            from_s: self.from as f64 / self.rate_hz,
            until_s: self.axis.stream as f64 / self.rate_hz,
            lost_samples: self.lost,
            clipped_share,
        };
        self.wait_for_room();
        self.axis.scheduler.looked(&look);
        let next = self.axis.scheduler.next(look.until_s);
        let stays = next.center_hz == self.segment.center_hz && next.gain_step == self.segment.gain_step;
        // An empty block carries the news.
        self.hold();
        self.stamp(Monotonic::now());
        self.hand_on(Some(look), !stays);
        self.axis.booked = look.dwell.number;
        self.dwell = next;
    }

    /// A read that began at `since` gave nothing.
    fn quiet(&mut self, since: Monotonic, failure: Option<String>) -> Result<usize, Ended> {
        let quiet_s = self.quiet_since.get_or_insert(since).elapsed().as_secs_f64();
        if let Some(why) = failure {
            self.failures += 1;
            self.failure = why;
        }
        // A driver that fails at once, or gives nothing at once, must not keep a core busy.
        std::thread::sleep(SHORTEST.saturating_sub(since.elapsed()));
        if quiet_s >= REOPEN_S || self.failures >= FAILURES {
            let why = if self.failures > 0 { self.failure.as_str() } else { "no samples come" };
            return Err(Ended::Silent(format!("{why} (for {quiet_s:.1} s)")));
        }
        if quiet_s >= RESTART_S && !self.restarted {
            self.restarted = true;
            add(&self.shared.restarts, 1);
            self.receiver.restart().map_err(Ended::Refused)?;
            self.origin_ns = None;
            self.pace.restart();
            let since_s = self.axis.origin.map_or(0.0, |origin| origin.elapsed().as_secs_f64());
            let stream = (since_s * self.rate_hz) as u64;
            let unheard = stream.saturating_sub(self.axis.stream);
            add(&self.shared.unheard, unheard);
            self.skip(unheard, 0);
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests;
