//! The short local pattern: a soft threshold of a matched filter over the newest standardised log returns.

use super::noise::{Noise, Purpose};
use super::volatility::Volatility;
use super::{MEMORY_SHARE, memory};
use crate::time::{MINUTE, Timestamp};

/// The filter, newest bar first: unit length, no weight on the newest bar, no weight in sum.
pub(super) const WEIGHTS: [f64; 5] = [0.0, 0.5, -0.5, -0.5, 0.5];
/// Filter outputs within ± this many standard deviations say nothing.
const THRESHOLD: f64 = 0.5;
/// Beyond this many they say no more; without a bound a strong signal would feed on itself.
const SATURATION: f64 = 3.0;
/// Minutes of a trial run that measures the pattern's size, and how many runs there are.
const CALIBRATION_MINUTES: i64 = 200_000;
const CALIBRATION_ROUNDS: usize = 8;

/// The newest standardised log returns and what they say.
pub(super) struct Pattern {
    recent: [f64; WEIGHTS.len()],
    scale: f64,
}

impl Pattern {
    /// Nothing seen yet; `scale` brings the pattern to unit variance.
    pub(super) fn new(scale: f64) -> Self {
        Self { recent: [0.0; WEIGHTS.len()], scale }
    }

    pub(super) fn observe(&mut self, shock: f64) {
        self.recent.rotate_right(1);
        self.recent[0] = shock;
    }

    /// The pattern's forecast of the next standardised log return; odd, unit variance.
    pub(super) fn value(&self) -> f64 {
        let filtered: f64 = WEIGHTS.iter().zip(&self.recent).map(|(weight, shock)| weight * shock).sum();
        self.scale * soft_threshold(filtered)
    }
}

fn soft_threshold(x: f64) -> f64 {
    (x.abs().min(SATURATION) - THRESHOLD).max(0.0).copysign(x)
}

/// The scale at which E[σ²a²] = E[σ²] for signal strength `best_ic`. The pattern feeds back into the returns that it is
/// computed from and into volatility, so the scale is found by trial runs of a fixed seed of their own. A strong signal
/// overshoots, hence the half steps; up to STRONGEST_BEST_IC so many of them leave less than 1 % to the next.
pub(super) fn unit_scale(best_ic: f64) -> f64 {
    let threshold_only = 1.0 / trial(1.0, 0.0);
    (0..CALIBRATION_ROUNDS).fold(threshold_only, |scale, _| scale / trial(scale, best_ic).sqrt())
}

/// √(E[σ²a²] / E[σ²]) over a trial run.
fn trial(scale: f64, best_ic: f64) -> f64 {
    let mut noise = Noise::new(0, 0, Purpose::Calibration);
    let mut volatility = Volatility::for_calibration();
    let mut pattern = Pattern::new(scale);
    let mut memory = 0.0;
    let persistence = memory::PERSISTENCE.powf(1.0 / memory::MINUTES as f64);
    let (mut planted, mut all) = (0.0, 0.0);
    for minute in 0..CALIBRATION_MINUTES {
        let sigma = volatility.next(Timestamp::from_nanos(minute * MINUTE));
        let local = pattern.value();
        planted += (sigma * local).powi(2);
        all += sigma.powi(2);
        memory = persistence * memory + (1.0 - persistence * persistence).sqrt() * noise.normal();
        let surprise = noise.normal();
        volatility.observe(surprise);
        pattern.observe(best_forecast(best_ic, local, memory) + (1.0 - best_ic * best_ic).sqrt() * surprise);
    }
    (planted / all).sqrt()
}

/// The best forecast of the next standardised log return.
pub(super) fn best_forecast(best_ic: f64, local: f64, memory: f64) -> f64 {
    best_ic * ((1.0 - MEMORY_SHARE).sqrt() * local + MEMORY_SHARE.sqrt() * memory)
}
