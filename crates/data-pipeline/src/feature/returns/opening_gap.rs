//! The return while the market was shut, or between two bars.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::feature::{Channel, Feature, Stretch, Unit};

/// ln(open / previous close).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct OpeningGap;

impl Feature for OpeningGap {
    fn formula(&self) -> &'static str {
        "ln(O / C₋₁)"
    }

    fn channels(&self) -> &'static [Channel] {
        &[Channel { name: "opening_gap", unit: Unit::LogRatio }]
    }

    fn warm_up(&self) -> usize {
        1
    }

    fn compute(&self, bars: &Stretch<'_>, out: &mut [f64]) {
        for ((open, before), value) in bars.open.iter().skip(1).zip(bars.close).zip(out.iter_mut().skip(1)) {
            *value = (open / before).ln();
        }
    }
}
