//! Bounded memories: a ring of the latest, a histogram of levels, and medians over short slices.

/// The latest `N` items, oldest first.
#[derive(Debug, Clone)]
pub struct Ring<T, const N: usize> {
    items: Vec<T>,
    /// Where the next item goes once the ring is full.
    next: usize,
}

impl<T, const N: usize> Default for Ring<T, N> {
    fn default() -> Self {
        Self { items: Vec::new(), next: 0 }
    }
}

impl<T, const N: usize> Ring<T, N> {
    /// Adds an item, in the place of the oldest when full.
    pub fn push(&mut self, item: T) {
        if self.items.len() < N {
            self.items.push(item);
        } else {
            self.items[self.next] = item;
            self.next = (self.next + 1) % N;
        }
    }

    /// Number of items held.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether none is held.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// From the oldest to the latest.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> + Clone {
        let (late, early) = self.items.split_at(self.next);
        early.iter().chain(late)
    }

    /// From the latest to the oldest, to be changed.
    pub fn latest_mut(&mut self) -> impl Iterator<Item = &mut T> {
        let (late, early) = self.items.split_at_mut(self.next);
        late.iter_mut().rev().chain(early.iter_mut().rev())
    }

    /// The latest.
    pub fn last(&self) -> Option<&T> {
        self.iter().next_back()
    }

    /// Forgets the items, keeps the memory.
    pub fn clear(&mut self) {
        self.items.clear();
        self.next = 0;
    }
}

/// Lowest level that is told apart, dBFS.
const LOWEST_DB: f64 = -180.0;
/// Bins of 1 dB.
const LEVELS: usize = 200;

/// How often each level was seen, to 1 dB, over the whole life of an emitter.
#[derive(Debug, Clone)]
pub struct Levels {
    counts: Box<[u32; LEVELS]>,
    total: u64,
    highest_db: f64,
}

impl Default for Levels {
    fn default() -> Self {
        Self { counts: Box::new([0; LEVELS]), total: 0, highest_db: f64::NEG_INFINITY }
    }
}

impl Levels {
    /// Counts a level.
    pub fn push(&mut self, level_db: f64) {
        let bin = (level_db - LOWEST_DB).clamp(0.0, (LEVELS - 1) as f64) as usize;
        self.counts[bin] = self.counts[bin].saturating_add(1);
        self.total += 1;
        self.highest_db = self.highest_db.max(level_db);
    }

    /// Adds all that `other` counted.
    pub fn absorb(&mut self, other: &Self) {
        for (mine, theirs) in self.counts.iter_mut().zip(other.counts.iter()) {
            *mine = mine.saturating_add(*theirs);
        }
        self.total += other.total;
        self.highest_db = self.highest_db.max(other.highest_db);
    }

    /// The level below which `fraction` of all lie, to half a decibel.
    pub fn quantile(&self, fraction: f64) -> Option<f64> {
        let mut left = (fraction.clamp(0.0, 1.0) * self.total as f64) as u64;
        for (bin, &count) in self.counts.iter().enumerate() {
            if u64::from(count) > left {
                return Some(LOWEST_DB + bin as f64 + 0.5);
            }
            left = left.saturating_sub(u64::from(count));
        }
        (self.total > 0).then_some(self.highest_db)
    }

    /// The highest level, exactly; negative infinity if there is none.
    pub fn highest(&self) -> f64 {
        self.highest_db
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.counts.fill(0);
        self.total = 0;
        self.highest_db = f64::NEG_INFINITY;
    }
}

/// The value below which `fraction` of `values` lie (nearest rank); reorders them. `None` if there is none.
pub fn quantile(values: &mut [f64], fraction: f64) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    let rank = ((values.len() - 1) as f64 * fraction.clamp(0.0, 1.0)).round() as usize;
    let (_, value, _) = values.select_nth_unstable_by(rank, f64::total_cmp);
    Some(*value)
}

/// The median of `values`, the lower one of two; reorders them.
pub fn median(values: &mut [f64]) -> Option<f64> {
    let middle = values.len().saturating_sub(1) / 2;
    if values.is_empty() {
        return None;
    }
    let (_, value, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    Some(*value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_keeps_the_latest_in_order() {
        let mut ring = Ring::<u32, 4>::default();
        for item in 0..10 {
            ring.push(item);
        }
        assert_eq!(ring.iter().copied().collect::<Vec<_>>(), [6, 7, 8, 9]);
        assert_eq!(ring.latest_mut().map(|item| *item).collect::<Vec<_>>(), [9, 8, 7, 6]);
        assert_eq!(ring.last(), Some(&9));
    }

    #[test]
    fn quantiles_are_ranks() {
        let mut values = [5.0, 1.0, 4.0, 2.0, 3.0];
        assert_eq!(median(&mut values), Some(3.0));
        assert_eq!(quantile(&mut values, 0.0), Some(1.0));
        assert_eq!(quantile(&mut values, 1.0), Some(5.0));
        assert_eq!(median(&mut []), None);
    }

    #[test]
    fn levels_know_their_quantiles_to_half_a_decibel() {
        let mut levels = Levels::default();
        assert_eq!(levels.quantile(0.5), None);
        for step in 0..100 {
            levels.push(-90.0 + 0.5 * f64::from(step));
        }
        assert!((levels.quantile(0.5).unwrap() - -65.0).abs() <= 1.0);
        assert!((levels.quantile(0.0).unwrap() - -90.0).abs() <= 0.5);
        assert!((levels.quantile(1.0).unwrap() - -40.5).abs() <= 1.0);
        assert_eq!(levels.highest(), -40.5);
    }
}
