//! How much was traded.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::feature::{Channel, Feature, Stretch, Unit};

/// ln(1 + volume).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Volume;

impl Feature for Volume {
    fn formula(&self) -> &'static str {
        "ln(1 + V)"
    }

    fn channels(&self) -> &'static [Channel] {
        &[Channel { name: "volume", unit: Unit::LogAmount }]
    }

    fn warm_up(&self) -> usize {
        0
    }

    fn compute(&self, bars: &Stretch<'_>, out: &mut [f64]) {
        for (&volume, value) in bars.volume.iter().zip(out) {
            *value = volume.ln_1p();
        }
    }
}
