//! How far the price rose again from the low.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::feature::{Channel, Feature, Stretch, Unit};

/// ln(min(open, close) / low).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct LowerWick;

impl Feature for LowerWick {
    fn formula(&self) -> &'static str {
        "ln(min(O, C) / L)"
    }

    fn channels(&self) -> &'static [Channel] {
        &[Channel { name: "lower_wick", unit: Unit::LogRange }]
    }

    fn warm_up(&self) -> usize {
        0
    }

    fn compute(&self, bars: &Stretch<'_>, out: &mut [f64]) {
        for (row, value) in out.iter_mut().enumerate() {
            *value = (bars.open[row].min(bars.close[row]) / bars.low[row]).ln();
        }
    }
}
