//! How far the price fell back from the high.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::feature::{Channel, Feature, Stretch, Unit};

/// ln(high / max(open, close)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct UpperWick;

impl Feature for UpperWick {
    fn formula(&self) -> &'static str {
        "ln(H / max(O, C))"
    }

    fn channels(&self) -> &'static [Channel] {
        &[Channel { name: "upper_wick", unit: Unit::LogRange }]
    }

    fn warm_up(&self) -> usize {
        0
    }

    fn compute(&self, bars: &Stretch<'_>, out: &mut [f64]) {
        for (row, value) in out.iter_mut().enumerate() {
            *value = (bars.high[row] / bars.open[row].max(bars.close[row])).ln();
        }
    }
}
