//! The return of several bars.

use garde::{Path, Report};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::feature::trailing::check_bars;
use crate::feature::{Channel, Feature, Stretch, Unit};

/// Bars unless told otherwise: an hour of 5-minute bars.
const MOMENTUM_BARS: usize = 12;

/// ln(close / close n bars before).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Momentum {
    /// n: bars between the two closes.
    pub bars: usize,
}

impl Default for Momentum {
    fn default() -> Self {
        Self { bars: MOMENTUM_BARS }
    }
}

impl Feature for Momentum {
    fn formula(&self) -> &'static str {
        "ln(C / C₋ₙ)"
    }

    fn channels(&self) -> &'static [Channel] {
        &[Channel { name: "momentum", unit: Unit::LogRatio }]
    }

    fn warm_up(&self) -> usize {
        self.bars
    }

    fn check(&self, path: &Path, report: &mut Report) {
        check_bars("bars", self.bars, 1, path, report);
    }

    fn compute(&self, bars: &Stretch<'_>, out: &mut [f64]) {
        let later = bars.close.iter().zip(out.iter_mut()).skip(self.bars);
        for (before, (close, value)) in bars.close.iter().zip(later) {
            *value = (close / before).ln();
        }
    }
}
