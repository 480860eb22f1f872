//! Which rows a sample sees. A sample is a decision at a base bar; what it sees of a timeframe is the window of rows that
//! ends with the newest one available at the decision.
//!
//! The index holds one end row per sample and timeframe, never the rows themselves, so memory grows with bars.

use serde::{Deserialize, Serialize};

use crate::bar::Bars;
use crate::error::DataError;
use crate::gap::Gap;
use crate::table::{InputLayout, Table};
use crate::time::{Span, Timestamp};

/// The end row of a window that is masked: its newest visible bar is older than `max_age`, and all its values are 0.
pub const MASKED: u32 = u32::MAX;

/// What is done to a window after its rows were copied from the table, in this order. Whoever gathers windows elsewhere,
/// such as on a device, does the same to get the same bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum WindowTransform {
    /// Writes −ln(1 + k) into this channel of the row that k rows of the window are newer than: 0 in the newest row. A
    /// network that pools over time cannot tell rows apart by their place otherwise.
    Recency {
        /// The channel.
        channel: usize,
    },
    /// Writes the window's [age](crate::Dataset::age) into this channel of every row.
    Age {
        /// The channel.
        channel: usize,
    },
    /// Where the end row is [`MASKED`], fills the whole window with 0, the `visible` channel included.
    Mask,
}

impl WindowTransform {
    /// −ln(1 + k) of the row that `newer` rows of its window are newer than.
    #[must_use]
    pub fn recency(newer: u32) -> f32 {
        -((newer + 1) as f32).ln()
    }
}

/// Per sample its symbol, its decision time and one end row per timeframe, as columns. Samples are in the order of
/// (decision time, symbol), and a sample's id is its place in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WindowIndex {
    symbol: Vec<u32>,
    decision: Vec<Timestamp>,
    end_rows: Vec<Vec<u32>>,
}

impl WindowIndex {
    /// How many samples there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.decision.len()
    }

    /// True when there is no sample.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.decision.is_empty()
    }

    /// Each sample's symbol, as a place in [`Dataset::symbols`](crate::Dataset::symbols).
    #[must_use]
    pub fn symbols(&self) -> &[u32] {
        &self.symbol
    }

    /// Each sample's decision time: when its base bar became available. Ascending.
    #[must_use]
    pub fn decisions(&self) -> &[Timestamp] {
        &self.decision
    }

    /// Each sample's last row in the table of `timeframe`, or [`MASKED`]. Timeframe 0, the base, is never masked.
    /// Empty where there is no such timeframe.
    #[must_use]
    pub fn end_rows(&self, timeframe: usize) -> &[u32] {
        self.end_rows.get(timeframe).map_or(&[], Vec::as_slice)
    }
}

/// What makes a base row a sample.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WindowRules<'a> {
    /// Per timeframe.
    pub(crate) inputs: &'a [InputLayout],
    /// Per timeframe.
    pub(crate) max_age: &'a [Option<Span>],
    pub(crate) stride: usize,
}

/// The samples of one symbol, in time order.
#[derive(Clone, Debug, Default)]
pub(crate) struct SymbolWindows {
    decision: Vec<Timestamp>,
    end_rows: Vec<Vec<u32>>,
    on_grid: usize,
}

impl SymbolWindows {
    /// Base rows on the stride's grid, samples or not.
    pub(crate) fn on_grid(&self) -> usize {
        self.on_grid
    }

    /// The samples of one symbol, whose `bars` and `tables` are given per timeframe and whose base has these long `gaps`.
    ///
    /// A base row is a sample when its opening is on the stride's grid (so that symbols decide at the same times) and every
    /// timeframe has a full window of usable rows since the last long gap, or a masked one.
    pub(crate) fn find(bars: &[&Bars], tables: &[Table], gaps: &[Gap], rules: WindowRules<'_>) -> Self {
        let mut found = Self { end_rows: vec![Vec::new(); bars.len()], ..Self::default() };
        let Some(base) = bars.first() else { return found };
        let mut visible = vec![0; bars.len()];
        let mut ends = vec![0; bars.len()];
        let mut gaps = gaps.iter().peekable();
        let mut since = Timestamp::MIN;
        let stride = i64::try_from(rules.stride).unwrap_or(i64::MAX);
        for row in 0..base.len() {
            let decision = base.available_at[row];
            while let Some(gap) = gaps.next_if(|gap| gap.end() <= base.open_time[row]) {
                since = gap.end();
            }
            for (rows, bars) in visible.iter_mut().zip(bars) {
                *rows +=
                    bars.available_at[*rows..].iter().take_while(|&&available| available <= decision).count();
            }
            visible[0] = row + 1;
            let step = base.open_time[row].nanos().div_euclid(base.timeframe.nanos());
            if step.rem_euclid(stride) != 0 {
                continue;
            }
            found.on_grid += 1;
            let complete = (0..bars.len()).all(|timeframe| {
                let end = end_row(
                    bars[timeframe],
                    &tables[timeframe],
                    visible[timeframe],
                    since,
                    decision,
                    rules,
                    timeframe,
                );
                ends[timeframe] = end.unwrap_or(MASKED);
                end.is_some()
            });
            if complete {
                found.decision.push(decision);
                for (rows, &end) in found.end_rows.iter_mut().zip(&ends) {
                    rows.push(end);
                }
            }
        }
        found
    }
}

/// The end row of the window of one timeframe when its first `visible` rows are available, or `None` without a window.
fn end_row(
    bars: &Bars,
    table: &Table,
    visible: usize,
    since: Timestamp,
    decision: Timestamp,
    rules: WindowRules<'_>,
    timeframe: usize,
) -> Option<u32> {
    let end = visible.checked_sub(1)?;
    let age = decision.since(bars.available_at[end]);
    if rules.max_age[timeframe].is_some_and(|oldest| age > oldest) {
        return Some(MASKED);
    }
    let enough = table.usable_rows(end) >= rules.inputs[timeframe].length;
    (enough && bars.open_time[end] >= since).then_some(end as u32)
}

impl WindowIndex {
    /// All symbols' samples in the order of (decision time, symbol).
    ///
    /// # Errors
    /// [`DataError::CountSamples`] when there are more samples than ids.
    pub(crate) fn merge(symbols: &[SymbolWindows], timeframes: usize) -> Result<Self, DataError> {
        let samples = symbols.iter().map(|symbol| symbol.decision.len()).sum();
        check_ids(samples)?;
        let mut order: Vec<(Timestamp, u32, u32)> = Vec::with_capacity(samples);
        for (symbol, windows) in (0..).zip(symbols) {
            order.extend((0..).zip(&windows.decision).map(|(local, &decision)| (decision, symbol, local)));
        }
        order.sort_unstable();
        let end_rows = (0..timeframes).map(|timeframe| {
            let end = |&(_, symbol, local): &(Timestamp, u32, u32)| {
                symbols[symbol as usize].end_rows[timeframe][local as usize]
            };
            order.iter().map(end).collect()
        });
        Ok(Self {
            end_rows: end_rows.collect(),
            symbol: order.iter().map(|&(_, symbol, _)| symbol).collect(),
            decision: order.iter().map(|&(decision, _, _)| decision).collect(),
        })
    }
}

/// Whether every one of so many samples can have an id.
fn check_ids(samples: usize) -> Result<(), DataError> {
    if samples <= u32::MAX as usize { Ok(()) } else { Err(DataError::CountSamples { samples }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_counted_by_32_bits_and_no_more() {
        assert!(check_ids(u32::MAX as usize).is_ok());
        assert!(matches!(check_ids(1 << 32), Err(DataError::CountSamples { samples: 0x1_0000_0000 })));
    }
}
