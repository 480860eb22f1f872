//! The path of a symbol's close: what labels and naive baselines are made of. Rows are base bars.

use std::ops::Range;

use crate::bar::Bars;
use crate::gap::{Gap, stretches};
use crate::time::Timestamp;

/// The least mean squared log return per bar that counts as movement: a root mean square of 0.1 basis points, below any
/// market's noise. Logarithms of variances see no less.
pub const VARIANCE_FLOOR: f64 = 1e-10;

/// Closes of one symbol's base bars, cut into stretches at long gaps.
#[derive(Clone, Debug)]
pub(crate) struct PricePath {
    close: Vec<f64>,
    log_close: Vec<f64>,
    available_at: Vec<Timestamp>,
    stretches: Vec<Range<usize>>,
    oracle: Option<Vec<f64>>,
}

/// Why a figure over bars after a row does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreachable {
    /// The bars are not there yet.
    PastTheEnd,
    /// They lie beyond a long gap.
    BeyondGap,
}

impl PricePath {
    pub(crate) fn new(bars: &Bars, gaps: &[Gap]) -> Self {
        Self {
            close: bars.close.clone(),
            log_close: bars.close.iter().map(|close| close.ln()).collect(),
            available_at: bars.available_at.clone(),
            stretches: stretches(bars, gaps),
            oracle: bars.oracle.clone(),
        }
    }

    pub(crate) fn close(&self) -> &[f64] {
        &self.close
    }

    pub(crate) fn available_at(&self, row: usize) -> Timestamp {
        self.available_at[row]
    }

    pub(crate) fn oracle(&self, row: usize) -> Option<f64> {
        self.oracle.as_ref().and_then(|values| values.get(row).copied()).filter(|value| value.is_finite())
    }

    /// The row `bars` after `row` in the same stretch.
    pub(crate) fn ahead(&self, row: usize, bars: usize) -> Result<usize, Unreachable> {
        let target = row
            .checked_add(bars)
            .filter(|&target| target < self.close.len())
            .ok_or(Unreachable::PastTheEnd)?;
        if target < self.stretch(row).end { Ok(target) } else { Err(Unreachable::BeyondGap) }
    }

    /// The row `bars` before `row` in the same stretch.
    pub(crate) fn behind(&self, row: usize, bars: usize) -> Option<usize> {
        row.checked_sub(bars).filter(|&target| target >= self.stretch(row).start)
    }

    /// ln of the close at `to` over the close at `from`.
    pub(crate) fn log_return(&self, from: usize, to: usize) -> f64 {
        self.log_close[to] - self.log_close[from]
    }

    /// Σ of the squared log returns of the bars after `from`, up to and with `to`.
    pub(crate) fn realized_variance(&self, from: usize, to: usize) -> f64 {
        self.log_close[from..=to].windows(2).map(|pair| (pair[1] - pair[0]).powi(2)).sum()
    }

    /// The squared log return of each row; 0 at the start of a stretch.
    pub(crate) fn squared_returns(&self) -> Vec<f64> {
        let mut squares = vec![0.0; self.close.len()];
        for rows in &self.stretches {
            for row in rows.clone().skip(1) {
                squares[row] = self.log_return(row - 1, row).powi(2);
            }
        }
        squares
    }

    /// The stretch that holds `row`.
    fn stretch(&self, row: usize) -> Range<usize> {
        let after = self.stretches.partition_point(|rows| rows.end <= row);
        self.stretches.get(after).filter(|rows| rows.contains(&row)).cloned().unwrap_or(row..row)
    }
}
