//! Named rules that mend bars. Nothing is mended that a rule was not asked for, and each use is counted.

use std::collections::HashSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::audit::faults;
use crate::bar::{Bar, Bars};
use crate::spec::RepairSpec;
use crate::time::Span;

/// How many rows a rule touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepairCount {
    /// The rule.
    pub rule: RepairSpec,
    /// Rows that were dropped, moved or added.
    pub rows: usize,
}

/// Applies `rules` to `bars` in the order given; returns what is left and one count per rule.
///
/// `forward_fill` looks at neighbouring rows, so rows out of order are sorted before it, or not filled at all. It fills the
/// first `max_bars` bars of a gap, however long the gap turns out to be: what is there at an instant does not depend on
/// when the next bar comes. After the last bar nothing is added. Filled bars end the built-in market's oracle, which
/// speaks of the bar that would have come next.
#[must_use]
pub fn repair(bars: Bars, rules: &[RepairSpec]) -> (Bars, Vec<RepairCount>) {
    let mut counts = Vec::with_capacity(rules.len());
    let repaired = rules.iter().fold(bars, |bars, &rule| {
        let (bars, rows) = match rule {
            RepairSpec::DropBadRows => drop_bad_rows(bars),
            RepairSpec::KeepLastDuplicate => keep_last_duplicate(bars),
            RepairSpec::SortByTime => sort_by_time(bars),
            RepairSpec::ForwardFill { max_bars } => forward_fill(bars, max_bars),
        };
        counts.push(RepairCount { rule, rows });
        bars
    });
    (repaired, counts)
}

fn drop_bad_rows(bars: Bars) -> (Bars, usize) {
    let is_good = |row: &usize| bars.get(*row).is_some_and(|bar| faults(&bar).next().is_none());
    let good: Vec<usize> = (0..bars.len()).filter(is_good).collect();
    keep(bars, &good)
}

fn keep_last_duplicate(bars: Bars) -> (Bars, usize) {
    let mut seen = HashSet::with_capacity(bars.len());
    let mut last: Vec<usize> =
        (0..bars.len()).rev().filter(|&row| seen.insert(bars.open_time[row])).collect();
    last.reverse();
    keep(bars, &last)
}

/// Keeps `rows`; counts the others.
fn keep(bars: Bars, rows: &[usize]) -> (Bars, usize) {
    let dropped = bars.len() - rows.len();
    if dropped == 0 { (bars, 0) } else { (bars.take(rows), dropped) }
}

/// Counts the rows that come to another place. Rows with one time keep their order.
fn sort_by_time(bars: Bars) -> (Bars, usize) {
    let mut order: Vec<usize> = (0..bars.len()).collect();
    order.sort_by_key(|&row| bars.open_time[row]);
    let moved = order.iter().enumerate().filter(|&(place, &row)| place != row).count();
    if moved == 0 { (bars, 0) } else { (bars.take(&order), moved) }
}

fn forward_fill(bars: Bars, max_bars: usize) -> (Bars, usize) {
    let length = bars.timeframe.span();
    let mut filled = Bars::with_capacity(bars.symbol.clone(), bars.timeframe, bars.len());
    for row in 0..bars.len() {
        let Some(bar) = bars.get(row) else { continue };
        filled.push(bar);
        let step = bars.open_time.get(row + 1).map_or(Span::ZERO, |next| next.since(bar.open_time));
        // Whole bars that fit before the next one, which itself may be off the grid.
        let missing = usize::try_from(step.nanos() / length.nanos() - 1).unwrap_or(0);
        for bars_later in 1..=missing.min(max_bars) {
            filled.push(flat_after(&bar, Span::from_nanos(length.nanos() * bars_later as i64)));
        }
    }
    let added = filled.len() - bars.len();
    if added == 0 { (bars, 0) } else { (filled, added) }
}

/// A bar without trades at the close of `bar`, `later` than it.
fn flat_after(bar: &Bar, later: Span) -> Bar {
    Bar {
        open_time: bar.open_time.plus(later),
        close_time: bar.close_time.plus(later),
        available_at: bar.available_at.plus(later),
        open: bar.close,
        high: bar.close,
        low: bar.close,
        close: bar.close,
        volume: 0.0,
    }
}

impl fmt::Display for RepairSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DropBadRows => f.write_str("drop_bad_rows"),
            Self::KeepLastDuplicate => f.write_str("keep_last_duplicate"),
            Self::SortByTime => f.write_str("sort_by_time"),
            Self::ForwardFill { max_bars } => write!(f, "forward_fill, at most {max_bars} bars of each gap"),
        }
    }
}
