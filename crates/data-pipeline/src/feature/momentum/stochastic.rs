//! Where the close is in the recent range.

use garde::{Path, Report};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::feature::trailing::{check_bars, trailing};
use crate::feature::{Channel, Feature, Stretch, Unit};

/// Lane's own choice, in bars.
const STOCHASTIC_BARS: usize = 14;

/// The stochastic oscillator %K of Lane (1957), mapped from 0 … 100 to −1 … 1: where the close is between the lowest low and the
/// highest high of the last n bars. 0 where they are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Stochastic {
    /// n: bars looked back on, this one included.
    pub bars: usize,
}

impl Default for Stochastic {
    fn default() -> Self {
        Self { bars: STOCHASTIC_BARS }
    }
}

impl Feature for Stochastic {
    fn formula(&self) -> &'static str {
        "2·(C − lowest L) / (highest H − lowest L) − 1 over n bars; 0 where they are one (Lane 1957)"
    }

    fn channels(&self) -> &'static [Channel] {
        &[Channel { name: "stochastic", unit: Unit::Position }]
    }

    fn warm_up(&self) -> usize {
        self.bars.saturating_sub(1)
    }

    fn check(&self, path: &Path, report: &mut Report) {
        check_bars("bars", self.bars, 1, path, report);
    }

    fn compute(&self, bars: &Stretch<'_>, out: &mut [f64]) {
        for (row, recent) in trailing(bars.len(), self.bars) {
            let lowest = bars.low[recent.clone()].iter().copied().fold(f64::INFINITY, f64::min);
            let highest = bars.high[recent].iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let still = highest == lowest;
            out[row] = if still { 0.0 } else { 2.0 * (bars.close[row] - lowest) / (highest - lowest) - 1.0 };
        }
    }
}
