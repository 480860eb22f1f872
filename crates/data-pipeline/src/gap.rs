//! Where long gaps cut a symbol's bars into stretches. No feature, window or label reaches from one into another.

use std::ops::Range;

use crate::bar::Bars;
use crate::time::{Span, Timestamp};

/// A time without base bars that nothing may reach over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    /// Close of the bar before.
    start: Timestamp,
    /// Open of the bar after.
    end: Timestamp,
}

impl Gap {
    /// Open of the first bar after it.
    pub(crate) fn end(&self) -> Timestamp {
        self.end
    }
}

/// The gaps between consecutive base bars that are longer than `longest`.
pub(crate) fn long_gaps(base: &Bars, longest: Span) -> Vec<Gap> {
    base.close_time
        .iter()
        .zip(base.open_time.iter().skip(1))
        .filter(|(start, end)| end.since(**start) > longest)
        .map(|(&start, &end)| Gap { start, end })
        .collect()
}

/// The longest ranges of consecutive rows of `bars` without a gap between or inside them, in order.
/// A bar that covers a gap, or a part of one, belongs to no stretch.
pub(crate) fn stretches(bars: &Bars, gaps: &[Gap]) -> Vec<Range<usize>> {
    let mut found: Vec<(usize, Range<usize>)> = Vec::new();
    let mut passed = 0;
    for row in 0..bars.len() {
        while gaps.get(passed).is_some_and(|gap| gap.end <= bars.open_time[row]) {
            passed += 1;
        }
        if gaps.get(passed).is_some_and(|gap| gap.start < bars.close_time[row]) {
            continue;
        }
        match found.last_mut() {
            Some((gaps_before, rows)) if *gaps_before == passed && rows.end == row => rows.end = row + 1,
            _ => found.push((passed, row..row + 1)),
        }
    }
    found.into_iter().map(|(_, rows)| rows).collect()
}
