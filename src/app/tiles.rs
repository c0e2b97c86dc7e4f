//! Where to tune to see a range whole: no bin of it is only seen where the receiver's own offset or the fall of its
//! filters hides it.
//!
//! Tunings are half of the usable width apart, less what the offset takes: the offset of each lies in what the one
//! before it sees well.

use crate::sdr::ReceiverProfile;

/// Bins on either side that a line in the middle of one spreads to: the first null of the analysis window.
const LOBE_BINS: usize = 3;

/// How a receiver sees around its centre, hertz.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    /// Width that its filters leave flat.
    pub usable_hz: f64,
    /// Width in the middle that its offset hides.
    pub offset_hz: f64,
    /// Width of a bin; tunings are whole bins apart.
    pub step_hz: f64,
}

impl View {
    /// That of a receiver of `profile` at `rate_hz`, in bins of `step_hz`.
    pub fn of(profile: &ReceiverProfile, rate_hz: f64, step_hz: f64) -> Self {
        let usable_hz = profile.usable_hz / profile.rate_hz * rate_hz;
        // At a low rate the offset's own width is all there would be.
        let offset_hz = profile.offset_hz.min(usable_hz / 4.0);
        Self { usable_hz, offset_hz, step_hz }
    }

    /// Bins between the centre and the first one that is used.
    pub fn hidden_bins(&self) -> usize {
        (self.offset_hz / 2.0 / self.step_hz + 0.5).ceil() as usize + LOBE_BINS
    }

    /// Bins between two tunings, at least one.
    pub fn apart_bins(&self) -> usize {
        let half = (self.usable_hz / 2.0 / self.step_hz).floor() as usize;
        half.saturating_sub(self.hidden_bins()).max(1)
    }
}

/// A tuning, and the stretch that is its own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tile {
    /// Frequency of the middle, hertz: of a bin.
    pub center_hz: f64,
    /// Lower edge of the first bin that is its own, hertz.
    pub low_hz: f64,
    /// How many bins are.
    pub bins: usize,
}

/// The tunings for `ranges_hz`, of what lies within `tunable_hz`; each range by itself, upwards.
pub fn tiles(ranges_hz: &[[f64; 2]], tunable_hz: &[[f64; 2]], view: &View) -> Vec<Tile> {
    let within = |range: &[f64; 2]| {
        let cut = tunable_hz.iter().map(|own| [range[0].max(own[0]), range[1].min(own[1])]);
        cut.zip(tunable_hz)
            .filter(|([low, high], _)| low < high)
            .map(|(cut, own)| (cut, *own))
            .collect::<Vec<_>>()
    };
    ranges_hz.iter().flat_map(within).flat_map(|(range, own)| one(range, own, view)).collect()
}

fn one([low_hz, high_hz]: [f64; 2], own: [f64; 2], view: &View) -> Vec<Tile> {
    let step_hz = view.step_hz;
    let (hidden, apart) = (view.hidden_bins(), view.apart_bins());
    let all = ((high_hz - low_hz) / step_hz).ceil().max(1.0) as usize;
    let mut out = Vec::new();
    let mut next = 0;
    while next < all {
        let bins = apart.min(all - next);
        let first_hz = low_hz + next as f64 * step_hz;
        // The middle of the first bin, and so many bins below it.
        let center_hz = first_hz + step_hz / 2.0 - hidden as f64 * step_hz;
        out.push(Tile { center_hz, low_hz: first_hz, bins });
        next += bins;
    }
    // What is used around the middle lies within what it tunes to, so that the middle is half a width below the end.
    for tile in &mut out {
        let highest_hz = (own[1] - view.usable_hz / 2.0).max(own[0]);
        tile.center_hz -= ((tile.center_hz - highest_hz) / step_hz).ceil().max(0.0) * step_hz;
    }
    // Below what it tunes to nothing can be the middle: the lower half of the next one up sees the first stretch.
    for tile in &mut out {
        if tile.center_hz < own[0] {
            let up = ((own[0] - tile.center_hz) / step_hz).floor() + (apart + hidden) as f64;
            tile.center_hz = (tile.center_hz + up * step_hz).min(own[1]);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIEW: View = View { usable_hz: 16e6, offset_hz: 200e3, step_hz: 10e3 };

    #[test]
    fn a_range_is_tiled_without_holes_and_outside_of_every_offset() {
        let tiles = tiles(&[[2.4e9, 2.4835e9]], &[[1e6, 6e9]], &VIEW);
        assert_eq!(tiles.len(), 11);
        assert_eq!(tiles.iter().map(|tile| tile.bins).sum::<usize>(), 8350);
        for (tile, next) in tiles.iter().zip(&tiles[1..]) {
            assert!((tile.low_hz + tile.bins as f64 * 10e3 - next.low_hz).abs() < 1.0);
        }
        for tile in tiles {
            let (from_hz, to_hz) =
                (tile.low_hz - tile.center_hz, tile.low_hz + tile.bins as f64 * 10e3 - tile.center_hz);
            assert!(from_hz >= 100e3 && to_hz <= 8e6, "{from_hz} {to_hz}");
        }
    }

    #[test]
    fn what_cannot_be_tuned_to_is_left_out_and_its_edge_seen_from_above() {
        let view = View { usable_hz: 2e6, offset_hz: 40e3, step_hz: 10e3 };
        let tiles = tiles(&[[20e6, 24.5e6], [1.766e9, 2.4e9]], &[[24e6, 1765e6]], &view);
        assert_eq!(tiles.len(), 1);
        let tile = tiles[0];
        assert_eq!((tile.low_hz, tile.bins), (24e6, 50));
        assert!(tile.center_hz > 24.5e6 + 20e3 - 1.0 && tile.center_hz - 24e6 <= 1e6, "{tile:?}");
    }

    #[test]
    fn a_rate_too_low_for_the_offset_still_moves_on() {
        let view = View { usable_hz: 30e3, offset_hz: 7.5e3, step_hz: 10e3 };
        assert_eq!(tiles(&[[1e9, 1.0001e9]], &[[1e6, 6e9]], &view).len(), 10);
    }
}
