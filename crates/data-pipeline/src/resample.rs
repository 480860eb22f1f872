//! Bars of a longer timeframe from shorter ones.

use crate::bar::{Bar, Bars};
use crate::error::DataError;
use crate::time::{DAY, Timeframe, Timestamp};

/// Weeks start on Monday; 1970-01-05 was the first one.
const FIRST_MONDAY: i64 = 4 * DAY;

/// Bars of timeframe `to` from `bars`, which must be sorted by time; `to` is a multiple of their timeframe.
///
/// Bins are aligned to UTC: those of a day start at 00:00, those of a week on Monday. A bar's open is that of its first
/// base bar, its close that of its last, its volume their sum.
///
/// - A bin cut off by the start or the end of the data is incomplete and dropped. The last bin is complete when the
///   data reach to its end.
/// - A bin inside the data is kept when it holds at least one base bar: sessions, halts and holidays leave bins with few
///   of them. It closes at its end, not at its last base bar, and so is known late rather than early.
/// - A bar is available at its close plus the publication lag of its base bars.
///
/// The best possible forecast of the built-in market speaks of the next base bar, so a longer timeframe has none.
///
/// # Errors
/// [`DataError::Resample`] when `to` is not a multiple of the bars' timeframe.
pub fn resample(bars: &Bars, to: Timeframe) -> Result<Bars, DataError> {
    let from = bars.timeframe;
    if to.nanos() % from.nanos() != 0 {
        return Err(DataError::Resample { from, to });
    }
    if to == from {
        return Ok(bars.clone());
    }
    let mut higher = Bars::with_capacity(bars.symbol.clone(), to, bars.len());
    let mut row = 0;
    while row < bars.len() {
        let start = bin_start(bars.open_time[row], to);
        let rows = bars.open_time[row..].iter().take_while(|&&open| bin_start(open, to) == start).count();
        let bin = row..row + rows;
        row = bin.end;
        let cut_at_start = bin.start == 0 && bars.open_time[0] > start;
        let end = start.plus(to.span());
        let cut_at_end = bin.end == bars.len() && bars.close_time[bin.end - 1] < end;
        if !cut_at_start && !cut_at_end {
            higher.push(merge(bars, bin, start, end));
        }
    }
    Ok(higher)
}

/// The start of the bin of `timeframe` that holds `instant`.
fn bin_start(instant: Timestamp, timeframe: Timeframe) -> Timestamp {
    let origin = if timeframe.nanos() % (7 * DAY) == 0 { FIRST_MONDAY } else { 0 };
    let into_bin = (instant.nanos() - origin).rem_euclid(timeframe.nanos());
    Timestamp::from_nanos(instant.nanos() - into_bin)
}

/// One bar out of the non-empty range `rows`. Base bars that are not on the grid (days stamped at the start of their
/// session) may end after the bin; then so does the bar.
fn merge(bars: &Bars, rows: std::ops::Range<usize>, start: Timestamp, end: Timestamp) -> Bar {
    let last = rows.end - 1;
    let lag = bars.available_at[last].since(bars.close_time[last]);
    let close_time = end.max(bars.close_time[last]);
    Bar {
        open_time: start,
        close_time,
        available_at: close_time.plus(lag),
        open: bars.open[rows.start],
        high: bars.high[rows.clone()].iter().copied().fold(f64::NEG_INFINITY, f64::max),
        low: bars.low[rows.clone()].iter().copied().fold(f64::INFINITY, f64::min),
        close: bars.close[last],
        volume: bars.volume[rows].iter().sum(),
    }
}
