//! Volatility from ranges.

use std::f64::consts::LN_2;

use garde::{Path, Report};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::feature::log_volatility::{VOLATILITY_BARS, log_volatility};
use crate::feature::trailing::{check_bars, mean, trailing};
use crate::feature::{Channel, Feature, Stretch, Unit};

/// ln of the volatility of Parkinson (1980) over the last n bars. Inside the bars alone: gaps between them are left out. It
/// assumes no drift, and is biased down where a bar holds few trades.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Parkinson {
    /// n: bars looked back on, this one included.
    pub bars: usize,
}

impl Default for Parkinson {
    fn default() -> Self {
        Self { bars: VOLATILITY_BARS }
    }
}

impl Feature for Parkinson {
    fn formula(&self) -> &'static str {
        "½·ln(Σ(u − d)² / (4·n·ln 2)), u = ln(H / O), d = ln(L / O) (Parkinson 1980)"
    }

    fn channels(&self) -> &'static [Channel] {
        &[Channel { name: "parkinson", unit: Unit::LogVolatility }]
    }

    fn warm_up(&self) -> usize {
        self.bars.saturating_sub(1)
    }

    fn check(&self, path: &Path, report: &mut Report) {
        check_bars("bars", self.bars, 1, path, report);
    }

    fn compute(&self, bars: &Stretch<'_>, out: &mut [f64]) {
        let squares: Vec<f64> =
            bars.high.iter().zip(bars.low).map(|(high, low)| (high / low).ln().powi(2)).collect();
        for (row, recent) in trailing(squares.len(), self.bars) {
            out[row] = log_volatility(mean(&squares[recent]) / (4.0 * LN_2));
        }
    }
}
