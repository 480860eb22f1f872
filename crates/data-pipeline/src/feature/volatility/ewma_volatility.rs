//! Volatility that forgets slowly.

use garde::{Path, Report};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::feature::ewma::Ewma;
use crate::feature::log_volatility::log_volatility;
use crate::feature::trailing::{check_bars, log_returns};
use crate::feature::{Channel, Feature, Stretch, Unit};

/// Bars unless told otherwise: close to RiskMetrics' decay of 0.94 a day.
const HALF_LIFE: usize = 11;

/// ln of the root of an exponentially weighted mean of squared log returns, with α = 1 − 2^(−1 / half-life). The weights end
/// where a thousandth of them is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EwmaVolatility {
    /// Bars after which a return counts half.
    pub half_life: usize,
}

impl Default for EwmaVolatility {
    fn default() -> Self {
        Self { half_life: HALF_LIFE }
    }
}

impl EwmaVolatility {
    fn alpha(self) -> f64 {
        1.0 - 0.5_f64.powf(1.0 / self.half_life as f64)
    }
}

impl Feature for EwmaVolatility {
    fn formula(&self) -> &'static str {
        "½·ln(Σ wₖ·r²ₖ), wₖ ∝ (1 − α)ᵏ, α = 1 − 2^(−1 / half_life), until a thousandth of the weight is left"
    }

    fn channels(&self) -> &'static [Channel] {
        &[Channel { name: "ewma_volatility", unit: Unit::LogVolatility }]
    }

    fn warm_up(&self) -> usize {
        Ewma::bars(self.alpha())
    }

    fn check(&self, path: &Path, report: &mut Report) {
        check_bars("half_life", self.half_life, 1, path, report);
    }

    fn compute(&self, bars: &Stretch<'_>, out: &mut [f64]) {
        let squares: Vec<f64> = log_returns(bars.close).iter().map(|r| r.powi(2)).collect();
        for (mean, value) in
            Ewma::new(self.alpha()).over(&squares).iter().zip(out.iter_mut().skip(self.warm_up()))
        {
            *value = log_volatility(*mean);
        }
    }
}
