//! Keyed normal noise.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

/// An endless stream of standard normal numbers: a function of a key and a timeframe.
pub(super) struct Noise {
    random: ChaCha8Rng,
    spare: Option<f32>,
}

impl Noise {
    pub(super) fn new(key: u64, timeframe: usize) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(key);
        random.set_stream(timeframe as u64);
        Self { random, spare: None }
    }

    /// Standard normal (Box and Muller 1958), at most 6.7 in size: 32 bits for each uniform number are enough for noise.
    pub(super) fn normal(&mut self) -> f32 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let bits = self.random.next_u64();
        let uniform = |bits: u32| (f64::from(bits) + 1.0) * 2.0_f64.powi(-32);
        let radius = (-2.0 * uniform((bits >> 32) as u32).ln()).sqrt();
        let (sin, cos) = (std::f64::consts::TAU * uniform(bits as u32)).sin_cos();
        self.spare = Some((radius * sin) as f32);
        (radius * cos) as f32
    }
}
