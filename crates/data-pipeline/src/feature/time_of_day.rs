//! Where in the day a bar ends.

use std::f64::consts::TAU;

use super::{Channel, Feature, Stretch, Unit};
use crate::time::DAY;

/// Sine and cosine of the close's time of day (UTC); midnight is phase 0.
pub(super) struct TimeOfDay;

impl Feature for TimeOfDay {
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
        for (close, values) in bars.close_time.iter().zip(out.chunks_exact_mut(2)) {
            let phase = TAU * close.nanos().rem_euclid(DAY) as f64 / DAY as f64;
            values[0] = phase.sin();
            values[1] = phase.cos();
        }
    }
}
