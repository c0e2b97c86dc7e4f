//! The life of one emitter toward people: suspected, opened, updated, closed.

use super::sighting::channels_hz;
use crate::classify::Verdict;
use crate::pipeline::EmitterReport;
use crate::policy::Location;
use crate::track::Emitter;

/// Unnamed emitters are opened after this many bursts (the replay contract, "Confirming").
const UNNAMED_BURSTS: u64 = 3;
/// Or after this much airtime, seconds (ibid.).
const UNNAMED_AIRTIME_S: f64 = 0.2;
/// SNR that at least one emission of an unnamed emitter must exceed, dB: fainter ones may be the uncertainty of
/// the floor.
const HEARD_SNR_DB: f64 = 0.0;
/// At the end of input a single unnamed burst is an emitter if it stands out by more than this, dB: noise does
/// not, by the detector's threshold and a margin of half as much again.
const FORCED_SNR_DB: f64 = 10.0;
/// And if it is longer than an impulse: time-bandwidth product.
const FORCED_PRODUCT: f64 = 8.0;
/// Evidence grows by this before an emitter is judged again, so that judging costs little per burst.
const GROWTH: f64 = 1.25;
/// At most this high (the replay contract, `snr_db`).
const SNR_MAX_DB: f64 = 100.0;

/// What is known of an emitter beside what it sends.
#[derive(Debug, Clone)]
pub struct Life {
    /// Number, once opened.
    pub id: Option<u32>,
    /// The name in force.
    pub verdict: Option<Verdict>,
    /// Known from the baseline.
    pub ambient: bool,
    /// Where it is, as far as its level tells.
    pub location: Option<Location>,
    /// The level bans it.
    pub banned: bool,
    /// First heard while learning.
    pub learned: bool,
    /// Time of the last report, seconds.
    pub reported_s: f64,
    /// End of the last burst that was reported, seconds.
    pub reported_last_s: f64,
    /// The last word on it was said.
    pub settled: bool,
    /// Count of emissions at which it was judged last and not told of, and when that will do, seconds.
    pub waits: (u64, f64),
    /// Count of emissions at which it is judged next.
    judge_at: u64,
    /// Airtime at which it is judged next, seconds.
    judge_at_airtime_s: f64,
}

impl Life {
    /// An emitter that was just heard for the first time.
    pub fn new(learned: bool) -> Self {
        Self {
            id: None,
            verdict: None,
            ambient: false,
            location: None,
            banned: false,
            learned,
            reported_s: f64::NEG_INFINITY,
            reported_last_s: f64::NEG_INFINITY,
            settled: false,
            waits: (0, f64::INFINITY),
            judge_at: 1,
            judge_at_airtime_s: 0.0,
        }
    }

    /// Whether there is enough new evidence to judge it (again); if so, that evidence is taken as used.
    pub fn is_due(&mut self, emitter: &Emitter) -> bool {
        let airtime_s = emitter.on.airtime_s();
        if emitter.count < self.judge_at && airtime_s < self.judge_at_airtime_s {
            return false;
        }
        self.judge_at = (emitter.count + 1).max((emitter.count as f64 * GROWTH) as u64);
        self.judge_at_airtime_s = (airtime_s * GROWTH).max(airtime_s + 0.02);
        if airtime_s < UNNAMED_AIRTIME_S {
            self.judge_at_airtime_s = self.judge_at_airtime_s.min(UNNAMED_AIRTIME_S);
        }
        true
    }

    /// Whether judging it again can change nothing: no emission since, and the time has not come.
    pub fn is_waiting(&self, emitter: &Emitter, now_s: f64) -> bool {
        let (count, until_s) = self.waits;
        emitter.count == count && now_s < until_s
    }

    /// Whether an unnamed emitter has been heard enough to be told of.
    pub fn is_heard(emitter: &Emitter) -> bool {
        !emitter.is_ghost()
            && emitter.best_snr_db() > HEARD_SNR_DB
            && (emitter.on.count() >= UNNAMED_BURSTS || emitter.on.airtime_s() >= UNNAMED_AIRTIME_S)
    }

    /// Whether an unnamed emitter is told of because no more evidence will come.
    pub fn is_forced(emitter: &Emitter) -> bool {
        let product = emitter.on.longest_s() * emitter.typical_bandwidth_hz();
        !emitter.is_ghost() && emitter.best_snr_db() > FORCED_SNR_DB && product >= FORCED_PRODUCT
    }

    /// The report of `emitter`, `verdict` in force.
    pub fn report(&self, id: u32, emitter: &Emitter, verdict: &Verdict, at_s: f64) -> EmitterReport {
        let center_hz = emitter.center_hz();
        EmitterReport {
            id,
            signal: verdict.signal,
            device: verdict.device,
            confidence: verdict.confidence,
            center_hz: emitter.place.absolute.then_some(center_hz),
            offset_hz: center_hz - emitter.tuning_hz,
            bandwidth_hz: emitter.typical_bandwidth_hz(),
            channels_hz: channels_hz(emitter),
            first_s: emitter.first_s,
            last_s: emitter.last_s,
            bursts: emitter.on.count(),
            airtime_s: emitter.on.airtime_s(),
            power_dbfs: emitter.typical_level_dbfs(),
            snr_db: emitter.typical_snr_db().min(SNR_MAX_DB),
            period_s: emitter.period_s(),
            ambient: self.ambient,
            location: self.location,
            banned: self.banned,
            reasons: verdict.reasons.clone(),
            merged_into: None,
            at_s,
        }
    }
}
