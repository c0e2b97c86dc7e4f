//! Against a direct Fourier sum, in double precision, over the samples themselves.

use super::*;
use crate::iq::Samples;
use std::f64::consts::TAU;

const RATE_HZ: f64 = 240e3;
const CENTER_HZ: f64 = 446e6;

/// A tone of amplitude 0.5 at `offset_hz` over a weaker one, from sample `first` on.
fn tone(first: usize, count: usize, offset_hz: f64) -> Vec<[f32; 2]> {
    (first..first + count)
        .map(|n| {
            let (a, b) = (TAU * offset_hz * n as f64 / RATE_HZ, TAU * -31e3 * n as f64 / RATE_HZ);
            [(0.5 * a.cos() + 1e-3 * b.cos()) as f32, (0.5 * a.sin() + 1e-3 * b.sin()) as f32]
        })
        .collect()
}

/// Pushes `samples`, the first of them sample `first` of the stream, in blocks of `block`.
fn push(maker: &mut TileMaker, samples: &[[f32; 2]], first: usize, block: usize, louder_db: f32) {
    for (n, part) in samples.chunks(block).enumerate() {
        maker.push(&Stretch {
            samples: &Samples::Cf32(part.to_vec()),
            from_s: (first + n * block) as f64 / RATE_HZ,
            center_hz: CENTER_HZ,
            louder_db,
            follows: n > 0,
        });
    }
}

fn extent(until_s: f64, half_hz: f64) -> Extent {
    Extent { from_s: 0.0, until_s, low_hz: CENTER_HZ - half_hz, high_hz: CENTER_HZ + half_hz }
}

/// Power of one bin by the sum itself, with the window's formula of Kaiser (1980): no FFT, no shift by signs.
fn direct_db(samples: &[[f32; 2]], offset_hz: f64) -> f32 {
    let i0 = |x: f64| {
        let (mut sum, mut term) = (1.0, 1.0);
        for k in 1..60 {
            term *= (x / 2.0 / f64::from(k)).powi(2);
            sum += term;
        }
        sum
    };
    let n = samples.len();
    let (mut re, mut im, mut all) = (0.0, 0.0, 0.0);
    for (k, [i, q]) in samples.iter().enumerate() {
        let x = 2.0 * k as f64 / n as f64 - 1.0;
        let w = i0(8.6 * (1.0 - x * x).max(0.0).sqrt());
        let (s, c) = (TAU * offset_hz * k as f64 / RATE_HZ).sin_cos();
        re += w * (f64::from(*i) * c + f64::from(*q) * s);
        im += w * (f64::from(*q) * c - f64::from(*i) * s);
        all += w;
    }
    (10.0 * ((re * re + im * im) / (all * all)).log10()) as f32
}

/// Tolerance: the step of a cell.
#[test]
fn a_cell_is_what_the_sum_says() {
    let samples = tone(0, 120_000, 12e3);
    let mut maker = TileMaker::default();
    maker.begin(extent(0.5, 50e3), RATE_HZ);
    push(&mut maker, &samples, 0, 4096, 0.0);
    let tile = maker.finish().expect("half a second");
    let points = (RATE_HZ / tile.bin_hz).round() as usize;
    // One bin a column: the strongest of two is not what is compared.
    assert_eq!(tile.columns as usize, (100e3 / tile.bin_hz) as usize);
    for offset_hz in [12e3, -31e3] {
        let bin = (offset_hz / tile.bin_hz).round();
        let hz = CENTER_HZ + bin * tile.bin_hz;
        let column = ((hz - tile.extent.low_hz) / 100e3 * f64::from(tile.columns)).floor() as usize;
        let at = points * 4;
        let expected = direct_db(&samples[at..at + points], bin * tile.bin_hz);
        let got = tile.level_db(column, usize::from(tile.rows) / 2).expect("observed");
        assert!((got - expected).abs() <= STEP_DB, "{offset_hz}: {got} dB, by the sum {expected} dB");
    }
    let beside = tile.level_db(tile.columns as usize - 5, 3).expect("observed");
    assert!(beside < -90.0, "{beside} dB beside the tones");
}

#[test]
fn a_gap_stays_one_and_blocks_do_not_matter() {
    let make = |block: usize| {
        let mut maker = TileMaker::default();
        maker.begin(extent(1.0, 60e3), RATE_HZ);
        push(&mut maker, &tone(0, 72_000, 0.0), 0, block, 0.0);
        push(&mut maker, &tone(168_000, 72_000, 0.0), 168_000, block, 0.0);
        maker.finish().expect("the ends")
    };
    let tile = make(4096);
    let rows = f64::from(tile.rows);
    let observed = |share: f64| {
        let row = (share * rows) as usize;
        (0..tile.columns as usize).filter(|column| tile.level_db(*column, row).is_some()).count()
    };
    assert_eq!([observed(0.1), observed(0.9)], [tile.columns as usize; 2]);
    assert_eq!(
        [observed(0.35), observed(0.5), observed(0.65)],
        [0; 3],
        "nothing was heard from 0.3 to 0.7 s"
    );
    let hole = Extent { from_s: 0.35, until_s: 0.65, ..tile.extent };
    assert!(tile.observed(&tile.extent) && !tile.observed(&hole));
    assert_eq!(make(1000), tile);
    assert_eq!(make(70_001), tile);
}

#[test]
fn what_the_receiver_did_not_reach_is_not_observed() {
    let mut maker = TileMaker::default();
    let wide = Extent { high_hz: CENTER_HZ + 500e3, ..extent(0.2, 100e3) };
    maker.begin(wide, RATE_HZ);
    push(&mut maker, &tone(0, 48_000, 0.0), 0, 4096, 20.0);
    let tile = maker.finish().expect("the lower part");
    let beyond = Extent { low_hz: CENTER_HZ + 125e3, ..wide };
    assert!(!tile.observed(&beyond) && tile.observed(&extent(0.2, 100e3)));
    // 20 dB less gain is made good: amplitude 0.5 is -6 dBFS.
    let most = tile.cells.iter().max().map(|cell| tile.origin_db + f32::from(cell - 1) * STEP_DB);
    assert!((most.expect("cells") - 13.98).abs() <= STEP_DB, "{most:?}");
}

#[test]
fn nothing_gives_no_picture_and_silence_a_dark_one() {
    let mut maker = TileMaker::default();
    maker.begin(extent(1.0, 60e3), RATE_HZ);
    push(&mut maker, &tone(480_000, 48_000, 0.0), 480_000, 4096, 0.0);
    assert_eq!(maker.finish(), None, "all of it came later");
    maker.begin(extent(0.1, 60e3), RATE_HZ);
    push(&mut maker, &vec![[0.0; 2]; 24_000], 0, 4096, 0.0);
    let silence = maker.finish().expect("observed");
    // No frame is centred within half of one from the ends of the samples.
    let inner = &silence.cells[silence.columns as usize..silence.cells.len() - silence.columns as usize];
    assert!(inner.iter().all(|cell| *cell == 1), "silence is observed, and as dark as can be");
    maker.begin(extent(0.1, 60e3), RATE_HZ);
    push(&mut maker, &vec![[f32::NAN, f32::INFINITY]; 24_000], 0, 4096, 0.0);
    assert!(maker.finish().is_none_or(|tile| tile.origin_db.is_finite()));
}

#[test]
fn any_box_gives_a_bounded_picture() {
    let mut maker = TileMaker::default();
    for (seconds, half_hz) in [(1e-9, 1e-3), (1e-3, 1e12), (3.0, 1.0), (1e9, 40e6)] {
        maker.begin(extent(seconds, half_hz), 20e6);
        push(&mut maker, &tone(0, 200_000, 0.0), 0, 16_384, 0.0);
        if let Some(tile) = maker.finish() {
            assert!(tile.columns as usize <= COLUMNS_MAX && tile.rows as usize <= ROWS_MAX);
            assert_eq!(tile.cells.len(), tile.columns as usize * tile.rows as usize);
        }
    }
}
