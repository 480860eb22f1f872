//! Volatility from ranges, whatever the drift.

use garde::{Path, Report};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::feature::log_volatility::{VOLATILITY_BARS, log_volatility};
use crate::feature::trailing::{check_bars, mean, trailing};
use crate::feature::{Channel, Feature, Stretch, Unit};

/// ln of the volatility of Rogers and Satchell (1991) over the last n bars. Inside the bars alone: gaps between them are left
/// out. A drift does not matter; it is biased down where a bar holds few trades.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RogersSatchell {
    /// n: bars looked back on, this one included.
    pub bars: usize,
}

impl Default for RogersSatchell {
    fn default() -> Self {
        Self { bars: VOLATILITY_BARS }
    }
}

impl Feature for RogersSatchell {
    fn formula(&self) -> &'static str {
        "½·ln(Σ(u·(u − c) + d·(d − c)) / n), u = ln(H / O), d = ln(L / O), c = ln(C / O) (Rogers, Satchell 1991)"
    }

    fn channels(&self) -> &'static [Channel] {
        &[Channel { name: "rogers_satchell", unit: Unit::LogVolatility }]
    }

    fn warm_up(&self) -> usize {
        self.bars.saturating_sub(1)
    }

    fn check(&self, path: &Path, report: &mut Report) {
        check_bars("bars", self.bars, 1, path, report);
    }

    fn compute(&self, bars: &Stretch<'_>, out: &mut [f64]) {
        let variances: Vec<f64> = (0..bars.len()).map(|row| variance(bars, row)).collect();
        for (row, recent) in trailing(variances.len(), self.bars) {
            out[row] = log_volatility(mean(&variances[recent]));
        }
    }
}

/// u·(u − c) + d·(d − c) of one bar.
pub(super) fn variance(bars: &Stretch<'_>, row: usize) -> f64 {
    let open = bars.open[row];
    let (up, down, body) =
        ((bars.high[row] / open).ln(), (bars.low[row] / open).ln(), (bars.close[row] / open).ln());
    up * (up - body) + down * (down - body)
}
