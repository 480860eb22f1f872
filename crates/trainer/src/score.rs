//! From what a network said of a span to its scores: rows are cut from the dataset, `tapeline-evaluation` does the sums.

mod calibration;
mod distribution;
mod features;
mod losses;
mod price;
mod regime;
mod rows;
mod temperature;
mod train_means;
mod volatility;

use std::collections::BTreeMap;

use tapeline_artefact::Predictions;
use tapeline_data_pipeline::{Dataset, Split};
use tapeline_evaluation::{Interval, MovingBlocks};

use crate::error::TrainError;
use crate::metric;
use crate::scorecard::{Estimate, FeatureScore, Scorecard};
use crate::task::{TaskKind, Tasks};

pub use calibration::Calibration;
pub use regime::class_probabilities;
use rows::Rows;

/// How much is worked out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Detail {
    /// The scores alone: what every epoch needs.
    Scores,
    /// Also intervals, baselines, pairs for a picture and feature quality; intervals are drawn with this seed.
    Everything {
        /// Of the bootstrap.
        seed: u64,
    },
}

/// A span as the scoring functions see it.
struct Span<'a> {
    data: &'a Dataset,
    split: Split,
    samples: &'a [u32],
    predictions: &'a Predictions,
    detail: Detail,
}

/// Every metric of [`metric::catalogue`] for the validation span, whose samples `predictions` are about, in their order.
///
/// # Errors
/// [`TrainError::Score`] if a forecast is not a finite number.
pub(crate) fn validation_metrics(
    data: &Dataset,
    tasks: &Tasks,
    predictions: &Predictions,
) -> Result<BTreeMap<String, Option<f64>>, TrainError> {
    let calibration = Calibration::on_validation(data, tasks, predictions);
    Ok(score(data, tasks, Split::Validation, predictions, &calibration, Detail::Scores)?.metrics)
}

/// How many features hardly vary over the samples that `predictions` are about.
pub(crate) fn dead_features(predictions: &Predictions) -> usize {
    features::dead(&predictions.features)
}

/// All scores of `split` with intervals and baselines. `predictions` are about its samples, in their order; `seed` is that
/// of the bootstrap.
///
/// # Errors
/// [`TrainError::EmptySpan`] without a sample; [`TrainError::Score`] if a forecast is not a finite number.
pub fn scorecard(
    data: &Dataset,
    tasks: &Tasks,
    split: Split,
    predictions: &Predictions,
    calibration: &Calibration,
    seed: u64,
) -> Result<Scorecard, TrainError> {
    score(data, tasks, split, predictions, calibration, Detail::Everything { seed })
}

fn score(
    data: &Dataset,
    tasks: &Tasks,
    split: Split,
    predictions: &Predictions,
    calibration: &Calibration,
    detail: Detail,
) -> Result<Scorecard, TrainError> {
    let samples = data.samples(split);
    let (Some(first), Some(last)) = (samples.first(), samples.last()) else {
        return Err(TrainError::EmptySpan { split });
    };
    let decision = |sample: u32| data.windows().decisions()[sample as usize].to_string();
    let span = Span { data, split, samples, predictions, detail };
    let mut card = Scorecard {
        split: split.to_string(),
        samples: samples.len(),
        from: decision(*first),
        to: decision(*last),
        metrics: BTreeMap::new(),
        price: Vec::new(),
        volatility: Vec::new(),
        regime: Vec::new(),
        features: match detail {
            Detail::Scores => FeatureScore::default(),
            Detail::Everything { .. } => features::score(&predictions.features)?,
        },
    };
    for (head, task) in tasks.iter().enumerate() {
        for position in 0..task.horizons.len() {
            match task.kind {
                TaskKind::Price { loss } => {
                    card.price.push(price::score(&span, task, head, position, loss)?);
                }
                TaskKind::Volatility { .. } => {
                    card.volatility.push(volatility::score(&span, task, head, position, calibration)?);
                }
                TaskKind::Regime { classes, .. } => {
                    card.regime.push(regime::score(&span, task, head, position, classes, calibration)?);
                }
            }
        }
    }
    card.metrics = losses::losses(&span, tasks);
    card.metrics.extend(named(&card));
    Ok(card)
}

/// The scores under their full names.
fn named(card: &Scorecard) -> BTreeMap<String, Option<f64>> {
    let mut metrics = BTreeMap::new();
    let mut add = |task: &str, horizon: usize, score: &str, value: Option<f64>| {
        metrics.insert(metric::name(&card.split, task, horizon, score), value);
    };
    for score in &card.price {
        add(&score.task, score.horizon, "ic_series", score.ic_series.value);
        add(&score.task, score.horizon, "rank_ic_series", score.rank_ic_series.value);
        add(&score.task, score.horizon, "rank_ic_cross", score.rank_ic_cross.value);
        add(&score.task, score.horizon, "r2_zero", score.r2_zero);
        add(&score.task, score.horizon, "rmse", score.rmse);
        add(&score.task, score.horizon, "directional_accuracy", score.directional_accuracy);
        if let Some(distribution) = &score.distribution {
            let error =
                distribution.coverage.map(|coverage| (coverage - distribution.nominal_coverage).abs());
            add(&score.task, score.horizon, "coverage_error", error);
            let others =
                [("pinball", distribution.pinball), ("nll", distribution.nll), ("crps", distribution.crps)];
            for (name, value) in others.into_iter().filter(|(_, value)| value.is_some()) {
                add(&score.task, score.horizon, name, value);
            }
        }
    }
    for score in &card.volatility {
        add(&score.task, score.horizon, "r2_log", score.r2_log);
        add(&score.task, score.horizon, "qlike", score.qlike);
        add(&score.task, score.horizon, "rank_ic_series", score.rank_ic_series.value);
    }
    for score in &card.regime {
        add(&score.task, score.horizon, "accuracy", score.accuracy);
        add(&score.task, score.horizon, "macro_f1", score.macro_f1);
        add(&score.task, score.horizon, "mcc", score.mcc);
        add(&score.task, score.horizon, "ece", score.ece);
        add(&score.task, score.horizon, "ece_calibrated", score.ece_calibrated);
    }
    metrics
}

impl Span<'_> {
    /// How time is resampled for intervals about `rows` of `label`; none where only scores are wanted.
    fn blocks(&self, rows: &Rows, label: usize) -> Option<MovingBlocks> {
        match self.detail {
            Detail::Scores => None,
            Detail::Everything { seed } => {
                Some(MovingBlocks::new(rows.overlap(&self.data.labels()[label].end), seed))
            }
        }
    }
}

/// A value with the interval that `interval` finds, where intervals are wanted and there is one.
fn estimate<E>(
    value: Option<f64>,
    blocks: Option<&MovingBlocks>,
    interval: impl FnOnce(&MovingBlocks) -> Result<Interval, E>,
) -> Estimate {
    let interval = value.and(blocks).and_then(|blocks| interval(blocks).ok());
    Estimate { value, low: interval.map(|i| i.low), high: interval.map(|i| i.high) }
}
