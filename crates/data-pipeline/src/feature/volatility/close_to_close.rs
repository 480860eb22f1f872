//! The sample deviation of returns.

use garde::{Path, Report};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::feature::log_volatility::{VOLATILITY_BARS, log_volatility};
use crate::feature::trailing::{check_bars, log_returns, sample_variance, trailing};
use crate::feature::{Channel, Feature, Stretch, Unit};

/// ln of the sample standard deviation (n − 1) of the last n log returns; gaps between bars are in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CloseToClose {
    /// n: returns looked back on.
    pub bars: usize,
}

impl Default for CloseToClose {
    fn default() -> Self {
        Self { bars: VOLATILITY_BARS }
    }
}

impl Feature for CloseToClose {
    fn formula(&self) -> &'static str {
        "½·ln(Σ(r − r̄)² / (n − 1)), r = ln(C / C₋₁)"
    }

    fn channels(&self) -> &'static [Channel] {
        &[Channel { name: "close_to_close", unit: Unit::LogVolatility }]
    }

    fn warm_up(&self) -> usize {
        self.bars
    }

    fn check(&self, path: &Path, report: &mut Report) {
        check_bars("bars", self.bars, 2, path, report);
    }

    fn compute(&self, bars: &Stretch<'_>, out: &mut [f64]) {
        let returns = log_returns(bars.close);
        for (newest, recent) in trailing(returns.len(), self.bars) {
            out[newest + 1] = log_volatility(sample_variance(&returns[recent]));
        }
    }
}
