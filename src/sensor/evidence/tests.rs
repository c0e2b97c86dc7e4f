//! A ring, a lender and its thread, as in the sensor; the answers as they would be written.

use super::*;
use crate::iq::{SampleFormat, Samples};
use crate::ring::{Filler, Looker, ring};
use crate::sensor::write::{outbox, write};
use crate::sweep::{Dwell, Purpose};
use crate::wire::Frames;
use std::io::Write;
use std::sync::Mutex;

const RATE_HZ: f64 = 250e3;
const BLOCK: usize = 2500;
const CENTER_HZ: f64 = 446e6;

/// What was written, so far.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("nobody panicked").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

struct Bench {
    filler: Filler,
    looker: Looker,
    lender: Lender,
    ask: Sender<EvidenceAsk>,
    written: Written,
    shared: Arc<Shared>,
    first: u64,
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.shared.stop();
    }
}

impl Bench {
    /// 3 s of history, a tenth of it to lend.
    fn new() -> Self {
        let (filler, looker) = ring(4, 300, 30, || Block::with_capacity(SampleFormat::Cf32, BLOCK));
        let (mut outbox, inbox, aside) = outbox();
        let (shared, written) = (Arc::new(Shared::default()), Written::default());
        outbox.send(None);
        let (mut to, its) = (written.clone(), shared.clone());
        thread::spawn(move || {
            let _outbox = outbox;
            write(&inbox, &mut to, &its);
        });
        let (ask, asks) = bounded(ASKS);
        let lender = start(asks, aside, 30, RATE_HZ, vec![0.0], shared.clone());
        Self { filler, looker, lender, ask, written, shared, first: 0 }
    }

    /// A block heard at `center_hz`, with a tone at +20 kHz of `amplitude`.
    fn hear(&mut self, center_hz: f64, amplitude: f32) {
        let mut block = self.filler.take().expect("an idle block, whatever is on loan");
        let inner = Arc::get_mut(&mut block).expect("idle");
        inner.clear();
        let dwell =
            Dwell { number: 1, tuning: 0, center_hz, look_s: 0.1, gain_step: 0, purpose: Purpose::Sweep };
        (inner.iq.first, inner.dwell) = (self.first, Some(dwell));
        if let Samples::Cf32(samples) = &mut inner.iq.samples {
            samples.extend((0..BLOCK as u64).map(|n| {
                let at = (self.first + n) as f64;
                let phase = std::f64::consts::TAU * (20e3 * at / RATE_HZ).fract();
                // A receiver's noise, about: a hash of the sample's number.
                let noise = |salt: u64| {
                    let hash = (self.first + n + salt).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                    ((hash ^ (hash >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 40) as f32 / 1.7e7 - 0.5
                };
                let tone = [phase.cos() as f32, phase.sin() as f32].map(|x| amplitude * x);
                [tone[0] + 1e-3 * noise(0), tone[1] + 1e-3 * noise(1 << 40)]
            }));
        }
        self.first += BLOCK as u64;
        assert!(self.filler.hand_on(block));
        let block = self.looker.take().expect("handed on");
        self.looker.keep(block);
        self.lender.turn(self.looker.history());
    }

    fn answer(&mut self) -> Result<crate::spectrum::Tile, Denial> {
        for _ in 0..2000 {
            self.lender.turn(self.looker.history());
            let mut frames = Frames::default();
            frames.take(&self.written.0.lock().expect("nobody panicked"));
            if let Some(FromSensor::Evidence(_, answer)) = frames.next_message().expect("sound") {
                return answer;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("no answer");
    }
}

fn ask(from_s: f64, until_s: f64) -> EvidenceAsk {
    let center_hz = CENTER_HZ + 20e3;
    EvidenceAsk { number: 7, from_s, until_s, low_hz: center_hz - 5e3, high_hz: center_hz + 5e3 }
}

#[test]
fn a_picture_shows_the_box_and_what_was_before_it() {
    let mut bench = Bench::new();
    (0..200).for_each(|_| bench.hear(CENTER_HZ, 0.0));
    (0..80).for_each(|_| bench.hear(CENTER_HZ, 0.3));
    bench.ask.send(ask(2.0, 2.8)).expect("room");
    let tile = bench.answer().expect("a picture");
    let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
    assert!(near(tile.extent.from_s, 0.0) && near(tile.extent.until_s, 2.8), "{:?}", tile.extent);
    assert!(near(tile.extent.high_hz - tile.extent.low_hz, WIDTH_MIN_HZ));
    let mean = |part: Extent| {
        let ([left, right], [top, bottom]) = tile.cells_of(&part);
        let cells = (top..bottom).flat_map(|row| (left..right).map(move |column| (column, row)));
        let levels: Vec<f32> = cells.filter_map(|(column, row)| tile.level_db(column, row)).collect();
        levels.iter().sum::<f32>() / levels.len() as f32
    };
    let tone = Extent { from_s: 2.1, until_s: 2.7, low_hz: CENTER_HZ + 19.9e3, high_hz: CENTER_HZ + 20.1e3 };
    let before = Extent { from_s: 0.1, until_s: 1.9, ..tone };
    assert!(mean(tone) - mean(before) > 30.0, "{} and {} dB", mean(tone), mean(before));
}

#[test]
fn what_the_history_has_lost_is_too_old_and_elsewhere_is_elsewhere() {
    let mut bench = Bench::new();
    (0..600).for_each(|_| bench.hear(CENTER_HZ, 0.3));
    bench.ask.send(ask(1.0, 1.5)).expect("room");
    assert_eq!(bench.answer(), Err(Denial::TooOld));
    let mut bench = Bench::new();
    (0..280).for_each(|_| bench.hear(900e6, 0.3));
    bench.ask.send(ask(2.0, 2.5)).expect("room");
    assert_eq!(bench.answer(), Err(Denial::Elsewhere));
    let mut bench = Bench::new();
    bench.ask.send(EvidenceAsk { low_hz: f64::NAN, ..ask(2.0, 2.5) }).expect("room");
    assert_eq!(bench.answer(), Err(Denial::NoBox));
}

/// A sweep comes by now and then: what lies between is a gap.
#[test]
fn only_looks_that_cover_the_box_are_in_the_picture() {
    let mut bench = Bench::new();
    for n in 0..280 {
        bench.hear(if n / 40 % 2 == 0 { CENTER_HZ } else { 900e6 }, 0.1);
    }
    bench.ask.send(ask(1.9, 2.7)).expect("room");
    let tile = bench.answer().expect("a picture");
    let at = |from_s: f64, until_s: f64| tile.observed(&Extent { from_s, until_s, ..tile.extent });
    assert!(at(0.1, 0.3) && !at(0.45, 0.75) && at(0.9, 1.1) && !at(1.25, 1.55) && at(2.45, 2.65));
}

/// Where a look is a fiftieth of the time, two seconds of picture would be grey but for a line.
#[test]
fn of_a_receiver_that_sweeps_the_picture_is_of_the_look_that_heard_the_box() {
    let mut bench = Bench::new();
    // Blocks of 10 ms: looks of 40 ms, half a second apart.
    for n in 0..205 {
        bench.hear(if n % 50 < 4 { CENTER_HZ } else { 900e6 }, 0.1);
    }
    bench.ask.send(ask(2.01, 2.035)).expect("room");
    let tile = bench.answer().expect("a picture");
    let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
    assert!(near(tile.extent.from_s, 2.0) && near(tile.extent.until_s, 2.035), "{:?}", tile.extent);
    assert!(tile.observed(&Extent { from_s: 2.001, until_s: 2.005, ..tile.extent }));
}

/// Capture goes on, however long the thread holds what it was lent.
#[test]
fn a_picture_that_takes_long_takes_no_block_from_capture() {
    let mut bench = Bench::new();
    (0..300).for_each(|_| bench.hear(CENTER_HZ, 0.1));
    let mut held = Vec::with_capacity(30);
    bench.looker.history().lend(0, &mut held, |_| true);
    assert_eq!(held.len(), 30);
    // Every block goes round several times; `hear` fails without one.
    (0..2000).for_each(|_| bench.hear(CENTER_HZ, 0.1));
}
