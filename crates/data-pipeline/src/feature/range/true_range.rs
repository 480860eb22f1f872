//! The range with the way from the bar before.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::feature::{Channel, Feature, Stretch, Unit};

/// ln(max(high, previous close) / min(low, previous close)), after Wilder (1978).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct TrueRange;

impl Feature for TrueRange {
    fn formula(&self) -> &'static str {
        "ln(max(H, C₋₁) / min(L, C₋₁)) (Wilder 1978)"
    }

    fn channels(&self) -> &'static [Channel] {
        &[Channel { name: "true_range", unit: Unit::LogRange }]
    }

    fn warm_up(&self) -> usize {
        1
    }

    fn compute(&self, bars: &Stretch<'_>, out: &mut [f64]) {
        for (row, &before) in (1..bars.len()).zip(bars.close) {
            out[row] = (bars.high[row].max(before) / bars.low[row].min(before)).ln();
        }
    }
}
