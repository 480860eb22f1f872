//! How far the price is below its recent height.

use garde::{Path, Report};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::feature::trailing::{check_bars, trailing};
use crate::feature::{Channel, Feature, Stretch, Unit};

/// Bars looked back on unless told otherwise: as many as a window has by default.
const DRAWDOWN_BARS: usize = 60;

/// ln(close / highest close of the last n bars): 0 at a new high, negative below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Drawdown {
    /// n: bars looked back on, this one included.
    pub bars: usize,
}

impl Default for Drawdown {
    fn default() -> Self {
        Self { bars: DRAWDOWN_BARS }
    }
}

impl Feature for Drawdown {
    fn formula(&self) -> &'static str {
        "ln(C / highest C of the last n bars)"
    }

    fn channels(&self) -> &'static [Channel] {
        &[Channel { name: "drawdown", unit: Unit::LogRatio }]
    }

    fn warm_up(&self) -> usize {
        self.bars.saturating_sub(1)
    }

    fn check(&self, path: &Path, report: &mut Report) {
        check_bars("bars", self.bars, 1, path, report);
    }

    fn compute(&self, bars: &Stretch<'_>, out: &mut [f64]) {
        for (row, recent) in trailing(bars.len(), self.bars) {
            let highest = bars.close[recent].iter().copied().fold(f64::NEG_INFINITY, f64::max);
            out[row] = (bars.close[row] / highest).ln();
        }
    }
}
