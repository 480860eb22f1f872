//! Whether more was traded in rising bars or in falling ones.

use garde::{Path, Report};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::feature::trailing::{check_bars, trailing};
use crate::feature::{Channel, Feature, Stretch, Unit};

/// Bars looked back on unless told otherwise: as many as the estimators of volatility.
const VOLUME_BARS: usize = 20;

/// Σ sign(close − open)·volume / Σ volume over the last n bars: 1 where all was traded in rising bars, −1 where all was traded
/// in falling ones, 0 where nothing was traded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SignedVolume {
    /// n: bars summed over, this one included.
    pub bars: usize,
}

impl Default for SignedVolume {
    fn default() -> Self {
        Self { bars: VOLUME_BARS }
    }
}

impl Feature for SignedVolume {
    fn formula(&self) -> &'static str {
        "Σ sign(C − O)·V / Σ V over n bars; 0 where Σ V = 0"
    }

    fn channels(&self) -> &'static [Channel] {
        &[Channel { name: "signed_volume", unit: Unit::Position }]
    }

    fn warm_up(&self) -> usize {
        self.bars.saturating_sub(1)
    }

    fn check(&self, path: &Path, report: &mut Report) {
        check_bars("bars", self.bars, 1, path, report);
    }

    fn compute(&self, bars: &Stretch<'_>, out: &mut [f64]) {
        let signed: Vec<f64> = (0..bars.len())
            .map(|row| direction(bars.close[row] - bars.open[row]) * bars.volume[row])
            .collect();
        for (row, recent) in trailing(bars.len(), self.bars) {
            let traded: f64 = bars.volume[recent.clone()].iter().sum();
            out[row] = if traded == 0.0 { 0.0 } else { signed[recent].iter().sum::<f64>() / traded };
        }
    }
}

/// 1, −1 or 0: unlike the sign of a float, 0 has none.
fn direction(change: f64) -> f64 {
    if change == 0.0 { 0.0 } else { change.signum() }
}
