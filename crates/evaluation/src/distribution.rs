//! How good forecasts are that say how sure they are: quantiles and normal distributions of a number.
//!
//! One number each; the mean over rows is the caller's. All have the unit of the outcome but the likelihood and the coverage.

use std::f64::consts::{FRAC_1_SQRT_2, PI, SQRT_2};

/// Pinball loss of the quantile `forecast` at `level` in (0, 1) (Koenker and Bassett 1978): `level·(y − q)` where the outcome
/// lies above, `(1 − level)·(q − y)` where it lies below. Half the absolute error at the median.
#[must_use]
pub fn pinball(level: f64, forecast: f64, outcome: f64) -> f64 {
    let above = outcome - forecast;
    if above >= 0.0 { level * above } else { (level - 1.0) * above }
}

/// A normal distribution that was forecast; `deviation` is positive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normal {
    /// Its mean.
    pub mean: f64,
    /// Its standard deviation.
    pub deviation: f64,
}

impl Normal {
    /// Negative log density at `outcome`, in nats of the outcome's unit: `½ ln 2π + ln σ + ½ z²`, `z` the outcome in standard
    /// deviations from the mean.
    #[must_use]
    pub fn negative_log_likelihood(&self, outcome: f64) -> f64 {
        let z = (outcome - self.mean) / self.deviation;
        0.5 * (2.0 * PI).ln() + self.deviation.ln() + 0.5 * z * z
    }

    /// Continuous ranked probability score, `σ (z (2Φ(z) − 1) + 2φ(z) − 1/√π)` (Gneiting and Raftery 2007): the absolute
    /// error where the distribution is a point.
    #[must_use]
    pub fn crps(&self, outcome: f64) -> f64 {
        let z = (outcome - self.mean) / self.deviation;
        let density = (-0.5 * z * z).exp() / (2.0 * PI).sqrt();
        let central = libm::erf(z * FRAC_1_SQRT_2);
        self.deviation * (z.mul_add(central, 2.0 * density) - 1.0 / PI.sqrt())
    }

    /// Whether `outcome` lies in the central interval that holds `share` of the distribution.
    #[must_use]
    pub fn covers(&self, share: f64, outcome: f64) -> bool {
        libm::erf((outcome - self.mean).abs() / (self.deviation * SQRT_2)) <= share
    }
}

#[cfg(test)]
mod tests;
