//! Pictures of what was just heard, made from the history of raw samples while the looking thread goes on.
//!
//! The looking thread lends blocks, a part at a time: at most what the ring has to lend, so that capture never lacks
//! blocks however slow the picture is. What the history loses meanwhile is a gap in the picture. A thread of lowest
//! priority draws, encodes, and hands the answer to the writing thread. One picture at a time; few asks wait, further
//! ones are refused. Samples stay here.

use super::shared::Shared;
use super::write::Aside;
use crate::ring::{Block, History};
use crate::spectrum::{Extent, Stretch, TileMaker};
use crate::wire::{Denial, EvidenceAsk, FromSensor, frame};
use crossbeam_channel::{Receiver, Sender, bounded};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// Asks that wait: a meeting that begins among several devices raises as many alerts at once.
pub const ASKS: usize = 8;

/// Time before the box that the picture shows, and longest of the box itself, seconds: the history holds three.
const BEFORE_S: f64 = 2.0;
const BOX_MAX_S: f64 = 1.0;

/// A receiver that sweeps listens elsewhere for most of the time before: with less than this share of it heard, the picture
/// shows the look that heard the box alone, where it is more than a line.
const HEARD_SHARE: f64 = 0.2;
/// Least that a picture shows, seconds.
const SHORTEST_S: f64 = 1e-3;
/// Looks at the same frequencies are apart by more than this, seconds: a retune takes longer, a lost transfer does not.
const APART_S: f64 = 0.01;

/// The picture is this often as wide as the box, and at least that wide, hertz, as far as one tuning reaches.
const WIDER: f64 = 3.0;
const WIDTH_MIN_HZ: f64 = 80e3;

/// Longest sleep of a thread that nobody wakes.
const NAP: Duration = Duration::from_millis(100);

/// Blocks on loan.
struct Part {
    ask: EvidenceAsk,
    blocks: Vec<Arc<Block>>,
    first: bool,
    last: bool,
    /// Whether the history goes back to the box, whatever was listened to.
    recent: bool,
    /// Begin of the picture.
    from_s: f64,
}

/// What lends: the looking thread's end.
pub struct Lender {
    asks: Receiver<EvidenceAsk>,
    parts: Sender<Part>,
    /// The vector that blocks are lent in comes back here, empty.
    back: Receiver<Vec<Arc<Block>>>,
    rate_hz: f64,
    serving: Option<Serving>,
    maker: thread::Thread,
}

/// What is being served.
#[derive(Clone, Copy)]
struct Serving {
    ask: EvidenceAsk,
    /// Number of the block to go on from.
    next: u64,
    /// Begin of the picture.
    from_s: f64,
}

/// Starts the thread that draws, and gives the end that lends `most` blocks at a time.
pub fn start(
    asks: Receiver<EvidenceAsk>,
    aside: Aside,
    most: usize,
    rate_hz: f64,
    drops_db: Vec<f32>,
    shared: Arc<Shared>,
) -> Lender {
    let (parts, taken) = bounded(1);
    let (give, back) = bounded(1);
    // There is room for the one that there is.
    let _ = give.try_send(Vec::with_capacity(most.max(1)));
    let drawer =
        Drawer { maker: TileMaker::default(), rate_hz, drops_db, aside, give, end: None, recent: false };
    let handle = thread::spawn(move || draw(drawer, &taken, &shared));
    Lender { asks, parts, back, rate_hz, serving: None, maker: handle.thread().clone() }
}

impl Lender {
    /// Lends what is due of `history`, if anything is. Allocates nothing and never waits.
    pub fn turn(&mut self, history: &History) {
        if self.serving.is_none() && self.asks.is_empty() {
            return;
        }
        let Ok(mut blocks) = self.back.try_recv() else { return };
        let first = self.serving.is_none();
        let rate_hz = self.rate_hz;
        let begin = |ask: EvidenceAsk| Serving { ask, next: 0, from_s: worth_from_s(&ask, history, rate_hz) };
        let serving = self.serving.or_else(|| self.asks.try_recv().ok().map(begin));
        let Some(Serving { ask, next: from, from_s }) = serving else { return };
        let wanted = picture(&ask, rate_hz).map(|picture| Extent { from_s, ..picture });
        let next = history.lend(from, &mut blocks, |block| {
            wanted.is_some_and(|wanted| extent_of(block, rate_hz).is_some_and(|held| held.meets(&wanted)))
        });
        let (last, time) = (next == history.end(), emission(&ask));
        let meets = |held: Extent| held.from_s <= time.until_s && time.from_s <= held.until_s;
        let recent = first && history.iter().any(|block| extent_of(block, rate_hz).is_some_and(meets));
        self.serving = (!last).then_some(Serving { ask, next, from_s });
        // There is room: the vector came back after the part before was taken.
        let _ = self.parts.try_send(Part { ask, blocks, first, last, recent, from_s });
        self.maker.unpark();
    }
}

/// What the picture of a box shows; `None` if that is no box.
fn picture(ask: &EvidenceAsk, rate_hz: f64) -> Option<Extent> {
    let asked = emission(ask);
    let (width_hz, middle_hz) = (asked.high_hz - asked.low_hz, (asked.high_hz + asked.low_hz) / 2.0);
    let wide_hz = width_hz.max((WIDER * width_hz).max(WIDTH_MIN_HZ).min(rate_hz));
    let picture = Extent {
        from_s: asked.from_s - BEFORE_S,
        until_s: asked.until_s,
        low_hz: middle_hz - wide_hz / 2.0,
        high_hz: middle_hz + wide_hz / 2.0,
    };
    (asked.low_hz <= asked.high_hz && picture.is_sound()).then_some(picture)
}

/// Since when a picture is worth its height.
fn worth_from_s(ask: &EvidenceAsk, history: &History, rate_hz: f64) -> f64 {
    let Some(wanted) = picture(ask, rate_hz) else { return ask.until_s };
    let emission = emission(ask);
    let (mut heard_s, mut run_from_s, mut run_until_s) = (0.0, f64::NAN, f64::NEG_INFINITY);
    let mut look_from_s = wanted.from_s;
    for held in history.iter().filter_map(|block| extent_of(block, rate_hz)) {
        if !held.meets(&wanted) {
            continue;
        }
        heard_s += held.until_s.min(wanted.until_s) - held.from_s.max(wanted.from_s);
        if held.from_s > run_until_s + APART_S {
            run_from_s = held.from_s;
        }
        run_until_s = held.until_s;
        if held.from_s <= emission.from_s && emission.from_s <= held.until_s {
            look_from_s = run_from_s.max(wanted.from_s);
        }
    }
    let is_swept = heard_s < HEARD_SHARE * (wanted.until_s - wanted.from_s);
    if is_swept { look_from_s.min(wanted.until_s - SHORTEST_S) } else { wanted.from_s }
}

/// The box as far as a picture shows it: its latest second.
fn emission(ask: &EvidenceAsk) -> Extent {
    Extent {
        from_s: ask.from_s.max(ask.until_s - BOX_MAX_S).min(ask.until_s),
        until_s: ask.until_s,
        low_hz: ask.low_hz,
        high_hz: ask.high_hz,
    }
}

/// What a block holds.
fn extent_of(block: &Block, rate_hz: f64) -> Option<Extent> {
    let center_hz = block.dwell?.center_hz;
    let from_s = block.segment_start_s + block.iq.first as f64 / rate_hz;
    let until_s = from_s + block.iq.samples.len() as f64 / rate_hz;
    (until_s > from_s).then_some(Extent {
        from_s,
        until_s,
        low_hz: center_hz - rate_hz / 2.0,
        high_hz: center_hz + rate_hz / 2.0,
    })
}

/// What draws: the thread's own.
struct Drawer {
    maker: TileMaker,
    rate_hz: f64,
    drops_db: Vec<f32>,
    aside: Aside,
    give: Sender<Vec<Arc<Block>>>,
    /// Segment of the block before, and the number of the sample after it.
    end: Option<(u32, u64)>,
    /// The history went back to the box.
    recent: bool,
}

fn draw(mut drawer: Drawer, parts: &Receiver<Part>, shared: &Shared) {
    // Capture and detection come first; where the priority cannot be had, the picture competes with them.
    let _ = thread_priority::set_current_thread_priority(thread_priority::ThreadPriority::Min);
    while !shared.stopped() {
        match parts.try_recv() {
            Ok(part) => drawer.take(part),
            Err(crossbeam_channel::TryRecvError::Empty) => thread::park_timeout(NAP),
            Err(crossbeam_channel::TryRecvError::Disconnected) => return,
        }
    }
}

impl Drawer {
    fn take(&mut self, part: Part) {
        let Part { ask, mut blocks, first, last, recent, from_s } = part;
        let picture = picture(&ask, self.rate_hz).map(|picture| Extent { from_s, ..picture });
        if first {
            (self.end, self.recent) = (None, recent);
            if let Some(picture) = picture {
                self.maker.begin(picture, self.rate_hz);
            }
        }
        for block in blocks.drain(..) {
            self.block(&block);
        }
        let _ = self.give.try_send(blocks);
        if last {
            let answer = picture.ok_or(Denial::NoBox).and_then(|_| {
                let tile = self.maker.finish().filter(|tile| tile.observed(&emission(&ask)));
                tile.ok_or(if self.recent { Denial::Elsewhere } else { Denial::TooOld })
            });
            let mut bytes = Vec::new();
            frame(&FromSensor::Evidence(ask.number, answer), &mut bytes);
            self.aside.send(bytes);
        }
    }

    fn block(&mut self, block: &Block) {
        let (Some(dwell), Some(held)) = (block.dwell, extent_of(block, self.rate_hz)) else { return };
        let follows = block.lost_before == 0 && self.end == Some((block.segment, block.iq.first));
        let louder_db = self.drops_db.get(usize::from(dwell.gain_step)).copied().unwrap_or(0.0);
        self.maker.push(&Stretch {
            samples: &block.iq.samples,
            from_s: held.from_s,
            center_hz: dwell.center_hz,
            louder_db,
            follows,
        });
        self.end = Some((block.segment, block.iq.first + block.iq.samples.len() as u64));
    }
}

#[cfg(test)]
mod tests;
