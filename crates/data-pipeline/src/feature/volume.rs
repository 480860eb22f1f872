//! How much was traded.

use super::{Channel, Feature, Stretch, Unit};

/// ln(1 + volume).
pub(super) struct Volume;

impl Feature for Volume {
    fn channels(&self) -> &'static [Channel] {
        &[Channel { name: "volume", unit: Unit::LogAmount }]
    }

    fn warm_up(&self) -> usize {
        0
    }

    fn compute(&self, bars: &Stretch<'_>, out: &mut [f64]) {
        for (&volume, value) in bars.volume.iter().zip(out) {
            *value = volume.ln_1p();
        }
    }
}
