//! Where in the day a bar ends.

use std::f64::consts::TAU;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::feature::{Channel, Feature, Stretch, Unit};
use crate::time::DAY;

/// Sine and cosine of the close's time of day (UTC); midnight is phase 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct TimeOfDay;

impl Feature for TimeOfDay {
    fn formula(&self) -> &'static str {
        "sin and cos of 2π · time of the close since midnight (UTC) / 24 h"
    }

    fn channels(&self) -> &'static [Channel] {
        &[
            Channel { name: "time_of_day_sin", unit: Unit::Phase },
            Channel { name: "time_of_day_cos", unit: Unit::Phase },
        ]
    }

    fn warm_up(&self) -> usize {
        0
    }

    fn compute(&self, bars: &Stretch<'_>, out: &mut [f64]) {
        for (time, values) in bars.close_time.iter().zip(out.chunks_exact_mut(2)) {
            let (sin, cos) = (TAU * time.nanos().rem_euclid(DAY) as f64 / DAY as f64).sin_cos();
            values.copy_from_slice(&[sin, cos]);
        }
    }
}
