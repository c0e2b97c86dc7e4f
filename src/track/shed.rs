//! What else than the bursts attributed to it comes of an emitter: hops that were not recognised, parts of bursts that the
//! detector took apart, skirts and the splatter of keying.

use super::emitter::{Emitter, LOOKS, Look};

/// Hops of one length differ by less than this fraction,
const HOP_TOLERANCE: f64 = 0.15;
/// are at most this many times as wide as usual,
const HOP_WIDTH: f64 = 1.5;
/// and at least this many times: what the edge of the span cuts is cut in half at most, or no longer strong,
const HOP_CUT: f64 = 0.5;
/// are louder than the mean by less, dB,
const HOP_LEVEL_DB: f64 = 6.0;
/// and weaker by less: fading between channels, and the slope of the receiver's filter, dB,
const HOP_FADE_DB: f64 = 12.0;
/// and are heard this long before and after those that are known, seconds.
const HOP_MARGIN_S: f64 = 1.0;
/// A fragment reaches out of the band of the whole by less, as the measured width of the whole is only its typical one,
const FRAGMENT_OVERHANG: f64 = 1.5;
/// is narrower than this part of it,
const FRAGMENT_WIDTH: f64 = 0.8;
/// no denser than the peaks of a modulated spectrum over its mean, dB,
const FRAGMENT_DENSER_DB: f64 = 6.0;
/// and was on within its own length, this time, seconds,
const FRAGMENT_APART_S: f64 = 100e-6;
/// and so many inverse bandwidths of it, in which a transmitter's keying settles,
const TRANSIENT: f64 = 10.0;
/// or is fainter than what is detected whole, and as long as a slab or two may peak, dB.
const FRAGMENT_SNR_DB: f64 = 13.0;
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

/// An emitter as the source of fragments.
pub struct Host<'a> {
    emitter: &'a Emitter,
    /// Its typical bandwidth, hertz.
    bandwidth_hz: f64,
    /// Its highest level, dBFS.
    highest_dbfs: f64,
    /// Its longest on-time, seconds.
    longest_s: f64,
}

impl Emitter {
    /// This one as the source of fragments.
    pub fn host(&self) -> Host<'_> {
        Host {
            emitter: self,
            bandwidth_hz: self.typical_bandwidth_hz(),
            highest_dbfs: self.levels.highest(),
            longest_s: self.on.longest_s(),
        }
    }

    /// Whether one of the latest emissions was on within `margin_s` of `look`, of another emitter, in its band.
    pub fn is_on_about(&self, look: &Look, margin_s: f64) -> bool {
        self.looks.iter().any(|own| {
            own.epoch == look.epoch
                && own.start_s - margin_s < look.end_s
                && look.start_s < own.end_s + margin_s
                && (own.hz - look.hz).abs() < (own.bandwidth_hz + look.bandwidth_hz) / 2.0
        })
    }

    /// Whether what lasts `duration_s`, is `bandwidth_hz` wide and has `level_dbfs` is as long as one of the latest hops of
    /// this one, and much like them in width and level.
    pub fn resembles_hop(&self, duration_s: f64, bandwidth_hz: f64, level_dbfs: f64) -> bool {
        let as_long = |look: &Look| {
            let own_s = look.end_s - look.start_s;
            (duration_s - own_s).abs() < HOP_TOLERANCE * own_s
        };
        (HOP_CUT * self.bandwidth_hz..=HOP_WIDTH * self.bandwidth_hz).contains(&bandwidth_hz)
            && (-HOP_FADE_DB..HOP_LEVEL_DB).contains(&(level_dbfs - self.level_dbfs))
            && self.looks.iter().any(as_long)
    }

    /// Whether `look`, of another emitter, may have been a hop of this one about the time that it was heard; or, faint and
    /// on one of its channels, a part of one.
    pub fn may_have_hopped(&self, look: &Look) -> bool {
        let on_s = look.end_s - look.start_s;
        let recent = look.start_s > self.first_s - HOP_MARGIN_S && look.start_s < self.last_s + HOP_MARGIN_S;
        if !self.hopper || !recent {
            return false;
        }
        let on_channel =
            self.channels.iter().any(|channel| (channel.hz - look.hz).abs() < self.bandwidth_hz / 2.0);
        let part = look.snr_db < FRAGMENT_SNR_DB
            && on_channel
            && on_s <= (1.0 + HOP_TOLERANCE) * self.on.longest_s()
            && look.level_dbfs <= self.levels.highest();
        let (low_hz, high_hz) = self.span_hz();
        let spanned = (low_hz - self.bandwidth_hz..=high_hz + self.bandwidth_hz).contains(&look.hz);
        part || (spanned && self.resembles_hop(on_s, look.bandwidth_hz, look.level_dbfs))
    }

    /// Whether `look` is older than all that is remembered of this one.
    fn has_forgotten(&self, look: &Look) -> bool {
        let oldest = self.looks.iter().next();
        self.looks.len() == LOOKS
            && oldest.is_some_and(|own| own.epoch != look.epoch || own.start_s > look.end_s)
    }
}

impl Host<'_> {
    /// How many times as dense as this one's mean `look` is, dB.
    fn denser_db(&self, look: &Look) -> f64 {
        let widths = (self.bandwidth_hz / look.bandwidth_hz.max(1.0)).max(1.0);
        look.level_dbfs - self.highest_dbfs + 10.0 * widths.log10()
    }

    fn is_beside(&self, look: &Look) -> bool {
        let apart_hz = (self.emitter.place.hz - look.hz).abs();
        apart_hz <= SKIRTS_WIDTHS * self.bandwidth_hz + look.bandwidth_hz / 2.0
    }

    /// Whether `look`, of another emitter that has a name of its own or not, is no more than a fragment or the skirts of
    /// what this one sends: weaker, no denser, in its band or beside it, and at a time when this one was on, or faint.
    /// What stands is no fragment of what comes and goes.
    pub fn may_have_shed(&self, look: &Look, named: bool) -> bool {
        let (own_hz, its_hz) = (self.bandwidth_hz, look.bandwidth_hz);
        let standing = look.carrier.is_some() && !self.emitter.is_continuous();
        if self.emitter.hopper || standing || !self.is_beside(look) {
            return false;
        }
        let apart_hz = (self.emitter.place.hz - look.hz).abs();
        let below_db = self.highest_dbfs - look.level_dbfs;
        let on_s = look.end_s - look.start_s;
        let margin_s = FRAGMENT_APART_S + on_s.min(self.longest_s) + TRANSIENT / own_hz.max(1.0);
        let on = self.emitter.is_on_about(look, margin_s) || self.emitter.has_forgotten(look);
        let blip = on_s * its_hz < BLIP_PRODUCT && below_db >= BLIP_DB;
        let dense = self.denser_db(look) >= FRAGMENT_DENSER_DB;
        let at_its_time = on || look.snr_db < FRAGMENT_SNR_DB;
        // What was not measured from samples has the width of its box.
        let around = !look.exact && on && apart_hz <= its_hz / 2.0;
        let inside = around || apart_hz + its_hz / 2.0 <= FRAGMENT_OVERHANG * own_hz / 2.0;
        let part = inside && below_db >= 0.0 && (its_hz < FRAGMENT_WIDTH * own_hz || !named);
        let skirts = below_db >= SKIRTS_DB;
        let keyed = on && below_db >= KEYED_DB && !named;
        (part && blip) || (!dense && ((part || skirts) && at_its_time || keyed))
    }

    /// Whether that may turn out of `look` once this one's latest burst has been reported, or that it is a hop.
    pub fn may_yet_have_shed(&self, look: &Look) -> bool {
        let hop = self.emitter.hopper && self.emitter.may_have_hopped(look);
        let fragment = !self.emitter.hopper
            && self.is_beside(look)
            && look.level_dbfs <= self.highest_dbfs
            && self.denser_db(look) < FRAGMENT_DENSER_DB;
        hop || fragment
    }

    /// See [`Emitter::may_have_hopped`].
    pub fn may_have_hopped(&self, look: &Look) -> bool {
        self.emitter.may_have_hopped(look)
    }
}
