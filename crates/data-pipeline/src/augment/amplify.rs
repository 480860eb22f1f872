//! Scaled windows of an amplified or disturbed price path.

use crate::feature::Amplified;
use crate::price::VARIANCE_FLOOR;
use crate::scale::{Scale, Scaler};
use crate::table::InputLayout;

use super::noise::Noise;

/// The scaled channels of one timeframe and what may be done to them.
pub(super) struct Amplifier<'a> {
    width: usize,
    channels: Vec<ScaledChannel<'a>>,
    clip: f64,
}

struct ScaledChannel<'a> {
    channel: usize,
    scale: &'a Scale,
    amplified: Amplified,
    /// The least scaled value there can be, if there is one: that of a price that stands still, or of no trade.
    floor: Option<f32>,
}

impl<'a> Amplifier<'a> {
    /// Of the `timeframe` with this layout, whose scaler is `scaler`.
    pub(super) fn new(layout: &InputLayout, scaler: &'a Scaler, timeframe: usize) -> Self {
        let fitted = scaler.timeframes.get(timeframe).into_iter().flat_map(|fitted| &fitted.channels);
        let channels = fitted.zip(&layout.units).enumerate().filter_map(|(channel, (fitted, unit))| {
            let scale = fitted.scale.as_ref()?;
            let amplified = unit.amplified();
            let floor = match amplified {
                Amplified::Shifted => Some(0.5 * VARIANCE_FLOOR.ln()),
                _ => unit.is_never_negative().then_some(0.0),
            };
            let floor = floor.map(|raw: f64| scaler.scaled(scale, raw as f32));
            Some(ScaledChannel { channel, scale, amplified, floor })
        });
        Self { width: layout.width(), channels: channels.collect(), clip: scaler.clip }
    }

    /// Multiplies every log return behind `window`, `[time, feature]`, by `factor`.
    pub(super) fn amplify(&self, factor: f64, window: &mut [f32]) {
        for channel in &self.channels {
            let Scale { centre, spread, .. } = *channel.scale;
            let (slope, offset) = match channel.amplified {
                Amplified::Multiplied => (factor, (factor - 1.0) * centre / spread),
                Amplified::Shifted => (1.0, factor.ln() / spread),
                Amplified::Unmoved => continue,
            };
            for value in window[channel.channel..].iter_mut().step_by(self.width) {
                // A price that stands still does so at any amplitude.
                if channel.floor.is_none_or(|floor| *value > floor) {
                    *value = self.limited(channel, slope * f64::from(*value) + offset);
                }
            }
        }
    }

    /// Adds noise of standard deviation `std` to the scaled channels of `window`, `[time, feature]`.
    pub(super) fn disturb(&self, std: f64, key: u64, timeframe: usize, window: &mut [f32]) {
        let mut noise = Noise::new(key, timeframe);
        for row in window.chunks_exact_mut(self.width) {
            for channel in &self.channels {
                let value = &mut row[channel.channel];
                *value = self.limited(channel, f64::from(*value) + std * f64::from(noise.normal()));
            }
        }
    }

    /// Within the scaler's clip, and not below what the channel can be.
    fn limited(&self, channel: &ScaledChannel<'_>, value: f64) -> f32 {
        let value = value.clamp(-self.clip, self.clip) as f32;
        channel.floor.map_or(value, |floor| value.max(floor))
    }
}
