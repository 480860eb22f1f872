//! Scores of a regime forecast and of the naive forecasts beside it.

use tapeline_data_pipeline::Regime;
use tapeline_evaluation::baseline::{majority, stratified};
use tapeline_evaluation::calibration::{Probabilities, expected_calibration_error};
use tapeline_evaluation::classification::Confusion;

use super::rows::train_rows;
use super::{Calibration, Detail, Span};
use crate::error::TrainError;
use crate::scorecard::{RegimeBaseline, RegimeScore};
use crate::task::Task;

/// A naive forecast by name: classes, and what came.
type NaiveClasses = (&'static str, Vec<u32>, Vec<u32>);

/// All that the figures of one regime horizon are made of, cut loose from the data set.
pub(super) struct RegimeRows {
    task: String,
    horizon: usize,
    classes: usize,
    actual: Vec<u32>,
    /// `[row, class]`.
    probabilities: Vec<f64>,
    /// By which scores are divided; none where none was found, or where folds have their own.
    temperature: Option<f64>,
    /// `[row, class]`, each at its own fold's temperature.
    calibrated: Option<Vec<f64>>,
    class_weights: Vec<f64>,
    /// Naive forecasts: the class and what came, of the rows that each has a forecast for.
    baselines: Vec<NaiveClasses>,
}

/// Gathers horizon number `position` of `task`, which is head number `head` with `classes` scores a horizon.
pub(super) fn gather(
    span: &Span<'_>,
    task: &Task,
    head: usize,
    position: usize,
    classes: usize,
    calibration: &Calibration,
) -> Result<RegimeRows, TrainError> {
    let (label, horizon) = (task.labels.start + position, task.horizons[position]);
    let ClassScores { samples, actual, scores } = ClassScores::of(span, label, head, position, classes);
    let at = |temperature: f64| -> Vec<f64> {
        let rows = scores.chunks_exact(classes);
        rows.flat_map(|row| probabilities_at(row, temperature)).collect()
    };
    let temperature = calibration.temperature(label);
    Ok(RegimeRows {
        task: task.name.into(),
        horizon,
        classes,
        class_weights: task.class_weights(&span.data.labels()[label].fitted).unwrap_or_default(),
        temperature,
        calibrated: temperature.map(at),
        probabilities: at(1.0),
        baselines: match span.detail {
            Detail::Everything { seed } => baselines(span, label, classes, &samples, &actual, seed)?,
            Detail::Scores => Vec::new(),
        },
        actual,
    })
}

impl RegimeRows {
    /// Adds what another fold says of later decisions, whose classes are those of its own thresholds. What a sample counted
    /// for is no longer the same for all.
    pub(super) fn join(&mut self, later: Self) {
        self.actual.extend(later.actual);
        self.probabilities.extend(later.probabilities);
        self.class_weights.clear();
        self.temperature = None;
        self.calibrated = self.calibrated.take().zip(later.calibrated).map(|(mut mine, later)| {
            mine.extend(later);
            mine
        });
        for (name, forecast, actual) in later.baselines {
            if let Some(mine) = self.baselines.iter_mut().find(|mine| mine.0 == name) {
                mine.1.extend(forecast);
                mine.2.extend(actual);
            }
        }
    }

    pub(super) fn score(&self) -> Result<RegimeScore, TrainError> {
        let classes = self.classes;
        let probabilities = Probabilities::new(classes, &self.probabilities, &self.actual)?;
        let confusion = Confusion::new(classes, &probabilities.predicted(), &self.actual)?;
        let own = figures("network", &confusion);
        let calibrated = self.calibrated.as_ref();
        let calibrated = calibrated.map(|all| Probabilities::new(classes, all, &self.actual)).transpose()?;
        let baselines = self
            .baselines
            .iter()
            .map(|(name, forecast, actual)| Ok(figures(name, &Confusion::new(classes, forecast, actual)?)));
        let count = |actual, predicted| confusion.count(actual, predicted) as u64;
        Ok(RegimeScore {
            task: self.task.clone(),
            horizon: self.horizon,
            rows: self.actual.len(),
            classes: Regime::ALL.iter().map(|regime| regime.name().to_owned()).collect(),
            shares: confusion.actual_shares().unwrap_or_default(),
            class_weights: self.class_weights.clone(),
            accuracy: own.accuracy,
            macro_f1: own.macro_f1,
            mcc: own.mcc,
            ece: expected_calibration_error(&probabilities),
            temperature: self.temperature,
            ece_calibrated: calibrated.as_ref().and_then(expected_calibration_error),
            confusion: (0..classes)
                .map(|actual| (0..classes).map(|predicted| count(actual, predicted)).collect())
                .collect(),
            baselines: baselines.collect::<Result<_, TrainError>>()?,
        })
    }
}

/// The probability of each class by the softmax of its score, in 64 bits.
pub fn class_probabilities(scores: &[f32]) -> impl Iterator<Item = f64> + '_ {
    probabilities_at(scores, 1.0)
}

/// The same, of scores that are divided by `temperature`.
pub(super) fn probabilities_at(scores: &[f32], temperature: f64) -> impl Iterator<Item = f64> + '_ {
    let top = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let weight = move |score: &f32| (f64::from(score - top) / temperature).exp();
    let sum: f64 = scores.iter().map(weight).sum();
    scores.iter().map(move |score| weight(score) / sum)
}

/// The rows of a label that is a class.
pub(super) struct ClassScores {
    /// Sample ids.
    pub(super) samples: Vec<u32>,
    /// The class that came.
    pub(super) actual: Vec<u32>,
    /// `[row, class]`.
    pub(super) scores: Vec<f32>,
}

impl ClassScores {
    /// Those of `label` in `span`, of which head number `head` says `classes` scores at `position`.
    pub(super) fn of(span: &Span<'_>, label: usize, head: usize, position: usize, classes: usize) -> Self {
        let values = &span.data.labels()[label].values;
        let (mut samples, mut actual, mut scores) = (Vec::new(), Vec::new(), Vec::new());
        for (row, &sample) in span.samples.iter().enumerate() {
            let class = values[sample as usize];
            if !class.is_nan() {
                samples.push(sample);
                actual.push(class as u32);
                let all = span.predictions.heads[head].row(row);
                scores.extend_from_slice(&all[position * classes..(position + 1) * classes]);
            }
        }
        Self { samples, actual, scores }
    }
}

fn figures(name: &str, confusion: &Confusion) -> RegimeBaseline {
    RegimeBaseline {
        name: name.into(),
        accuracy: confusion.accuracy(),
        macro_f1: confusion.macro_f1(),
        mcc: confusion.mcc(),
    }
}

fn baselines(
    span: &Span<'_>,
    label: usize,
    classes: usize,
    samples: &[u32],
    actual: &[u32],
    seed: u64,
) -> Result<Vec<NaiveClasses>, TrainError> {
    let (_, train) = train_rows(span, label);
    let train: Vec<u32> = train.into_iter().map(|class| class as u32).collect();
    let mut baselines = Vec::new();
    if let Some(class) = majority(&train, classes)? {
        baselines.push(("majority", vec![class; actual.len()], actual.to_vec()));
    }
    if let Some(forecast) = stratified(&train, classes, actual.len(), seed)? {
        baselines.push(("stratified", forecast, actual.to_vec()));
    }
    // Where too few bars lie behind a decision there is no past regime; those rows are left out of this baseline.
    let past = samples.iter().zip(actual).filter_map(|(sample, actual)| {
        span.data.past_regime(*sample, label).map(|regime| (regime.index() as u32, *actual))
    });
    let (forecast, actual): (Vec<u32>, Vec<u32>) = past.unzip();
    baselines.push(("persistence", forecast, actual));
    Ok(baselines)
}
