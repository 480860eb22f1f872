//! On which day of the week a bar begins.

use std::f64::consts::TAU;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::feature::{Channel, Feature, Stretch, Unit};
use crate::time::{DAY, Timestamp};

/// Sine and cosine of the day of the week (UTC) on which the bar opens; Monday is phase 0, and a day is one phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct DayOfWeek;

impl Feature for DayOfWeek {
    fn formula(&self) -> &'static str {
        "sin and cos of 2π · days since Monday / 7, of the day of the open (UTC)"
    }

    fn channels(&self) -> &'static [Channel] {
        &[
            Channel { name: "day_of_week_sin", unit: Unit::Phase },
            Channel { name: "day_of_week_cos", unit: Unit::Phase },
        ]
    }

    fn warm_up(&self) -> usize {
        0
    }

    fn compute(&self, bars: &Stretch<'_>, out: &mut [f64]) {
        for (time, values) in bars.open_time.iter().zip(out.chunks_exact_mut(2)) {
            let (sin, cos) = (TAU * days_since_monday(*time) as f64 / 7.0).sin_cos();
            values.copy_from_slice(&[sin, cos]);
        }
    }
}

fn days_since_monday(time: Timestamp) -> i64 {
    let monday = -3 * DAY; // 1970-01-01 was a Thursday
    (time.nanos() - monday).div_euclid(DAY).rem_euclid(7)
}
