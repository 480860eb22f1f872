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
use super::{Calibration, Detail, Span, estimate};
use crate::error::TrainError;
use crate::scorecard::{VolatilityBaseline, VolatilityScore};
use crate::task::Task;

/// All that the figures of one volatility horizon are made of, cut loose from the data set.
pub(super) struct VolatilityRows {
    task: String,
    horizon: usize,
    rows: Rows,
    /// The variance that each log forecast stands for.
    variances: Vec<f64>,
    /// The train mean of each row's symbol, in logs; `None` without train rows.
    means: Option<Vec<f64>>,
    baselines: Vec<naive::Named>,
}

/// Gathers horizon number `position` of `task`, which is head number `head`.
pub(super) fn gather(
    span: &Span<'_>,
    task: &Task,
    head: usize,
    position: usize,
    calibration: &Calibration,
) -> Result<VolatilityRows, TrainError> {
    let (label, horizon) = (task.labels.start + position, task.horizons[position]);
    let rows = Rows::of(span, label, head_output(span, head, position));
    let (samples, logs) = train_rows(span, label);
    let means = TrainMeans::of(span, &samples, &logs);
    Ok(VolatilityRows {
        task: task.name.into(),
        horizon,
        variances: rows.forecast.iter().map(|log| from_log(*log, calibration.of(label))).collect(),
        baselines: match (span.detail, &means) {
            (Detail::Everything { .. }, Some(means)) => naive::forecasts(span, &rows, label, horizon, means)?,
            _ => Vec::new(),
        },
        means: means.map(|means| rows.series.iter().map(|symbol| means.of_symbol(*symbol)).collect()),
        rows,
    })
}

impl VolatilityRows {
    /// Adds what another fold says of later decisions.
    pub(super) fn join(&mut self, later: Self) {
        let before = self.rows.samples.len();
        let count = later.rows.samples.len();
        self.rows.join(later.rows);
        self.variances.extend(later.variances);
        self.means = self.means.take().zip(later.means).map(|(mut means, more)| {
            means.extend(more);
            means
        });
        for (name, forecasts) in &mut self.baselines {
            let more = later.baselines.iter().find(|(other, _)| other == name);
            forecasts.extend(more.map_or_else(|| vec![None; count], |(_, more)| more.clone()));
        }
        for (name, more) in later.baselines {
            if self.baselines.iter().all(|(mine, _)| *mine != name) {
                let forecasts = std::iter::repeat_n(None, before).chain(more).collect();
                self.baselines.push((name, forecasts));
            }
        }
    }

    pub(super) fn score(&self, detail: Detail) -> Result<VolatilityScore, TrainError> {
        let (rows, means) = (&self.rows, self.means.as_deref());
        let panel = rows.panel()?;
        // Volatility follows the time of day: what resamples it must keep whole days together.
        let blocks = detail.blocks(rows).map(|blocks| blocks.with_block(rows.times_per_day()));
        let rank = ic::per_series(&panel, Correlation::Rank);
        let baselines = self.baselines.iter().map(|(name, said)| self.baseline(name, said));
        Ok(VolatilityScore {
            task: self.task.clone(),
            horizon: self.horizon,
            rows: rows.samples.len(),
            r2_log: r2_log(rows, &rows.forecast, means)?,
            qlike: qlike(rows, self.variances.iter().copied(), self.horizon)?,
            rank_ic_series: estimate(rank.mean, blocks.as_ref(), |blocks| {
                ic::per_series_interval(&panel, Correlation::Rank, blocks)
            }),
            baselines: baselines.collect::<Result<_, _>>()?,
            pairs: if blocks.is_some() { rows.pairs() } else { Vec::new() },
        })
    }

    /// Scores the rows for which there is a forecast.
    fn baseline(
        &self,
        name: &str,
        said: &[Option<naive::Forecast>],
    ) -> Result<VolatilityBaseline, TrainError> {
        let said = said.iter().enumerate().filter_map(|(row, forecast)| Some((row, (*forecast)?)));
        let (known, forecasts): (Vec<usize>, Vec<naive::Forecast>) = said.unzip();
        let rows = self.rows.only(&known);
        let means: Option<Vec<f64>> =
            self.means.as_ref().map(|means| known.iter().map(|&row| means[row]).collect());
        let logs: Vec<f64> = forecasts.iter().map(|forecast| forecast.log).collect();
        let variances = forecasts.iter().map(|forecast| forecast.variance);
        Ok(VolatilityBaseline {
            name: name.into(),
            rows: known.len(),
            r2_log: r2_log(&rows, &logs, means.as_deref())?,
            qlike: qlike(&rows, variances, self.horizon)?,
        })
    }
}

/// 1 − Σ(y − ŷ)²/Σ(y − μ)² of the log forecasts ŷ, μ the train mean of the row's symbol.
fn r2_log(rows: &Rows, logs: &[f64], means: Option<&[f64]>) -> Result<Option<f64>, TrainError> {
    let Some(means) = means else { return Ok(None) };
    let above_mean =
        |values: &[f64]| -> Vec<f64> { values.iter().zip(means).map(|(value, mean)| value - mean).collect() };
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
