//! Randomness as a function of (study seed, trial number).

use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

/// The random stream of one trial: a function of the study's seed and the trial's number, so that what a trial draws does not
/// depend on who runs it, or on what runs beside it.
#[derive(Clone, Debug)]
pub struct TrialRandom(rand_chacha::ChaCha8Rng);

impl TrialRandom {
    /// The stream of trial `number` under `seed`, for its joint sample.
    #[must_use]
    pub fn of(seed: u64, number: u64) -> Self {
        Self::keyed(seed, number, 0)
    }

    /// The stream of the same trial for the parameter `name` alone, so that it does not matter in which order parameters are
    /// asked for.
    #[must_use]
    pub fn for_parameter(seed: u64, number: u64, name: &str) -> Self {
        // FNV-1a, 64 bits: short, and the same for ever.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self::keyed(seed, number, hash | 1)
    }

    fn keyed(seed: u64, number: u64, part: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&number.to_le_bytes());
        key[16..24].copy_from_slice(&part.to_le_bytes());
        Self(rand_chacha::ChaCha8Rng::from_seed(key))
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Uniform in `[0, 1)`, a multiple of 2⁻⁵³.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * f64::EPSILON / 2.0
    }

    /// Uniform over `0..count`; 0 if `count` is 0.
    pub fn below(&mut self, count: usize) -> usize {
        // The high half of a product of 128 bits; its bias is `count` / 2⁶⁴.
        ((u128::from(self.bits()) * count as u128) >> 64) as usize
    }
}
