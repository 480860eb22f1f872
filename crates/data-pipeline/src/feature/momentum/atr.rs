//! The usual range of a bar.

use garde::{Path, Report};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::feature::ewma::{Ewma, wilder};
use crate::feature::trailing::check_bars;
use crate::feature::{Channel, Feature, Stretch, Unit};

/// Wilder's own choice, in bars.
const ATR_PERIOD: usize = 14;

/// The average true range of Wilder (1978), as a share of the close: his average, α = 1 / period, of the largest of high − low,
/// |high − previous close| and |low − previous close|. The weights end where a thousandth of them is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Atr {
    /// Wilder's period, in bars.
    pub period: usize,
}

impl Default for Atr {
    fn default() -> Self {
        Self { period: ATR_PERIOD }
    }
}

impl Feature for Atr {
    fn formula(&self) -> &'static str {
        "average of max(H, C₋₁) − min(L, C₋₁) with weights ∝ (1 − 1 / period)ᵏ, until a thousandth is left, divided by C (Wilder 1978)"
    }

    fn channels(&self) -> &'static [Channel] {
        &[Channel { name: "atr", unit: Unit::PriceShare }]
    }

    fn warm_up(&self) -> usize {
        Ewma::bars(wilder(self.period))
    }

    fn check(&self, path: &Path, report: &mut Report) {
        check_bars("period", self.period, 1, path, report);
    }

    fn compute(&self, bars: &Stretch<'_>, out: &mut [f64]) {
        let range = |(row, &before): (usize, &f64)| bars.high[row].max(before) - bars.low[row].min(before);
        let ranges: Vec<f64> = (1..bars.len()).zip(bars.close).map(range).collect();
        let averages = Ewma::new(wilder(self.period)).over(&ranges);
        let rows = bars.close.iter().zip(out).skip(self.warm_up());
        for (average, (close, value)) in averages.iter().zip(rows) {
            *value = average / close;
        }
    }
}
