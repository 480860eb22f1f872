//! The relative strength index.

use garde::{Path, Report};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::feature::ewma::{Ewma, wilder};
use crate::feature::trailing::check_bars;
use crate::feature::{Channel, Feature, Stretch, Unit};

/// Wilder's own choice, in bars.
const RSI_PERIOD: usize = 14;

/// The relative strength index of Wilder (1978), RSI = 100·G / (G + L) of his averages of gains and losses with α = 1 / period,
/// mapped from 0 … 100 to −1 … 1; 0 where the price stood still. The weights end where a thousandth of them is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Rsi {
    /// Wilder's period, in bars: a change one period ago weighs about a third of the newest.
    pub period: usize,
}

impl Default for Rsi {
    fn default() -> Self {
        Self { period: RSI_PERIOD }
    }
}

impl Feature for Rsi {
    fn formula(&self) -> &'static str {
        "(G − L) / (G + L) = RSI / 50 − 1; G, L = averages of gains and losses of C with weights ∝ (1 − 1 / period)ᵏ, until a thousandth is left (Wilder 1978)"
    }

    fn channels(&self) -> &'static [Channel] {
        &[Channel { name: "rsi", unit: Unit::Position }]
    }

    fn warm_up(&self) -> usize {
        Ewma::bars(wilder(self.period))
    }

    fn check(&self, path: &Path, report: &mut Report) {
        check_bars("period", self.period, 2, path, report);
    }

    fn compute(&self, bars: &Stretch<'_>, out: &mut [f64]) {
        let changes = || bars.close.windows(2).map(|pair| pair[1] - pair[0]);
        let (gains, losses): (Vec<f64>, Vec<f64>) =
            changes().map(|change| (change.max(0.0), (-change).max(0.0))).unzip();
        let average = Ewma::new(wilder(self.period));
        let both = average.over(&gains).into_iter().zip(average.over(&losses));
        for ((gain, loss), value) in both.zip(out.iter_mut().skip(self.warm_up())) {
            *value = if gain + loss == 0.0 { 0.0 } else { (gain - loss) / (gain + loss) };
        }
    }
}
