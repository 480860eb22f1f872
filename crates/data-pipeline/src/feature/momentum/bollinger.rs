//! Where the close is between two bands.

use garde::{Path, Report};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::feature::trailing::{check_bars, mean, trailing};
use crate::feature::{Channel, Feature, Stretch, Unit};

/// Bollinger's own choice, in bars.
const BOLLINGER_BARS: usize = 20;
/// How many standard deviations the bands are from the mean.
const DEVIATIONS: f64 = 2.0;

/// How far the close is above the mean of the last n closes, in units of two (population) standard deviations of them: 1 at the
/// upper band, −1 at the lower (Bollinger, 1983; his %b is half of this plus ½). 0 where the price stood still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Bollinger {
    /// n: closes averaged over, this one included.
    pub bars: usize,
}

impl Default for Bollinger {
    fn default() -> Self {
        Self { bars: BOLLINGER_BARS }
    }
}

impl Feature for Bollinger {
    fn formula(&self) -> &'static str {
        "(C − mean) / (2·σ) of the last n closes; 0 where σ = 0 (Bollinger 1983)"
    }

    fn channels(&self) -> &'static [Channel] {
        &[Channel { name: "bollinger", unit: Unit::Position }]
    }

    fn warm_up(&self) -> usize {
        self.bars.saturating_sub(1)
    }

    fn check(&self, path: &Path, report: &mut Report) {
        check_bars("bars", self.bars, 2, path, report);
    }

    fn compute(&self, bars: &Stretch<'_>, out: &mut [f64]) {
        for (row, recent) in trailing(bars.len(), self.bars) {
            let closes = &bars.close[recent];
            let mean = mean(closes);
            let variance =
                closes.iter().map(|close| (close - mean).powi(2)).sum::<f64>() / closes.len() as f64;
            let still = closes.iter().all(|close| close == &closes[0]);
            out[row] = if still { 0.0 } else { (bars.close[row] - mean) / (DEVIATIONS * variance.sqrt()) };
        }
    }
}
