//! How far apart the prices of a bar are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::feature::{Channel, Feature, Stretch, Unit};

/// ln(high / low).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Range;

impl Feature for Range {
    fn formula(&self) -> &'static str {
        "ln(H / L)"
    }

    fn channels(&self) -> &'static [Channel] {
        &[Channel { name: "range", unit: Unit::LogRange }]
    }

    fn warm_up(&self) -> usize {
        0
    }

    fn compute(&self, bars: &Stretch<'_>, out: &mut [f64]) {
        for ((high, low), value) in bars.high.iter().zip(bars.low).zip(out) {
            *value = (high / low).ln();
        }
    }
}
