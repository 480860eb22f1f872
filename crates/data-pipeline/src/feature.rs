//! What is computed from each bar. A feature is causal by contract: the value at a row depends on that row and rows
//! before it, never on one after it.
//!
//! To add a feature: a file under `feature/` with its [`Feature`], a variant in [`FeatureSpec`] and its line in
//! [`FeatureSpec::feature`]. The contract tests run over [`FeatureSpec::ALL`].

mod candle;
mod log_return;
mod realized_volatility;
mod time_of_day;
mod volume;

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::bar::Bars;
use crate::spec::FeatureSpec;
use crate::time::{Timeframe, Timestamp};

pub use realized_volatility::REALIZED_VOLATILITY_BARS;

/// A causal function of bars, with one or more channels.
pub trait Feature: Sync {
    /// Name and unit of each channel, in order.
    fn channels(&self) -> &'static [Channel];

    /// How many rows at the start of a stretch have no value, because they would need bars from before it.
    fn warm_up(&self) -> usize;

    /// Writes the channels of every row from [`warm_up`](Self::warm_up) on into `out`, which is `[row, channel]` of
    /// this feature's own channels and holds NaN. A row that is left NaN is part of no window.
    fn compute(&self, bars: &Stretch<'_>, out: &mut [f64]);
}

impl FeatureSpec {
    /// The feature of this name.
    #[must_use]
    pub fn feature(self) -> &'static dyn Feature {
        match self {
            Self::LogReturn => &log_return::LogReturn,
            Self::Range => &candle::Range,
            Self::Body => &candle::Body,
            Self::UpperWick => &candle::UpperWick,
            Self::LowerWick => &candle::LowerWick,
            Self::Volume => &volume::Volume,
            Self::RealizedVolatility => &realized_volatility::RealizedVolatility,
            Self::TimeOfDay => &time_of_day::TimeOfDay,
        }
    }
}

/// One column of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Channel {
    /// Its name, as it appears in [`InputLayout::channels`](crate::InputLayout::channels).
    pub name: &'static str,
    /// What its numbers are.
    pub unit: Unit,
}

/// What a channel's numbers are, which decides whether a scaler may touch them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// The natural logarithm of a ratio of prices.
    LogRatio,
    /// The natural logarithm of one plus a traded amount.
    LogAmount,
    /// The natural logarithm of a volatility per bar.
    LogVolatility,
    /// The sine or cosine of a phase.
    Phase,
    /// The natural logarithm of one plus a number of bars.
    LogBars,
    /// A time, counted in bars of the table's timeframe.
    Timeframes,
    /// 0 or 1.
    Flag,
}

impl Unit {
    /// Whether a scaler fits and scales channels of this unit. Phases, counts, ages and flags are bounded by what they
    /// are, and stay as they are.
    #[must_use]
    pub const fn is_scaled(self) -> bool {
        matches!(self, Self::LogRatio | Self::LogAmount | Self::LogVolatility)
    }
}

/// Consecutive bars of one symbol and timeframe with no long gap among them. All columns have the same length.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Stretch<'a> {
    /// The length of each bar.
    pub timeframe: Timeframe,
    /// First instant of each bar.
    pub open_time: &'a [Timestamp],
    /// The instant at which each bar has ended.
    pub close_time: &'a [Timestamp],
    /// First prices.
    pub open: &'a [f64],
    /// Highest prices.
    pub high: &'a [f64],
    /// Lowest prices.
    pub low: &'a [f64],
    /// Last prices.
    pub close: &'a [f64],
    /// Traded volumes.
    pub volume: &'a [f64],
}

impl<'a> Stretch<'a> {
    /// All of `bars`, whose columns have the same length, as one stretch.
    #[must_use]
    pub fn whole(bars: &'a Bars) -> Self {
        Self::new(bars, 0..bars.len())
    }

    /// `rows` of `bars`, which the caller knows to be in range.
    pub(crate) fn new(bars: &'a Bars, rows: Range<usize>) -> Self {
        Self {
            timeframe: bars.timeframe,
            open_time: &bars.open_time[rows.clone()],
            close_time: &bars.close_time[rows.clone()],
            open: &bars.open[rows.clone()],
            high: &bars.high[rows.clone()],
            low: &bars.low[rows.clone()],
            close: &bars.close[rows.clone()],
            volume: &bars.volume[rows],
        }
    }

    /// How many bars there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.close.len()
    }

    /// True when there is no bar.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.close.is_empty()
    }
}
