//! Finds emitters by frequency and bandwidth without looking at all of them.
//!
//! Emitters live in buckets of one octave of bandwidth and twice that width in frequency, so that all whose
//! bandwidth is within a factor of eight and whose centre is within half a bandwidth lie in 29 buckets.
//! Buckets share a fixed number of chains: a collision costs a comparison, never a miss.

use super::emission::Place;

const CHAINS: usize = 1024;
const NONE: u32 = u32::MAX;
/// Bandwidths below 32 kHz are one octave: what is on one land mobile channel is compared however wide it is.
const OCTAVE_MIN: i32 = 14;
/// Octaves of bandwidth to either side that are looked through.
const OCTAVES: i32 = 3;
/// Buckets looked through at most.
const BUCKETS: usize = 29;

/// Chains of slots.
#[derive(Debug, Clone)]
pub struct Index {
    heads: Box<[u32; CHAINS]>,
    /// Per slot: the next in its chain, and the chain it is in.
    links: Vec<Link>,
}

#[derive(Debug, Clone, Copy)]
struct Link {
    next: u32,
    chain: u32,
}

impl Default for Index {
    fn default() -> Self {
        Self { heads: Box::new([NONE; CHAINS]), links: Vec::new() }
    }
}

fn octave(bandwidth_hz: f64) -> i32 {
    (bandwidth_hz.max(1.0).log2().floor() as i32).max(OCTAVE_MIN)
}

fn chain(absolute: bool, octave: i32, bucket: i64) -> usize {
    // Fibonacci hashing (Knuth, The Art of Computer Programming 3, 6.4).
    let key = (bucket as u64) ^ ((octave as u64) << 48) ^ (u64::from(absolute) << 60);
    (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 54) as usize % CHAINS
}

fn bucket(hz: f64, octave: i32) -> i64 {
    (hz / 2f64.powi(octave + 1)).floor() as i64
}

impl Index {
    /// Puts `slot` where `place` and `bandwidth_hz` belong, taking it from where it was.
    pub fn put(&mut self, slot: usize, place: Place, bandwidth_hz: f64) {
        let octave = octave(bandwidth_hz);
        let chain = chain(place.absolute, octave, bucket(place.hz, octave));
        if self.links.get(slot).is_some_and(|link| link.chain == chain as u32) {
            return;
        }
        self.remove(slot);
        if self.links.len() <= slot {
            self.links.resize(slot + 1, Link { next: NONE, chain: NONE });
        }
        self.links[slot] = Link { next: self.heads[chain], chain: chain as u32 };
        self.heads[chain] = slot as u32;
    }

    /// Forgets `slot`.
    pub fn remove(&mut self, slot: usize) {
        let Some(&Link { next, chain }) = self.links.get(slot).filter(|link| link.chain != NONE) else {
            return;
        };
        let head = &mut self.heads[chain as usize];
        if *head == slot as u32 {
            *head = next;
        } else {
            let mut at = *head;
            while at != NONE {
                let after = self.links[at as usize].next;
                if after == slot as u32 {
                    self.links[at as usize].next = next;
                    break;
                }
                at = after;
            }
        }
        self.links[slot] = Link { next: NONE, chain: NONE };
    }

    /// Calls `found` with every slot near `place` (and some that are not).
    pub fn near(&self, place: Place, bandwidth_hz: f64, mut found: impl FnMut(usize)) {
        let own = octave(bandwidth_hz);
        let mut seen = [usize::MAX; BUCKETS];
        let mut count = 0;
        for octave in (own - OCTAVES).max(OCTAVE_MIN)..=own + OCTAVES {
            let middle = bucket(place.hz, octave);
            // Half of the own bandwidth, in buckets of that octave.
            let reach = if own > octave { 1 << (own - octave - 1) } else { 1 };
            for bucket in middle - reach..=middle + reach {
                let chain = chain(place.absolute, octave, bucket);
                if seen[..count].contains(&chain) {
                    continue;
                }
                seen[count] = chain;
                count += 1;
                let mut at = self.heads[chain];
                while at != NONE {
                    found(at as usize);
                    at = self.links[at as usize].next;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synth::Rng;

    /// Oracle: comparison with every emitter.
    #[test]
    fn whatever_matches_is_found() {
        let mut rng = Rng::new(3);
        let mut index = Index::default();
        let mut all = Vec::new();
        for slot in 0..400 {
            let hz = 2.4e9 + 80e6 * rng.uniform();
            let bandwidth_hz = 1e3 * 2f64.powf(14.0 * rng.uniform());
            let place = Place { hz, absolute: true };
            index.put(slot, place, 1e6);
            index.put(slot, place, bandwidth_hz);
            all.push((hz, bandwidth_hz));
        }
        for gone in (0..400).step_by(7) {
            index.remove(gone);
        }
        let mut matched = 0;
        for _ in 0..2000 {
            let hz = 2.4e9 + 80e6 * rng.uniform();
            let bandwidth_hz = 1e3 * 2f64.powf(14.0 * rng.uniform());
            let mut found = Vec::new();
            index.near(Place { hz, absolute: true }, bandwidth_hz, |slot| found.push(slot));
            for (slot, &(other_hz, other_bandwidth_hz)) in all.iter().enumerate() {
                let near = (hz - other_hz).abs() <= bandwidth_hz.max(other_bandwidth_hz) / 2.0;
                let alike = bandwidth_hz.max(other_bandwidth_hz)
                    <= 7.99 * bandwidth_hz.min(other_bandwidth_hz).max(1024.0);
                if near && alike && slot % 7 != 0 {
                    matched += 1;
                    assert!(found.contains(&slot), "slot {slot}");
                }
            }
            assert!(found.iter().all(|slot| slot % 7 != 0), "a removed slot is found");
        }
        assert!(matched > 1000);
    }
}
