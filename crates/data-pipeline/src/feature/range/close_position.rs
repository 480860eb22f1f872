//! Where in its range a bar closes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::feature::{Channel, Feature, Stretch, Unit};

/// 2·ln(close / low) / ln(high / low) − 1: 1 at the high, −1 at the low, and 0 for a bar without a range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct ClosePosition;

impl Feature for ClosePosition {
    fn formula(&self) -> &'static str {
        "2·ln(C / L) / ln(H / L) − 1; 0 where H = L"
    }

    fn channels(&self) -> &'static [Channel] {
        &[Channel { name: "close_position", unit: Unit::Position }]
    }

    fn warm_up(&self) -> usize {
        0
    }

    fn compute(&self, bars: &Stretch<'_>, out: &mut [f64]) {
        for (row, value) in out.iter_mut().enumerate() {
            let (high, low) = (bars.high[row], bars.low[row]);
            *value =
                if high == low { 0.0 } else { 2.0 * (bars.close[row] / low).ln() / (high / low).ln() - 1.0 };
        }
    }
}
