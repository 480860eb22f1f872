//! How much more was traded than in the bar before.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::feature::{Channel, Feature, Stretch, Unit};

/// ln((1 + volume) / (1 + previous volume)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct VolumeChange;

impl Feature for VolumeChange {
    fn formula(&self) -> &'static str {
        "ln((1 + V) / (1 + V₋₁))"
    }

    fn channels(&self) -> &'static [Channel] {
        &[Channel { name: "volume_change", unit: Unit::LogAmountRatio }]
    }

    fn warm_up(&self) -> usize {
        1
    }

    fn compute(&self, bars: &Stretch<'_>, out: &mut [f64]) {
        for (pair, value) in bars.volume.windows(2).zip(out.iter_mut().skip(1)) {
            *value = pair[1].ln_1p() - pair[0].ln_1p();
        }
    }
}
