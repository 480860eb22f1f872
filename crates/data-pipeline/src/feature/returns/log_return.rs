//! The return of a bar.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::feature::{Channel, Feature, Stretch, Unit};

/// ln(close / previous close).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct LogReturn;

impl Feature for LogReturn {
    fn formula(&self) -> &'static str {
        "ln(C / C₋₁)"
    }

    fn channels(&self) -> &'static [Channel] {
        &[Channel { name: "log_return", unit: Unit::LogRatio }]
    }

    fn warm_up(&self) -> usize {
        1
    }

    fn compute(&self, bars: &Stretch<'_>, out: &mut [f64]) {
        for (pair, value) in bars.close.windows(2).zip(out.iter_mut().skip(1)) {
            *value = (pair[1] / pair[0]).ln();
        }
    }
}
