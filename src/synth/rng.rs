//! Random numbers as a function of a key: the same key gives the same numbers wherever and whenever it is asked.

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): small, fast, seedable by any number.
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    /// A stream for `key`.
    pub fn new(key: u64) -> Self {
        Self(key)
    }

    /// A stream for several words, each of which changes all of it.
    pub fn keyed(words: &[u64]) -> Self {
        let mut state = 0x9E37_79B9_7F4A_7C15;
        for word in words {
            state = Self(state ^ word).next_u64();
        }
        Self(state)
    }

    /// 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform in [0, 1).
    pub fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Uniform in [0, n).
    pub fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.next_u64()) * u128::from(n)) >> 64) as u64
    }

    /// Standard normal (Box and Muller 1958).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
}
