//! In which month a bar begins.

use std::f64::consts::TAU;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::feature::{Channel, Feature, Stretch, Unit};

/// Sine and cosine of the month (UTC) in which the bar opens; January is phase 0, and a month is one phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct MonthOfYear;

impl Feature for MonthOfYear {
    fn formula(&self) -> &'static str {
        "sin and cos of 2π · (month − 1) / 12, of the day of the open (UTC)"
    }

    fn channels(&self) -> &'static [Channel] {
        &[
            Channel { name: "month_of_year_sin", unit: Unit::Phase },
            Channel { name: "month_of_year_cos", unit: Unit::Phase },
        ]
    }

    fn warm_up(&self) -> usize {
        0
    }

    fn compute(&self, bars: &Stretch<'_>, out: &mut [f64]) {
        for (time, values) in bars.open_time.iter().zip(out.chunks_exact_mut(2)) {
            let (sin, cos) = (TAU * f64::from(time.date().month() - 1) / 12.0).sin_cos();
            values.copy_from_slice(&[sin, cos]);
        }
    }
}
