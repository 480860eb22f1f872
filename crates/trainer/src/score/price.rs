//! Scores of a return forecast and of the naive forecasts beside it.

use tapeline_data_pipeline::{Dataset, LabelSpec, MASKED};
use tapeline_evaluation::direction::Direction;
use tapeline_evaluation::ridge::Ridge;
use tapeline_evaluation::{Correlation, Pairs, ic, regression};

use super::distribution::{self, DistributionRows};
use super::rows::{Rows, head_output, scaling, train_rows};
use super::train_means::TrainMeans;
use super::{Detail, Span, estimate};
use crate::error::TrainError;
use crate::scorecard::{Estimate, PriceBaseline, PriceScore};
use crate::spec::RegressionLoss;
use crate::task::Task;

/// Ridge penalty of the last-bar baseline, per train row: next to nothing, against collinear channels.
const RIDGE_PENALTY: f64 = 1e-4;

/// All that the figures of one price horizon are made of, cut loose from the data set.
pub(super) struct PriceRows {
    task: String,
    horizon: usize,
    rows: Rows,
    /// Where the forecast says how sure it is.
    distribution: Option<DistributionRows>,
    /// Naive forecasts of the same rows.
    baselines: Vec<(&'static str, Vec<f64>)>,
    /// On the built-in market and for the next bar: the best possible forecast of the same rows.
    oracle: Option<Vec<f64>>,
}

/// Gathers horizon number `position` of `task`, which is head number `head`.
pub(super) fn gather(
    span: &Span<'_>,
    task: &Task,
    head: usize,
    position: usize,
    loss: RegressionLoss,
) -> Result<PriceRows, TrainError> {
    let (label, horizon) = (task.labels.start + position, task.horizons[position]);
    let rows = Rows::of(span, label, head_output(span, head, position));
    Ok(PriceRows {
        task: task.name.into(),
        horizon,
        distribution: distribution::gather(span, task, head, position, loss),
        baselines: match span.detail {
            Detail::Everything { .. } => baselines(span, &rows, label, horizon)?,
            Detail::Scores => Vec::new(),
        },
        oracle: oracle(span, &rows, label),
        rows,
    })
}

impl PriceRows {
    /// Adds what another fold says of later decisions.
    pub(super) fn join(&mut self, later: Self) {
        self.rows.join(later.rows);
        if let (Some(mine), Some(later)) = (&mut self.distribution, later.distribution) {
            mine.join(&later);
        }
        for ((_, forecast), (_, more)) in self.baselines.iter_mut().zip(later.baselines) {
            forecast.extend(more);
        }
        self.oracle = self.oracle.take().zip(later.oracle).map(|(mut oracle, more)| {
            oracle.extend(more);
            oracle
        });
    }

    pub(super) fn score(&self, symbols: &[String], detail: Detail) -> Result<PriceScore, TrainError> {
        let rows = &self.rows;
        let panel = rows.panel()?;
        let blocks = detail.blocks(rows);
        let pairs = Pairs::new(&rows.forecast, &rows.realised)?;
        let direction = Direction::of(pairs);
        let pearson = ic::per_series(&panel, Correlation::Pearson);
        let rank = ic::per_series(&panel, Correlation::Rank);
        let cross = ic::cross_section(&panel, Correlation::Rank);
        let symbol = |id: u32| symbols[id as usize].clone();
        let best_possible = |oracle: &Vec<f64>| -> Result<Option<f64>, TrainError> {
            Ok(ic::per_series(&rows.panel_of(oracle)?, Correlation::Pearson).mean)
        };
        let baselines = self.baselines.iter().map(|(name, forecast)| baseline(name, rows, forecast));
        Ok(PriceScore {
            task: self.task.clone(),
            horizon: self.horizon,
            rows: rows.samples.len(),
            ic_series: estimate(pearson.mean, blocks.as_ref(), |blocks| {
                ic::per_series_interval(&panel, Correlation::Pearson, blocks)
            }),
            rank_ic_series: estimate(rank.mean, blocks.as_ref(), |blocks| {
                ic::per_series_interval(&panel, Correlation::Rank, blocks)
            }),
            rank_ic_cross: estimate(cross.mean, blocks.as_ref(), |blocks| cross.interval(blocks)),
            r2_zero: regression::r2_zero(pairs),
            mae: regression::mae(pairs),
            rmse: regression::rmse(pairs),
            directional_accuracy: direction.accuracy(),
            called_share: direction.called_share(),
            distribution: self.distribution.as_ref().map(DistributionRows::score),
            per_symbol: rank.by_series.into_iter().map(|(id, ic)| (symbol(id), ic)).collect(),
            best_possible_ic: self.oracle.as_ref().map(best_possible).transpose()?.flatten(),
            baselines: baselines.collect::<Result<_, _>>()?,
            pairs: if blocks.is_some() { rows.pairs() } else { Vec::new() },
        })
    }
}

/// On the built-in market, what the planted signal itself says of these rows; known for the next bar alone.
fn oracle(span: &Span<'_>, rows: &Rows, label: usize) -> Option<Vec<f64>> {
    let next_bar = LabelSpec::LogReturn { horizon: 1, lag: 0 };
    if span.data.labels()[label].spec != next_bar {
        return None;
    }
    rows.samples.iter().map(|sample| span.data.oracle(*sample)).collect()
}

fn baselines(
    span: &Span<'_>,
    rows: &Rows,
    label: usize,
    horizon: usize,
) -> Result<Vec<(&'static str, Vec<f64>)>, TrainError> {
    let (samples, returns) = train_rows(span, label);
    let train_mean = TrainMeans::of(span, &samples, &returns);
    let expected = |symbol: &u32| train_mean.as_ref().map_or(0.0, |means| means.of_symbol(*symbol));
    let past = |sample: &u32| known(span.data.past_return(*sample, horizon));
    Ok(vec![
        ("zero", vec![0.0; rows.samples.len()]),
        ("train_mean", rows.series.iter().map(expected).collect()),
        ("persistence", rows.samples.iter().map(past).collect()),
        ("ridge_last_bar", ridge_last_bar(span, rows, label)?),
    ])
}

fn baseline(name: &str, rows: &Rows, forecast: &[f64]) -> Result<PriceBaseline, TrainError> {
    let panel = rows.panel_of(forecast)?;
    let pairs = Pairs::new(forecast, &rows.realised)?;
    let direction = Direction::of(pairs);
    Ok(PriceBaseline {
        name: name.into(),
        ic_series: ic::per_series(&panel, Correlation::Pearson).mean,
        rank_ic_series: ic::per_series(&panel, Correlation::Rank).mean,
        r2_zero: regression::r2_zero(pairs),
        directional_accuracy: direction.accuracy(),
        called_share: direction.called_share(),
    })
}

/// A linear forecast from the newest row of every timeframe, fitted on train rows: what needs no network.
fn ridge_last_bar(span: &Span<'_>, rows: &Rows, label: usize) -> Result<Vec<f64>, TrainError> {
    let (samples, targets) = train_rows(span, label);
    let (mean, _) = scaling(&span.data.labels()[label].fitted);
    let mut columns = 0;
    let mut gather = |samples: &[u32]| {
        let mut x = Vec::new();
        for sample in samples {
            let before = x.len();
            append_last_rows(span.data, *sample, &mut x);
            columns = x.len() - before;
        }
        x
    };
    let (train, scored) = (gather(&samples), gather(&rows.samples));
    if samples.is_empty() || rows.samples.is_empty() {
        return Ok(vec![mean; rows.samples.len()]);
    }
    let ridge = Ridge::fit(&train, columns, &targets, RIDGE_PENALTY * samples.len() as f64)?;
    Ok(ridge.predict(&scored)?)
}

/// The newest visible row of every timeframe; zeros where the window is masked.
fn append_last_rows(data: &Dataset, sample: u32, x: &mut Vec<f64>) {
    let sample = sample as usize;
    let tables = &data.tables()[data.windows().symbols()[sample] as usize];
    for (timeframe, table) in tables.iter().enumerate() {
        match data.windows().end_rows(timeframe)[sample] {
            MASKED => x.extend(std::iter::repeat_n(0.0, table.width())),
            row => x.extend(table.row(row as usize).iter().copied().map(f64::from)),
        }
    }
}

/// A figure about the past, or 0 where there is too little of it.
fn known(figure: f64) -> f64 {
    if figure.is_finite() { figure } else { 0.0 }
}

impl Estimate {
    /// True when the interval holds 0, or when there is no interval.
    #[must_use]
    pub fn covers_zero(&self) -> bool {
        match (self.low, self.high) {
            (Some(low), Some(high)) => low <= 0.0 && 0.0 <= high,
            _ => true,
        }
    }
}
