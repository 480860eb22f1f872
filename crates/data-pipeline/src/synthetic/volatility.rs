//! The standard deviation of the next bar's log return, known when the bar before it closes.

use super::noise::{Noise, Purpose};
use crate::time::{DAY, Timestamp};

/// Of a one-minute log return, in the middle of all patterns.
const TYPICAL: f64 = 5e-4;
/// Log volatility over the day: ± this much.
const DAILY_AMPLITUDE: f64 = 0.2;
/// Minutes over which clustering fades to 1/e.
const CLUSTER_MEMORY: f64 = 300.0;
/// Standard deviation of log volatility by clustering.
const CLUSTER_SPREAD: f64 = 0.2;
/// Minutes over which the activity that switches regimes is averaged.
const REGIME_MEMORY: f64 = 480.0;
/// Log volatility in the calm regime is below, in the turbulent one above the middle by this much.
const REGIME_AMPLITUDE: f64 = 0.2;
/// Turbulence starts when activity is above the first and ends when it is below the second, in its standard deviations.
const REGIME_BOUNDS: (f64, f64) = (0.6, -0.2);
/// Mean of |ε| for a standard normal ε: √(2/π).
const MEAN_SIZE: f64 = 0.797_884_560_802_865_4;
/// Standard deviation of |ε| for a standard normal ε: √(1 − 2/π).
const SIZE_SPREAD: f64 = 0.602_810_274_989_087;

/// State of the volatility after the bars observed so far.
pub(super) struct Volatility {
    cluster: f64,
    activity: f64,
    turbulent: bool,
    daily_phase: f64,
}

impl Volatility {
    /// In its middle; `start` draws the symbol's daily pattern.
    pub(super) fn new(start: &mut Noise) -> Self {
        Self { cluster: 0.0, activity: 0.0, turbulent: false, daily_phase: start.uniform() }
    }

    /// A symbol-free volatility for calibration.
    pub(super) fn for_calibration() -> Self {
        Self::new(&mut Noise::new(0, 0, Purpose::Start))
    }

    /// Standard deviation of the next log return, as known at `decision`.
    pub(super) fn next(&self, decision: Timestamp) -> f64 {
        let daily =
            DAILY_AMPLITUDE * (std::f64::consts::TAU * (day_fraction(decision) + self.daily_phase)).sin();
        let regime = if self.turbulent { REGIME_AMPLITUDE } else { -REGIME_AMPLITUDE };
        TYPICAL * (daily + self.cluster + regime).exp()
    }

    /// Takes in the newest bar's noise: the part of its standardised log return that could not be foreseen. Not the whole
    /// return, or a strong signal would make its own weather.
    pub(super) fn observe(&mut self, noise: f64) {
        let surprise = (noise.abs() - MEAN_SIZE) / SIZE_SPREAD;
        let persistence = (-1.0 / CLUSTER_MEMORY).exp();
        let gain = CLUSTER_SPREAD * (1.0 - persistence * persistence).sqrt();
        self.cluster = persistence * self.cluster + gain * surprise;

        let persistence = (-1.0 / REGIME_MEMORY).exp();
        let gain = (1.0 - persistence * persistence).sqrt();
        self.activity = persistence * self.activity + gain * surprise;
        self.turbulent = self.activity > if self.turbulent { REGIME_BOUNDS.1 } else { REGIME_BOUNDS.0 };
    }
}

/// How much of the UTC day has passed at `instant`, in [0, 1).
pub(super) fn day_fraction(instant: Timestamp) -> f64 {
    instant.nanos().rem_euclid(DAY) as f64 / DAY as f64
}
