//! The bars a feature reads.

use std::ops::Range;

use crate::bar::Bars;
use crate::time::{Timeframe, Timestamp};

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
