//! How much was traded beside what is usual.

use garde::{Path, Report};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::feature::trailing::{check_bars, trailing};
use crate::feature::{Channel, Feature, Stretch, Unit};

/// Bars looked back on unless told otherwise: as many as the estimators of volatility.
const VOLUME_BARS: usize = 20;

/// ln((1 + volume) / (1 + median volume of the n bars before)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RelativeVolume {
    /// n: bars before this one.
    pub bars: usize,
}

impl Default for RelativeVolume {
    fn default() -> Self {
        Self { bars: VOLUME_BARS }
    }
}

impl Feature for RelativeVolume {
    fn formula(&self) -> &'static str {
        "ln((1 + V) / (1 + median V of the n bars before))"
    }

    fn channels(&self) -> &'static [Channel] {
        &[Channel { name: "relative_volume", unit: Unit::LogAmountRatio }]
    }

    fn warm_up(&self) -> usize {
        self.bars
    }

    fn check(&self, path: &Path, report: &mut Report) {
        check_bars("bars", self.bars, 1, path, report);
    }

    fn compute(&self, bars: &Stretch<'_>, out: &mut [f64]) {
        let mut sorted = Vec::with_capacity(self.bars);
        for (newest, before) in trailing(bars.len().saturating_sub(1), self.bars) {
            sorted.clear();
            sorted.extend_from_slice(&bars.volume[before]);
            sorted.sort_unstable_by(f64::total_cmp);
            let usual = 0.5 * (sorted[(self.bars - 1) / 2] + sorted[self.bars / 2]);
            out[newest + 1] = bars.volume[newest + 1].ln_1p() - usual.ln_1p();
        }
    }
}
