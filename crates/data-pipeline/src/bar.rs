//! Bars of one symbol and one timeframe, as columns.

use crate::spec::Symbol;
use crate::time::{Timeframe, Timestamp};

/// Bars of one symbol and one timeframe. All columns have the same length; row `i` of each describes bar `i`.
///
/// A bar covers `[open_time, close_time)` and can be known from `available_at` on. What [`Pipeline::read`] and the
/// resampler return is sorted by time; what a source returns is in the order of the file, errors and all.
///
/// [`Pipeline::read`]: crate::Pipeline::read
#[derive(Clone, Debug, PartialEq)]
pub struct Bars {
    /// Whose bars.
    pub symbol: Symbol,
    /// The length of each bar.
    pub timeframe: Timeframe,
    /// First instant of the bar.
    pub open_time: Vec<Timestamp>,
    /// The instant at which the bar has ended.
    pub close_time: Vec<Timestamp>,
    /// From when on the bar can be known: close plus publication lag.
    pub available_at: Vec<Timestamp>,
    /// First price.
    pub open: Vec<f64>,
    /// Highest price.
    pub high: Vec<f64>,
    /// Lowest price.
    pub low: Vec<f64>,
    /// Last price.
    pub close: Vec<f64>,
    /// Traded volume, in the source's own unit.
    pub volume: Vec<f64>,
    /// Built-in market only: the best possible forecast of the *next* bar's log return that can be made when this
    /// bar becomes available.
    pub oracle: Option<Vec<f64>>,
}

impl Bars {
    /// No bars yet of `symbol` and `timeframe`, with room for `capacity`.
    #[must_use]
    pub fn with_capacity(symbol: Symbol, timeframe: Timeframe, capacity: usize) -> Self {
        Self {
            symbol,
            timeframe,
            open_time: Vec::with_capacity(capacity),
            close_time: Vec::with_capacity(capacity),
            available_at: Vec::with_capacity(capacity),
            open: Vec::with_capacity(capacity),
            high: Vec::with_capacity(capacity),
            low: Vec::with_capacity(capacity),
            close: Vec::with_capacity(capacity),
            volume: Vec::with_capacity(capacity),
            oracle: None,
        }
    }

    /// Makes room for `rows` more bars.
    pub(crate) fn reserve(&mut self, rows: usize) {
        for column in [&mut self.open_time, &mut self.close_time, &mut self.available_at] {
            column.reserve(rows);
        }
        for column in [&mut self.open, &mut self.high, &mut self.low, &mut self.close, &mut self.volume] {
            column.reserve(rows);
        }
    }

    /// How many bars there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.open_time.len()
    }

    /// True when there is no bar.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.open_time.is_empty()
    }

    /// Bar `row`, or `None` past the end.
    #[must_use]
    pub fn get(&self, row: usize) -> Option<Bar> {
        Some(Bar {
            open_time: *self.open_time.get(row)?,
            close_time: *self.close_time.get(row)?,
            available_at: *self.available_at.get(row)?,
            open: *self.open.get(row)?,
            high: *self.high.get(row)?,
            low: *self.low.get(row)?,
            close: *self.close.get(row)?,
            volume: *self.volume.get(row)?,
        })
    }

    /// Adds `bar` at the end. Leaves `oracle` alone.
    pub fn push(&mut self, bar: Bar) {
        self.open_time.push(bar.open_time);
        self.close_time.push(bar.close_time);
        self.available_at.push(bar.available_at);
        self.open.push(bar.open);
        self.high.push(bar.high);
        self.low.push(bar.low);
        self.close.push(bar.close);
        self.volume.push(bar.volume);
    }

    /// Adds `bars`, which are of the same symbol and timeframe and have no oracle, at the end.
    pub(crate) fn append(&mut self, bars: Self) {
        self.open_time.extend(bars.open_time);
        self.close_time.extend(bars.close_time);
        self.available_at.extend(bars.available_at);
        self.open.extend(bars.open);
        self.high.extend(bars.high);
        self.low.extend(bars.low);
        self.close.extend(bars.close);
        self.volume.extend(bars.volume);
    }

    /// The bars at `rows`, in that order. Rows past the end are left out.
    #[must_use]
    pub fn take(&self, rows: &[usize]) -> Self {
        fn column<T: Copy>(values: &[T], rows: &[usize]) -> Vec<T> {
            rows.iter().filter_map(|&row| values.get(row).copied()).collect()
        }
        Self {
            symbol: self.symbol.clone(),
            timeframe: self.timeframe,
            open_time: column(&self.open_time, rows),
            close_time: column(&self.close_time, rows),
            available_at: column(&self.available_at, rows),
            open: column(&self.open, rows),
            high: column(&self.high, rows),
            low: column(&self.low, rows),
            close: column(&self.close, rows),
            volume: column(&self.volume, rows),
            oracle: self.oracle.as_ref().map(|values| column(values, rows)),
        }
    }
}

/// One row of [`Bars`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    /// First instant of the bar.
    pub open_time: Timestamp,
    /// The instant at which the bar has ended.
    pub close_time: Timestamp,
    /// From when on the bar can be known.
    pub available_at: Timestamp,
    /// First price.
    pub open: f64,
    /// Highest price.
    pub high: f64,
    /// Lowest price.
    pub low: f64,
    /// Last price.
    pub close: f64,
    /// Traded volume.
    pub volume: f64,
}
