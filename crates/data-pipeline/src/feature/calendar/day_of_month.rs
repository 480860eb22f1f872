//! On which day of the month a bar begins.

use std::f64::consts::TAU;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::feature::{Channel, Feature, Stretch, Unit};

/// Sine and cosine of the day of the month (UTC) on which the bar opens; the 1st is phase 0, and months of any length are one turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct DayOfMonth;

impl Feature for DayOfMonth {
    fn formula(&self) -> &'static str {
        "sin and cos of 2π · (day − 1) / days in the month, of the day of the open (UTC)"
    }

    fn channels(&self) -> &'static [Channel] {
        &[
            Channel { name: "day_of_month_sin", unit: Unit::Phase },
            Channel { name: "day_of_month_cos", unit: Unit::Phase },
        ]
    }

    fn warm_up(&self) -> usize {
        0
    }

    fn compute(&self, bars: &Stretch<'_>, out: &mut [f64]) {
        for (time, values) in bars.open_time.iter().zip(out.chunks_exact_mut(2)) {
            let (sin, cos) = (TAU * share_of_month(time.date())).sin_cos();
            values.copy_from_slice(&[sin, cos]);
        }
    }
}

fn share_of_month(date: Date) -> f64 {
    f64::from(date.day() - 1) / f64::from(date.days_in_month())
}
