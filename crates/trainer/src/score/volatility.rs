//! Scores of a forecast of log realised variance and of the naive forecasts beside it.
//!
//! Every forecast is scored twice, each time with the number that suits: its log for R² of the log, its variance for QLIKE.

mod naive;

use tapeline_data_pipeline::VARIANCE_FLOOR;
use tapeline_evaluation::regression::r2_zero;
use tapeline_evaluation::volatility::{self, Variances, from_log};
use tapeline_evaluation::{Correlation, Pairs, ic};

use super::rows::{Rows, head_output, train_rows};
use super::train_means::TrainMeans;
use super::{Calibration, Span, estimate};
use crate::error::TrainError;
use crate::scorecard::VolatilityScore;
use crate::task::Task;

/// Scores horizon number `position` of `task`, which is head number `head`.
pub(super) fn score(
    span: &Span<'_>,
    task: &Task,
    head: usize,
    position: usize,
    calibration: &Calibration,
) -> Result<VolatilityScore, TrainError> {
    let (label, horizon) = (task.labels.start + position, task.horizons[position]);
    let rows = Rows::of(span, label, head_output(span, head, position));
    let panel = rows.panel()?;
    // Volatility follows the time of day: what resamples it must keep whole days together.
    let blocks = span.blocks(&rows, label).map(|blocks| blocks.with_block(rows.times_per_day()));
    let rank = ic::per_series(&panel, Correlation::Rank);
    let (samples, logs) = train_rows(span, label);
    let train_means = TrainMeans::of(span, &samples, &logs);
    let variances = rows.forecast.iter().map(|log| from_log(*log, calibration.of(label)));
    Ok(VolatilityScore {
        task: task.name.into(),
        horizon,
        rows: rows.samples.len(),
        r2_log: r2_log(&rows, &rows.forecast, train_means.as_ref())?,
        qlike: qlike(&rows, variances, horizon)?,
        rank_ic_series: estimate(rank.mean, blocks.as_ref(), |blocks| {
            ic::per_series_interval(&panel, Correlation::Rank, blocks)
        }),
        baselines: match (&blocks, &train_means) {
            (Some(_), Some(means)) => naive::baselines(span, &rows, label, horizon, means)?,
            _ => Vec::new(),
        },
        pairs: if blocks.is_some() { rows.pairs() } else { Vec::new() },
    })
}

/// 1 − Σ(y − ŷ)²/Σ(y − μ)² of the log forecasts ŷ, μ the train mean of the row's symbol.
fn r2_log(rows: &Rows, logs: &[f64], train_means: Option<&TrainMeans>) -> Result<Option<f64>, TrainError> {
    let Some(means) = train_means else { return Ok(None) };
    let above_mean = |values: &[f64]| -> Vec<f64> {
        values.iter().zip(&rows.series).map(|(value, symbol)| value - means.of_symbol(*symbol)).collect()
    };
    Ok(r2_zero(Pairs::new(&above_mean(logs), &above_mean(&rows.realised))?))
}

/// QLIKE of `variances`, one for each row, raised to the floor that labels have. `None` where one is beyond all numbers, as
/// the exponential of a forecast that has run away may be.
fn qlike(
    rows: &Rows,
    variances: impl Iterator<Item = f64>,
    horizon: usize,
) -> Result<Option<f64>, TrainError> {
    let variances: Vec<f64> = variances.map(|variance| variance.max(least_variance(horizon))).collect();
    if variances.iter().any(|variance| variance.is_infinite()) {
        return Ok(None);
    }
    let realised: Vec<f64> = rows.realised.iter().map(|log| log.exp()).collect();
    Ok(volatility::qlike(Variances::new(&variances, &realised)?))
}

/// The least realised variance of `horizon` bars that a label may have.
fn least_variance(horizon: usize) -> f64 {
    VARIANCE_FLOOR * horizon as f64
}
