//! The way from open to close.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::feature::{Channel, Feature, Stretch, Unit};

/// ln(close / open).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Body;

impl Feature for Body {
    fn formula(&self) -> &'static str {
        "ln(C / O)"
    }

    fn channels(&self) -> &'static [Channel] {
        &[Channel { name: "body", unit: Unit::LogRatio }]
    }

    fn warm_up(&self) -> usize {
        0
    }

    fn compute(&self, bars: &Stretch<'_>, out: &mut [f64]) {
        for ((open, close), value) in bars.open.iter().zip(bars.close).zip(out) {
            *value = (close / open).ln();
        }
    }
}
