//! Randomness as a function of (study seed, trial number).

/// The random stream of one trial: a function of the study's seed and the trial's number, so that what a trial draws does not
/// depend on who runs it, or on what runs beside it.
pub struct TrialRandom(rand_chacha::ChaCha8Rng);

impl TrialRandom {
    /// The stream of trial `number` under `seed`.
    #[must_use]
    pub fn of(seed: u64, number: u64) -> Self {
        use rand_chacha::rand_core::SeedableRng;
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&number.to_le_bytes());
        Self(rand_chacha::ChaCha8Rng::from_seed(key))
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        use rand_chacha::rand_core::Rng;
        self.0.next_u64()
    }

    /// Uniform in `[0, 1)`, a multiple of 2⁻⁵³.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * f64::EPSILON / 2.0
    }
}
