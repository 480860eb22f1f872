//! Metrics by name: `<split>/<task>/h<horizon>/<metric>`, each with the direction that is better.
//!
//! The catalogue is known before the first step, so a policy on a metric that will never exist is refused, not ignored.

use std::cmp::Ordering;

use crate::spec::RegressionLoss;
use crate::task::{TaskKind, Tasks};

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Less is better: losses and errors.
    Minimise,
    /// More is better: correlations and accuracies.
    Maximise,
}

impl Direction {
    /// By how much `new` is better than `old`.
    #[must_use]
    pub fn gain(self, old: f64, new: f64) -> f64 {
        match self {
            Self::Minimise => old - new,
            Self::Maximise => new - old,
        }
    }

    /// Whether `value` is better than `best` by more than `min_delta`. One that is undefined or not finite never is; the first
    /// that is neither always is.
    #[must_use]
    pub fn improves(self, best: Option<f64>, value: Option<f64>, min_delta: f64) -> bool {
        match (value.filter(|value| value.is_finite()), best) {
            (Some(value), Some(best)) => self.gain(best, value) > min_delta,
            (Some(_), None) => true,
            (None, _) => false,
        }
    }

    /// Orders the better value first.
    #[must_use]
    pub fn order(self, a: f64, b: f64) -> Ordering {
        match self {
            Self::Minimise => a.total_cmp(&b),
            Self::Maximise => b.total_cmp(&a),
        }
    }
}

/// A metric that a run will have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its full name.
    pub name: String,
    /// Which way is better.
    pub direction: Direction,
}

impl Metric {
    /// True for a score over symbols, which too few symbols do not have.
    pub(crate) fn is_cross_section(&self) -> bool {
        is_cross_section(&self.name)
    }
}

/// As [`Metric::is_cross_section`], by the metric's name.
pub(crate) fn is_cross_section(name: &str) -> bool {
    name.ends_with("_cross")
}

/// The epoch, counted from 1, whose weights became the artefact's: the best by `training.checkpointing.metric`. Undefined
/// where that metric never was.
pub const EPOCHS_TO_BEST: &str = "training/epochs_to_best";

const PRICE: [(&str, Direction); 6] = [
    ("ic_series", Direction::Maximise),
    ("rank_ic_series", Direction::Maximise),
    ("rank_ic_cross", Direction::Maximise),
    ("r2_zero", Direction::Maximise),
    ("rmse", Direction::Minimise),
    ("directional_accuracy", Direction::Maximise),
];
const VOLATILITY: [(&str, Direction); 3] = [
    ("r2_log", Direction::Maximise),
    ("qlike", Direction::Minimise),
    ("rank_ic_series", Direction::Maximise),
];
/// Of a return forecast that says how sure it is.
const QUANTILES: [(&str, Direction); 2] =
    [("pinball", Direction::Minimise), ("coverage_error", Direction::Minimise)];
const NORMAL: [(&str, Direction); 3] =
    [("nll", Direction::Minimise), ("crps", Direction::Minimise), ("coverage_error", Direction::Minimise)];
const REGIME: [(&str, Direction); 5] = [
    ("accuracy", Direction::Maximise),
    ("macro_f1", Direction::Maximise),
    ("mcc", Direction::Maximise),
    ("ece", Direction::Minimise),
    ("ece_calibrated", Direction::Minimise),
];

/// Every metric that `split` has after each epoch when `tasks` are trained.
#[must_use]
pub fn catalogue(split: &str, tasks: &Tasks) -> Vec<Metric> {
    let mut metrics = vec![Metric { name: format!("{split}/loss"), direction: Direction::Minimise }];
    for task in tasks.iter() {
        metrics.push(Metric { name: format!("{split}/{}/loss", task.name), direction: Direction::Minimise });
        let more: &[(&str, Direction)] = match task.kind {
            TaskKind::Price { loss: RegressionLoss::Quantile { .. } } => &QUANTILES,
            TaskKind::Price { loss: RegressionLoss::Gaussian } => &NORMAL,
            _ => &[],
        };
        let scores: &[(&str, Direction)] = match task.kind {
            TaskKind::Price { .. } => &PRICE,
            TaskKind::Volatility { .. } => &VOLATILITY,
            TaskKind::Regime { .. } => &REGIME,
        };
        for horizon in &task.horizons {
            for (score, direction) in scores.iter().chain(more) {
                let name = name(split, task.name, *horizon, score);
                metrics.push(Metric { name, direction: *direction });
            }
        }
    }
    metrics
}

/// Measures of the features before the heads, each with the direction that is better.
const FEATURES: [(&str, Direction); 6] = [
    ("variance", Direction::Maximise),
    ("dead", Direction::Minimise),
    ("effective_rank", Direction::Maximise),
    ("redundancy", Direction::Minimise),
    ("drift", Direction::Minimise),
    ("branch_agreement", Direction::Minimise),
];

/// What is measured of the features after each epoch when `tasks` are trained: `features/<measure>`, and for each outcome that is
/// a number `features/<task>/h<horizon>/{best_rank_ic,discoveries}`.
#[must_use]
pub fn feature_catalogue(tasks: &Tasks) -> Vec<Metric> {
    let measure = |(name, direction): &(&str, Direction)| Metric {
        name: format!("features/{name}"),
        direction: *direction,
    };
    let mut metrics: Vec<Metric> = FEATURES.iter().map(measure).collect();
    for task in tasks.iter().filter(|task| !matches!(task.kind, TaskKind::Regime { .. })) {
        for horizon in &task.horizons {
            for measure in ["best_rank_ic", "discoveries"] {
                let name = name("features", task.name, *horizon, measure);
                metrics.push(Metric { name, direction: Direction::Maximise });
            }
        }
    }
    metrics
}

/// The full name of a score.
#[must_use]
pub fn name(split: &str, task: &str, horizon: usize, score: &str) -> String {
    format!("{split}/{task}/h{horizon}/{score}")
}

/// Finds `wanted` among the metrics of the validation span and of the features, or names the nearest ones.
///
/// # Errors
/// The names that look most like it, the most similar first.
pub fn find(wanted: &str, tasks: &Tasks) -> Result<Metric, Vec<String>> {
    let mut metrics = catalogue("validation", tasks);
    metrics.extend(feature_catalogue(tasks));
    among(metrics, wanted)
}

/// Finds `wanted` among everything that a target may be set on: the metrics of every span, and [`EPOCHS_TO_BEST`].
///
/// # Errors
/// As [`find`].
pub fn find_target(wanted: &str, tasks: &Tasks) -> Result<Metric, Vec<String>> {
    let spans = ["validation", "test", "train"];
    let mut metrics: Vec<Metric> = spans.iter().flat_map(|split| catalogue(split, tasks)).collect();
    metrics.push(Metric { name: EPOCHS_TO_BEST.into(), direction: Direction::Minimise });
    among(metrics, wanted)
}

fn among(metrics: Vec<Metric>, wanted: &str) -> Result<Metric, Vec<String>> {
    if let Some(metric) = metrics.iter().find(|metric| metric.name == wanted) {
        return Ok(metric.clone());
    }
    let mut names: Vec<String> = metrics.into_iter().map(|metric| metric.name).collect();
    names.sort_by_key(|name| strsim::damerau_levenshtein(name, wanted));
    names.truncate(3);
    Err(names)
}
