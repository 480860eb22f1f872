//! Volatility from ranges and gaps, whatever the drift.

use garde::{Path, Report};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rogers_satchell;
use crate::feature::log_volatility::{VOLATILITY_BARS, log_volatility};
use crate::feature::trailing::{check_bars, mean, sample_variance, trailing};
use crate::feature::{Channel, Feature, Stretch, Unit};

/// ln of the volatility of Yang and Zhang (2000) over the last n bars: gaps between bars are in it, and a drift does not
/// matter. It is biased down where a bar holds few trades.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct YangZhang {
    /// n: bars looked back on, this one included; one more is needed for the first gap.
    pub bars: usize,
}

impl Default for YangZhang {
    fn default() -> Self {
        Self { bars: VOLATILITY_BARS }
    }
}

impl Feature for YangZhang {
    fn formula(&self) -> &'static str {
        "½·ln(var(o) + k·var(c) + (1 − k)·RS), o = ln(O / C₋₁), c = ln(C / O), k = 0.34 / (1.34 + (n + 1) / (n − 1)) (Yang, Zhang 2000)"
    }

    fn channels(&self) -> &'static [Channel] {
        &[Channel { name: "yang_zhang", unit: Unit::LogVolatility }]
    }

    fn warm_up(&self) -> usize {
        self.bars
    }

    fn check(&self, path: &Path, report: &mut Report) {
        check_bars("bars", self.bars, 2, path, report);
    }

    fn compute(&self, bars: &Stretch<'_>, out: &mut [f64]) {
        let n = self.bars as f64;
        let k = 0.34 / (1.34 + (n + 1.0) / (n - 1.0));
        let gaps: Vec<f64> = (1..bars.len()).map(|row| (bars.open[row] / bars.close[row - 1]).ln()).collect();
        let bodies: Vec<f64> = (1..bars.len()).map(|row| (bars.close[row] / bars.open[row]).ln()).collect();
        let inside: Vec<f64> = (1..bars.len()).map(|row| rogers_satchell::variance(bars, row)).collect();
        for (newest, recent) in trailing(gaps.len(), self.bars) {
            let (gap, body) =
                (sample_variance(&gaps[recent.clone()]), sample_variance(&bodies[recent.clone()]));
            out[newest + 1] = log_volatility(gap + k * body + (1.0 - k) * mean(&inside[recent]));
        }
    }
}
