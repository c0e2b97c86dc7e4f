//! What else than the bursts attributed to it comes of an emitter: hops that were not recognised, parts of bursts that the
//! detector took apart, skirts and the splatter of keying.

use super::emitter::{Emitter, LOOKS, Look};

/// Hops of one length differ by less than this fraction,
const HOP_TOLERANCE: f64 = 0.15;
/// are at most this many times as wide as usual,
const HOP_WIDTH: f64 = 1.5;
/// are louder than the mean by less, dB,
const HOP_LEVEL_DB: f64 = 6.0;
/// and are heard this long before and after those that are known, seconds.
const HOP_MARGIN_S: f64 = 1.0;
/// A fragment reaches out of the band of the whole by less, as the measured width of the whole is only its typical one,
const FRAGMENT_OVERHANG: f64 = 1.5;
/// is narrower than this part of it,
const FRAGMENT_WIDTH: f64 = 0.8;
/// was on within its own length, this time, seconds,
const FRAGMENT_APART_S: f64 = 100e-6;
/// and so many inverse bandwidths of it, in which a transmitter's keying settles,
const TRANSIENT: f64 = 10.0;
/// or is fainter than what is detected whole, and as long as a slab or two may peak, dB,
const FRAGMENT_SNR_DB: f64 = 13.0;
/// and no denser than the peaks of a modulated spectrum over its mean, dB.
const FRAGMENT_DENSER_DB: f64 = 6.0;
/// A single peak of a spectrum lasts and spreads less than this time-bandwidth product,
const BLIP_PRODUCT: f64 = 8.0;
/// and holds less than this part of the power, dB.
const BLIP_DB: f64 = 10.0;
/// Skirts reach this many widths to each side and
const SKIRTS_WIDTHS: f64 = 1.5;
/// are this far below, dB;
const SKIRTS_DB: f64 = 20.0;
/// those of keying at the edges of a burst by less, dB.
const KEYED_DB: f64 = 6.0;

impl Emitter {
    /// Whether one of the latest emissions was on within `margin_s` of `look`, of another emitter, in its band.
    pub fn is_on_about(&self, look: &Look, margin_s: f64) -> bool {
        self.looks.iter().any(|own| {
            own.epoch == look.epoch
                && own.start_s - margin_s < look.end_s
                && look.start_s < own.end_s + margin_s
                && (own.hz - look.hz).abs() < (own.bandwidth_hz + look.bandwidth_hz) / 2.0
        })
    }

    /// Whether what lasts `duration_s`, is `bandwidth_hz` wide and has `level_dbfs` is as long as a hop of this one, and
    /// not more in width and level.
    pub fn resembles_hop(&self, duration_s: f64, bandwidth_hz: f64, level_dbfs: f64) -> bool {
        let as_long = |look: &Look| {
            let own_s = look.end_s - look.start_s;
            (duration_s - own_s).abs() < HOP_TOLERANCE * own_s
        };
        self.looks.iter().any(as_long)
            && bandwidth_hz <= HOP_WIDTH * self.bandwidth_hz
            && level_dbfs < self.level_dbfs + HOP_LEVEL_DB
    }

    /// Whether `look`, of another emitter that has a name of its own or not, is no more than a fragment or the skirts of
    /// what this one sends: weaker, in its band or beside it, and at a time when this one was on, or faint.
    pub fn may_have_shed(&self, look: &Look, named: bool) -> bool {
        let (own_hz, its_hz) = (self.typical_bandwidth_hz(), look.bandwidth_hz);
        let apart_hz = (self.place.hz - look.hz).abs();
        let below_db = self.levels.highest() - look.level_dbfs;
        let denser_db = 10.0 * (own_hz / its_hz.max(1.0)).max(1.0).log10() - below_db;
        let faint = look.snr_db < FRAGMENT_SNR_DB && denser_db < FRAGMENT_DENSER_DB;
        let margin_s = FRAGMENT_APART_S + look.end_s - look.start_s + TRANSIENT / own_hz.max(1.0);
        let on = self.is_on_about(look, margin_s) || self.has_forgotten(look);
        let product = (look.end_s - look.start_s) * its_hz;
        let blip = product < BLIP_PRODUCT && below_db >= BLIP_DB;
        // What was not measured from samples has the width of its box.
        let around = !look.exact && on && apart_hz <= its_hz / 2.0;
        let inside = around || apart_hz + its_hz / 2.0 <= FRAGMENT_OVERHANG * own_hz / 2.0;
        let beside = apart_hz <= SKIRTS_WIDTHS * own_hz + its_hz / 2.0;
        let narrower = its_hz < FRAGMENT_WIDTH * own_hz;
        let part = inside && below_db >= 0.0 && (narrower || !named);
        let skirts = beside && below_db >= SKIRTS_DB;
        let keyed = beside && on && below_db >= KEYED_DB && !named;
        !self.hopper && ((part && (faint || on || blip)) || (skirts && (faint || on)) || keyed)
    }

    /// Whether `look` is older than all that is remembered of this one.
    fn has_forgotten(&self, look: &Look) -> bool {
        let oldest = self.looks.iter().next();
        self.looks.len() == LOOKS
            && oldest.is_some_and(|own| own.epoch != look.epoch || own.start_s > look.end_s)
    }

    /// Whether `look`, of another emitter, may have been a hop of this one about the time that it was heard; or, faint and
    /// on one of its channels, a part of one.
    pub fn may_have_hopped(&self, look: &Look) -> bool {
        let on_s = look.end_s - look.start_s;
        let recent = look.start_s > self.first_s - HOP_MARGIN_S && look.start_s < self.last_s + HOP_MARGIN_S;
        let on_channel =
            self.channels.iter().any(|channel| (channel.hz - look.hz).abs() < self.bandwidth_hz / 2.0);
        let part = look.snr_db < FRAGMENT_SNR_DB
            && on_channel
            && on_s <= (1.0 + HOP_TOLERANCE) * self.on.longest_s()
            && look.level_dbfs <= self.levels.highest();
        self.hopper && recent && (part || self.resembles_hop(on_s, look.bandwidth_hz, look.level_dbfs))
    }
}
