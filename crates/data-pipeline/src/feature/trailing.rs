//! Windows of rows that end with each row. Whoever sums over them sums each afresh: a running sum would carry the rounding
//! of all earlier rows along, and a value would depend on how much history lies before it.

use std::ops::Range;

use garde::{Error, Path, Report};

/// The longest a feature may look back, in bars: 7 days of 1-minute bars. Each row costs as many steps.
pub const LONGEST_LOOKBACK: usize = 10_080;

/// For each row of `rows` that has `bars` rows up to and with it: the row, and those rows.
pub(super) fn trailing(rows: usize, bars: usize) -> impl Iterator<Item = (usize, Range<usize>)> {
    (bars.max(1)..=rows).map(move |end| (end - 1, end - bars.max(1)..end))
}

/// The mean of `values`, of which there is at least one.
pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The sample variance (n − 1) of `values`, of which there are at least two.
pub(super) fn sample_variance(values: &[f64]) -> f64 {
    let mean = mean(values);
    values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (values.len() - 1) as f64
}

/// ln(value / value before) for all rows but the first.
pub(super) fn log_returns(close: &[f64]) -> Vec<f64> {
    close.windows(2).map(|pair| (pair[1] / pair[0]).ln()).collect()
}

/// Refuses a `parameter` that counts fewer bars than `least`, or more than [`LONGEST_LOOKBACK`].
pub(super) fn check_bars(parameter: &str, bars: usize, least: usize, path: &Path, report: &mut Report) {
    let plural = if least == 1 { "" } else { "s" };
    let fault = if bars < least {
        format!("must be at least {least} bar{plural}")
    } else if bars > LONGEST_LOOKBACK {
        format!("must be at most {LONGEST_LOOKBACK} bars")
    } else {
        return;
    };
    report.append(path.join(parameter), Error::new(fault));
}
