//! GSM, UMTS, LTE, NR.

use num_complex::Complex32;

use super::make;
use super::probe::{
    envelope_cv, frequency, joined, lag, obw99, occupied, papr_db, part, power, psd, quantile, shots,
};
use crate::synth::{Shot, ShotIq};

const GSM_SYMBOL_S: f64 = 6.0 / 1_625_000.0;

/// On-time between the half-power points.
fn half_power_s(iq: &ShotIq) -> f64 {
    let on: Vec<usize> = (0..iq.samples.len()).filter(|n| iq.samples[*n].norm_sqr() > 0.5).collect();
    (on[on.len() - 1] - on[0] + 1) as f64 / iq.rate_hz
}

/// Oracle: 3GPP TS 45.002 (frames, idle frame), TS 45.005 annex B (ramps), TS 45.004 (GMSK), Murota and Hirade 1981
/// (99 % bandwidth 0.86 bit rates at BT 0.25 and 1.04 at 0.5, hence about 0.9 at 0.3).
#[test]
fn gsm_bursts_are_normal_bursts() {
    let gsm = make("gsm", 900e6, "");
    let all = shots(&*gsm, 1.0, 2.2);
    // Ten multiframes of 25 bursts.
    assert_eq!(all.len(), 250);
    let frame_s = 60e-3 / 13.0;
    for pair in all.windows(2) {
        let frames = (pair[1].start_s - pair[0].start_s) / frame_s;
        assert!((frames - frames.round()).abs() < 1e-6 && matches!(frames.round() as i32, 1 | 2));
    }
    let iq = gsm.render(&all[0]);
    let on_s = half_power_s(&iq);
    assert!((148.0 * GSM_SYMBOL_S..577e-6).contains(&on_s), "{on_s}");
    assert!((on_s - all[0].duration_s).abs() < 2e-6);
    // Within 1 dB over the useful part, under -30 dB 28 us from it.
    let useful = part(&all[0], &iq, 5e-6, 5e-6 + 148.0 * GSM_SYMBOL_S);
    assert!(useful.iter().all(|s| (0.79..1.26).contains(&s.norm_sqr())));
    assert!(iq.first_s > all[0].start_s + 5e-6 - 28e-6);
    let middle = part(&all[0], &iq, 30e-6, 520e-6);
    assert!(envelope_cv(&middle) < 1e-3);
    let f = frequency(&middle, iq.rate_hz);
    let (low, high) = (quantile(&f, 0.01), quantile(&f, 0.99));
    assert!((high - 67.7e3).abs() < 3e3 && (low + 67.7e3).abs() < 3e3, "{low} {high}");
    let obw = obw99(&all.iter().take(40).flat_map(|s| gsm.render(s).samples).collect::<Vec<_>>(), iq.rate_hz);
    assert!((225e3..265e3).contains(&obw), "{obw}");
}

/// Oracle: TS 45.008 section 8.3: in silence the SACCH (4 of 104) and the comfort noise (8 of 104) remain.
#[test]
fn a_silent_gsm_phone_sends_little() {
    let all = shots(&*make("gsm", 900e6, "dtx = true\ntalk = 0.0"), 0.0, 4.8);
    assert!((all.len() as i32 - 10 * 12).abs() <= 2, "{}", all.len());
}

/// Oracle: TS 45.002: a frequency correction burst is 148 symbols of a tone a quarter symbol rate above.
#[test]
fn a_bcch_carrier_has_its_frequency_correction() {
    let iq = joined(&*make("gsm", 945e6, "role = \"downlink\""), 0.0, 0.3);
    assert!(envelope_cv(&iq.samples) < 1e-3);
    let f = frequency(&iq.samples, iq.rate_hz);
    let run = (140.0 * GSM_SYMBOL_S * iq.rate_hz) as usize;
    let tone = |w: &[f64]| w.iter().all(|f| (f - 67.708e3).abs() < 100.0);
    let step = (10.0 * GSM_SYMBOL_S * iq.rate_hz) as usize;
    let mut at = Vec::new();
    for n in (0..f.len() - run).step_by(step / 4) {
        if tone(&f[n..n + run]) && at.last().is_none_or(|last| n - last > run) {
            at.push(n);
        }
    }
    // Frames 0, 10, 20, 30, 40, 51, 61.
    assert_eq!(at.len(), 7);
    let frames = (at[1] - at[0]) as f64 / iq.rate_hz / (60e-3 / 13.0);
    assert!((frames - 10.0).abs() < 0.02, "{frames}");
}

/// Oracle: TS 25.101: 3.84 Mchip/s, roll-off 0.22, 99 % within 5 MHz; steps of 1 dB each slot (TS 25.214).
#[test]
fn umts_uplink_is_flat_and_steps() {
    let umts = make("umts", 1950e6, "");
    let iq = joined(&*umts, 1.0, 1.05);
    let spectrum = psd(&iq.samples, 1024);
    let (low, high) = occupied(&spectrum, iq.rate_hz, 0.99);
    assert!((3.9e6..4.5e6).contains(&(high - low)), "{}", high - low);
    let band = |from: f64, to: f64| -> f64 {
        let bin = |hz: f64| ((hz / iq.rate_hz + 0.5) * 1024.0) as usize;
        spectrum[bin(from)..bin(to)].iter().sum()
    };
    // Flat: thirds of the middle 3 MHz are alike within 10 %; beyond (1 + 0.22) / 2 of the rate there is nothing.
    let thirds = [band(-1.5e6, -0.5e6), band(-0.5e6, 0.5e6), band(0.5e6, 1.5e6)];
    assert!(thirds.iter().all(|t| (t / thirds[1] - 1.0).abs() < 0.1), "{thirds:?}");
    assert!(band(2.6e6, 3.8e6) / thirds[1] < 1e-3);
    let slot = (2560.0 / 3.84e6 * iq.rate_hz) as usize;
    let levels: Vec<f64> = iq.samples.chunks_exact(slot).map(|s| 10.0 * power(s).log10()).collect();
    // A slot's mean power has a spread of about 0.15 dB; filter tails mix neighbours by 1 %.
    let steps: Vec<f64> = levels.windows(2).map(|w| (w[1] - w[0]).abs()).collect();
    assert!(steps.iter().all(|s| (s - 1.0).abs() < 0.5), "{steps:?}");
    // Mean over 15 slots after one another differs: it is not a constant carrier.
    assert!(papr_db(&iq.samples) > 3.0);
}

/// Oracle: many codes add to something Gaussian: PAPR of 50 ms beyond 8 dB; the pilot makes no line.
#[test]
fn umts_downlink_is_noise_like() {
    let iq = joined(&*make("umts", 2140e6, "role = \"downlink\""), 1.0, 1.05);
    assert!(papr_db(&iq.samples) > 8.0);
    let obw = obw99(&iq.samples, iq.rate_hz);
    assert!((3.9e6..4.5e6).contains(&obw), "{obw}");
}

/// Correlation of each symbol's prefix with its tail, for symbols of `size` whose prefixes begin at `starts`.
fn prefix_correlation(samples: &[Complex32], starts: &[(usize, usize)], size: usize) -> Vec<Complex32> {
    starts
        .iter()
        .map(|&(start, prefix)| {
            // The ramps take the outermost samples.
            let from = start + prefix / 2;
            let (a, b) = (&samples[from..start + prefix], &samples[from + size..start + prefix + size]);
            let sum: Complex32 = a.iter().zip(b).map(|(a, b)| b * a.conj()).sum();
            let norm = a.iter().zip(b).map(|(a, b)| a.norm() * b.norm()).sum::<f32>();
            sum / norm
        })
        .collect()
}

/// Prefix starts and lengths of a slot of 14 symbols, written out from TS 36.211 table 6.12-1 and TS 38.211
/// section 5.3.1 (at 30 kHz the longer prefix comes once in 14 symbols).
fn grid(size: usize, thirty: bool) -> Vec<(usize, usize)> {
    let mut at = 0;
    (0..14)
        .map(|l| {
            let units = match (thirty, l) {
                (false, 0 | 7) => 160,
                (true, 0) => 176,
                _ => 144,
            };
            let prefix = units * size / 2048;
            let start = at;
            at += prefix + size;
            (start, prefix)
        })
        .collect()
}

fn nominal(shot: &Shot, iq: &ShotIq) -> Vec<Complex32> {
    part(shot, iq, 0.0, shot.duration_s)
}

/// Oracle: TS 36.211 section 5.6 (lag 66.67 us, its sign that of half a subcarrier, prefix lengths), section 5.2.3
/// (blocks of 180 kHz), the millisecond's grid.
#[test]
fn lte_uplink_is_sc_fdma() {
    let lte = make("lte", 1745e6, "allocation = [8, 20]\nload = 0.6");
    let all = shots(&*lte, 1.0, 1.5);
    let grants: Vec<&Shot> = all.iter().filter(|s| s.duration_s > 0.9e-3).collect();
    assert!((200..400).contains(&grants.len()), "{}", grants.len());
    for shot in &grants {
        let ms = (shot.start_s - grants[0].start_s) * 1e3;
        assert!((ms - ms.round()).abs() < 1e-6);
    }
    let mut peaks = Vec::new();
    for shot in grants.iter().take(30) {
        let iq = lte.render(shot);
        let size = (iq.rate_hz / 15e3).round() as usize;
        let samples = nominal(shot, &iq);
        assert_eq!(samples.len(), 15 * size);
        let r = prefix_correlation(&samples, &grid(size, false), size);
        assert!(r.iter().all(|r| r.re < -0.99), "{r:?}");
        let blocks = 20.0 * 10f64.powf(f64::from(shot.level_db) / 10.0);
        assert!((blocks - blocks.round()).abs() < 1e-3);
        let obw = obw99(&samples, iq.rate_hz);
        assert!((obw / (180e3 * blocks) - 1.0).abs() < 0.06, "{obw} {blocks}");
        peaks.push(papr_db(&samples));
    }
    // Single-carrier: the median over subframes, of QPSK and 16-QAM, is well below the 9 to 10 dB of OFDM.
    assert!((4.5..8.0).contains(&quantile(&peaks, 0.5)), "{}", quantile(&peaks, 0.5));
}

/// Oracle: TS 36.211 section 5.4.3: half-millisecond blips of one block at opposite edges of the carrier.
#[test]
fn lte_control_hops_from_edge_to_edge() {
    let lte = make("lte", 1745e6, "load = 0.0");
    let all = shots(&*lte, 1.0, 2.0);
    assert!(all.len() >= 50);
    // The window may begin between the two of a pair.
    for pair in all[usize::from(all[0].continues)..].chunks_exact(2) {
        assert!((pair[1].start_s - pair[0].start_s - 0.5e-3).abs() < 1e-9);
        assert!((pair[0].duration_s - 0.5e-3).abs() < 1e-9 && pair[1].continues);
        assert_eq!(pair[0].offset_hz, -pair[1].offset_hz);
        assert!((pair[0].offset_hz.abs() - 24.5 * 180e3).abs() < 1.0);
    }
    let iq = lte.render(&all[0]);
    // Of one block, the symbols' unfiltered edges spread a few percent beyond it: 90 % is asked, not 99 %.
    let (low, high) = occupied(&psd(&iq.samples, 1024), iq.rate_hz, 0.9);
    assert!((140e3..190e3).contains(&(high - low)), "{low} {high}");
}

/// Oracle: TS 36.211 table 5.7.1-1: 103.1 us of prefix and 800 us of preamble over 839 * 1.25 kHz.
#[test]
fn lte_access_is_a_preamble() {
    let lte = make("lte", 1745e6, "traffic = \"idle\"\nsession_gap_s = 3.0");
    let all = shots(&*lte, 0.0, 30.0);
    let access: Vec<&Shot> = all.iter().filter(|s| (s.duration_s - 903.125e-6).abs() < 1e-9).collect();
    assert!(!access.is_empty());
    let iq = lte.render(access[0]);
    let obw = obw99(&iq.samples, iq.rate_hz);
    assert!((obw / 1.04875e6 - 1.0).abs() < 0.03, "{obw}");
    assert!(lag(&part(access[0], &iq, 5e-6, 898e-6), (800e-6 * iq.rate_hz) as usize).re > 0.99);
}

/// Oracle: TS 36.211 section 5.5.3: the last symbol, every second subcarrier, hence two equal halves.
#[test]
fn lte_sounding_is_a_comb() {
    let lte = make("lte", 1745e6, "load = 0.0\nsrs_ms = 10");
    let all = shots(&*lte, 1.0, 2.0);
    let srs: Vec<&Shot> = all.iter().filter(|s| s.duration_s < 80e-6).collect();
    assert_eq!(srs.len(), 100);
    assert!((srs[0].duration_s - 71.35e-6).abs() < 0.1e-6);
    let iq = lte.render(srs[0]);
    let half = (1.0 / 30e3 * iq.rate_hz).round() as usize;
    // Half a spacing up turns the second half by 90 degrees.
    let r = lag(&part(srs[0], &iq, 5e-6, 68e-6), half);
    assert!(r.norm() > 0.99, "{r}");
    let obw = obw99(&iq.samples, iq.rate_hz);
    assert!((obw / (48.0 * 180e3) - 1.0).abs() < 0.03, "{obw}");
}

/// Oracle: TS 36.211 table 4.2-2, configuration 2: uplink in subframes 2 and 7 only.
#[test]
fn a_tdd_phone_waits_for_its_subframe() {
    let lte = make("lte", 1900e6, "tdd = true\nload = 1.0");
    let all = shots(&*lte, 1.0, 1.5);
    assert_eq!(all.len(), 100);
    assert!(all.iter().all(|s| (s.start_s.rem_euclid(5e-3) - 2e-3).abs() < 1e-9));
}

/// Oracle: TS 36.211 section 6: nine of ten megahertz in use, prefix of 7 % at 66.67 us.
#[test]
fn lte_downlink_is_ofdm() {
    let lte = make("lte", 1840e6, "role = \"downlink\"\nload = 1.0");
    let iq = joined(&*lte, 1.0, 1.03);
    let (low, high) = occupied(&psd(&iq.samples, 4096), iq.rate_hz, 0.99);
    assert!(((high - low) / 9.015e6 - 0.99).abs() < 0.02, "{}", high - low);
    assert!((low + high).abs() < 0.1e6);
    let size = (iq.rate_hz / 15e3).round() as usize;
    let r = lag(&iq.samples, size);
    assert!((r.re - 0.067).abs() < 0.01, "{r}");
    assert!(papr_db(&iq.samples) > 9.0);
}

/// Oracle: TS 36.211 sections 4.2, 6.11.1: 3 subframes and 10 symbols of each 5 ms, the primary synchronisation
/// signal the same in each, references without load in symbols 0, 4, 7, 11 only.
#[test]
fn a_tdd_cell_sends_in_its_turn() {
    let lte = make("lte", 1900e6, "role = \"downlink\"\ntdd = true\nload = 0.0\nblocks = 25");
    let all = shots(&*lte, 1.0, 1.05);
    assert_eq!(all.len(), 10);
    assert!((all[0].duration_s - 3.714e-3).abs() < 2e-6, "{}", all[0].duration_s);
    assert!(all.iter().all(|s| (s.start_s.rem_euclid(5e-3) - 3e-3).abs() < 1e-9));
    let rendered: Vec<ShotIq> = all.iter().take(2).map(|s| lte.render(s)).collect();
    let symbol = |i: usize, subframe: usize, l: usize| {
        let size = (rendered[i].rate_hz / 15e3).round() as usize;
        let (start, prefix) = grid(size, false)[l];
        let from = subframe as f64 * 1e-3 + (start + prefix) as f64 / rendered[i].rate_hz;
        part(&all[i], &rendered[i], from, from + size as f64 / rendered[i].rate_hz)
    };
    // Subframe 1 (or 6) is the fourth of the turn.
    let (a, b) = (symbol(0, 3, 2), symbol(1, 3, 2));
    let same: Complex32 = a.iter().zip(&b).map(|(a, b)| b * a.conj()).sum();
    assert!((same.norm() / a.iter().map(|v| v.norm_sqr()).sum::<f32>() - 1.0).abs() < 0.01);
    let quiet = power(&symbol(0, 0, 5));
    assert!(quiet < 1e-6 && power(&symbol(0, 0, 4)) > 0.3, "{quiet}");
}

/// Oracle: TS 38.211 section 5.3.1: slots of 0.5 ms, lag 33.33 us; DDDSU: the last of five slots.
#[test]
fn nr_uplink_keeps_its_slots() {
    for (keys, dft) in [("allocation = [10, 24]", false), ("allocation = [10, 24]\ndft_spread = true", true)]
    {
        let nr = make("nr", 3500e6, keys);
        let all = shots(&*nr, 1.0, 3.0);
        let grants: Vec<&Shot> = all.iter().filter(|s| s.duration_s > 0.4e-3).collect();
        assert!(grants.len() > 150);
        assert!(grants.iter().all(|s| (s.start_s.rem_euclid(2.5e-3) - 2e-3).abs() < 1e-9));
        let mut peaks = Vec::new();
        for shot in grants.iter().take(20) {
            let iq = nr.render(shot);
            let size = (iq.rate_hz / 30e3).round() as usize;
            let samples = nominal(shot, &iq);
            let r = prefix_correlation(&samples, &grid(size, true), size);
            assert!(r.iter().all(|r| r.re > 0.98), "{r:?}");
            let blocks = 24.0 * 10f64.powf(f64::from(shot.level_db) / 10.0);
            let obw = obw99(&samples, iq.rate_hz);
            assert!((obw / (360e3 * blocks) - 1.0).abs() < 0.06, "{obw} {blocks}");
            peaks.push(papr_db(&samples));
        }
        let median = quantile(&peaks, 0.5);
        assert!(if dft { median < 8.5 } else { median > 8.5 }, "{dft} {median}");
    }
}

/// Oracle: TS 38.213 section 4.1, TS 38.211 section 7.4.3: without load there are only the synchronisation blocks,
/// four symbols of 240 subcarriers each 20 ms; sub-bands add up to the emitter's power.
#[test]
fn nr_downlink_is_lean() {
    let idle = make("nr", 3500e6, "role = \"downlink\"\nload = 0.0\nbeams = 4");
    let all = shots(&*idle, 1.0, 2.0);
    assert_eq!(all.len(), 200);
    assert!((all[4].start_s - all[0].start_s - 20e-3).abs() < 1e-9);
    assert!(all.iter().all(|s| (s.duration_s - 142.7e-6).abs() < 0.2e-6));
    let iq = idle.render(&all[0]);
    let obw = obw99(&iq.samples, iq.rate_hz);
    assert!((obw / 7.2e6 - 1.0).abs() < 0.04, "{obw}");

    let busy = shots(&*make("nr", 3500e6, "role = \"downlink\"\nload = 1.0\nblocks = 273"), 1.01, 1.02);
    let slot: Vec<&Shot> = busy.iter().filter(|s| s.start_s == busy[0].start_s).collect();
    assert_eq!(slot.len(), 6);
    let sum: f64 = slot.iter().map(|s| 10f64.powf(f64::from(s.level_db) / 10.0)).sum();
    assert!((sum - 1.0).abs() < 1e-3);
    let (low, high) = (slot[0].offset_hz, slot[5].offset_hz);
    assert!((high - low - 5.0 * 45.5 * 360e3).abs() < 0.5e6, "{low} {high}");
}
