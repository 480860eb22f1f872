//! Volatility from ranges and bodies.

use std::f64::consts::LN_2;

use garde::{Path, Report};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::feature::log_volatility::{VOLATILITY_BARS, log_volatility};
use crate::feature::trailing::{check_bars, mean, trailing};
use crate::feature::{Channel, Feature, Stretch, Unit};

/// ln of the volatility of Garman and Klass (1980) over the last n bars. Inside the bars alone: gaps between them are left out.
/// It assumes no drift, and is biased down where a bar holds few trades.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GarmanKlass {
    /// n: bars looked back on, this one included.
    pub bars: usize,
}

impl Default for GarmanKlass {
    fn default() -> Self {
        Self { bars: VOLATILITY_BARS }
    }
}

impl Feature for GarmanKlass {
    fn formula(&self) -> &'static str {
        "½·ln(Σ(½(u − d)² − (2·ln 2 − 1)·c²) / n), u = ln(H / O), d = ln(L / O), c = ln(C / O) (Garman, Klass 1980)"
    }

    fn channels(&self) -> &'static [Channel] {
        &[Channel { name: "garman_klass", unit: Unit::LogVolatility }]
    }

    fn warm_up(&self) -> usize {
        self.bars.saturating_sub(1)
    }

    fn check(&self, path: &Path, report: &mut Report) {
        check_bars("bars", self.bars, 1, path, report);
    }

    fn compute(&self, bars: &Stretch<'_>, out: &mut [f64]) {
        let variance = |row: usize| {
            let (range, body) =
                ((bars.high[row] / bars.low[row]).ln(), (bars.close[row] / bars.open[row]).ln());
            0.5 * range.powi(2) - (2.0 * LN_2 - 1.0) * body.powi(2)
        };
        let variances: Vec<f64> = (0..bars.len()).map(variance).collect();
        for (row, recent) in trailing(variances.len(), self.bars) {
            out[row] = log_volatility(mean(&variances[recent]));
        }
    }
}
