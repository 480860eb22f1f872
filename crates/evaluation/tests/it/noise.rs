//! Seeded noise for tests.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Standard normal numbers from a seed.
pub(crate) struct Noise(ChaCha8Rng);

impl Noise {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    pub(crate) fn uniform(&mut self) -> f64 {
        ((self.0.next_u64() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// Box and Muller.
    pub(crate) fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// `rows` steps of x ← φ·x + ε, begun in the stationary distribution.
    pub(crate) fn autoregressive(&mut self, rows: usize, phi: f64) -> Vec<f64> {
        let mut x = self.normal() / (1.0 - phi * phi).sqrt();
        let mut step = || {
            x = phi * x + self.normal();
            x
        };
        (0..rows).map(|_| step()).collect()
    }

    /// `rows` sums of `horizon` consecutive shocks, each starting one shock later: labels that overlap.
    pub(crate) fn overlapping(&mut self, rows: usize, horizon: usize) -> Vec<f64> {
        let shocks: Vec<f64> = (0..rows + horizon - 1).map(|_| self.normal()).collect();
        shocks.windows(horizon).map(|label| label.iter().sum()).collect()
    }
}
