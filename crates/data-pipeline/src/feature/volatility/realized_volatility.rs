//! The root mean square of returns.

use garde::{Path, Report};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::feature::log_volatility::{VOLATILITY_BARS, log_volatility};
use crate::feature::trailing::{check_bars, log_returns, mean, trailing};
use crate::feature::{Channel, Feature, Stretch, Unit};

/// ln of the root mean square of the last n log returns, not less than the logarithm of the root of
/// [`VARIANCE_FLOOR`](crate::VARIANCE_FLOOR).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RealizedVolatility {
    /// n: returns looked back on.
    pub bars: usize,
}

impl Default for RealizedVolatility {
    fn default() -> Self {
        Self { bars: VOLATILITY_BARS }
    }
}

impl Feature for RealizedVolatility {
    fn formula(&self) -> &'static str {
        "½·ln(Σ r² / n), r = ln(C / C₋₁)"
    }

    fn channels(&self) -> &'static [Channel] {
        &[Channel { name: "realized_volatility", unit: Unit::LogVolatility }]
    }

    fn warm_up(&self) -> usize {
        self.bars
    }

    fn check(&self, path: &Path, report: &mut Report) {
        check_bars("bars", self.bars, 1, path, report);
    }

    fn compute(&self, bars: &Stretch<'_>, out: &mut [f64]) {
        let squares: Vec<f64> = log_returns(bars.close).iter().map(|r| r.powi(2)).collect();
        for (newest, recent) in trailing(squares.len(), self.bars) {
            out[newest + 1] = log_volatility(mean(&squares[recent]));
        }
    }
}
