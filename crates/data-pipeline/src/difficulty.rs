//! How hard a sample is, as far as that was known by the last train decision: what a curriculum may order train samples by.
//!
//! A label that ends later is unknown here, though its sample is trained on: an order that looked at it would change when
//! bars after the last train decision do, and with it the place of every other sample.

use crate::dataset::Dataset;
use crate::label::{LabelSpec, REGIME_VOLATILITY_BARS, Regime};
use crate::price::VARIANCE_FLOOR;

/// What makes a sample hard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Difficulty {
    /// σ: the root mean square of the last [`REGIME_VOLATILITY_BARS`] log returns up to the decision, per base bar.
    TrailingVolatility,
    /// |y| / σ, y being the log return that is forecast, and σ as above.
    LabelMagnitude {
        /// The place of the label among the data set's; one that is no log return has no magnitude.
        label: usize,
    },
}

impl Dataset {
    /// The difficulty of `sample`. `None` where it is not known by the last train decision: there is too little past, the
    /// price stood still, or the label is absent or ends later.
    #[must_use]
    pub fn difficulty(&self, sample: u32, measure: Difficulty) -> Option<f64> {
        match measure {
            Difficulty::TrailingVolatility => self.trailing_volatility(sample),
            Difficulty::LabelMagnitude { label } => {
                let is_return = matches!(self.labels.get(label)?.spec, LabelSpec::LogReturn { .. });
                let value = self.known_label(sample, label).filter(|_| is_return)?;
                Some(f64::from(value).abs() / self.trailing_volatility(sample)?)
            }
        }
    }

    /// The regime of `sample` by the label at `label`. `None` where it is not known by the last train decision, or where
    /// that label has no regimes.
    #[must_use]
    pub fn known_regime(&self, sample: u32, label: usize) -> Option<Regime> {
        self.labels.get(label)?.spec.classes()?;
        Regime::ALL.get(self.known_label(sample, label)? as usize).copied()
    }

    /// σ per base bar, unless the price stood still.
    fn trailing_volatility(&self, sample: u32) -> Option<f64> {
        let bars = REGIME_VOLATILITY_BARS;
        let variance = self.past_realized_variance(sample, bars) / bars as f64;
        (variance >= VARIANCE_FLOOR).then(|| variance.sqrt())
    }

    /// The label's own value, if it is there and ended by the last train decision.
    fn known_label(&self, sample: u32, label: usize) -> Option<f32> {
        let column = self.labels.get(label)?;
        let (end, decision) =
            (*column.end.get(sample as usize)?, *self.windows.decisions().get(sample as usize)?);
        let ended = self.blocks.train().knows(decision, end);
        column.values.get(sample as usize).copied().filter(|value| ended && !value.is_nan())
    }
}
