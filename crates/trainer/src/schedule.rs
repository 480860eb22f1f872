//! The learning rate as a pure function of a step's place in the run and of what the epochs before it came to.

use crate::metric::Metric;
use crate::spec::{PlateauSpec, SchedulerSpec, TrainingSpec};
use crate::state::EpochRecord;

/// Where in a run a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepPlace {
    /// Epochs finished.
    pub epoch: usize,
    /// Steps of this epoch that are done.
    pub step: usize,
    /// Steps that this epoch has.
    pub steps: usize,
}

impl StepPlace {
    /// The place `steps` steps before it, where epoch number e has `steps_of(e)`; the first one of all where there are not so
    /// many.
    #[must_use]
    pub fn before(self, steps: usize, steps_of: impl Fn(usize) -> usize) -> Self {
        let Self { mut epoch, mut step, .. } = self;
        let mut back = steps;
        while back > step && epoch > 0 {
            back -= step + 1;
            epoch -= 1;
            step = steps_of(epoch).saturating_sub(1);
        }
        Self { epoch, step: step.saturating_sub(back), steps: steps_of(epoch) }
    }

    /// Epochs of training before the step, with fractions.
    fn begin(self) -> f64 {
        self.epoch as f64 + self.step as f64 / self.steps.max(1) as f64
    }

    /// Epochs of training after it.
    fn end(self) -> f64 {
        self.epoch as f64 + (self.step + 1) as f64 / self.steps.max(1) as f64
    }
}

/// A linear warm-up, the last step of which has the peak rate, and a shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    peak: f64,
    warmup_epochs: f64,
    shape: Shape,
}

#[derive(Clone, Debug, PartialEq)]
enum Shape {
    Cosine { num_epochs: f64, min_rate: f64 },
    Step { every_epochs: usize, factor: f64 },
    Plateau { metric: Metric, spec: PlateauSpec },
    Constant,
}

impl Schedule {
    /// The schedule of `training`. `find` looks up the metric that a plateau is seen in, and may refuse it.
    ///
    /// # Errors
    /// Those of `find`.
    pub fn new<E>(training: &TrainingSpec, find: impl FnOnce(&str) -> Result<Metric, E>) -> Result<Self, E> {
        let shape = match &training.scheduler {
            SchedulerSpec::Cosine(spec) => {
                Shape::Cosine { num_epochs: training.num_epochs as f64, min_rate: spec.min_rate }
            }
            SchedulerSpec::Step(spec) => {
                Shape::Step { every_epochs: spec.every_epochs.max(1), factor: spec.factor }
            }
            SchedulerSpec::Plateau(spec) => {
                Shape::Plateau { metric: find(&spec.metric)?, spec: spec.clone() }
            }
            SchedulerSpec::Constant(_) => Shape::Constant,
        };
        let (peak, warmup_epochs) = (training.optimizer.learning_rate(), training.scheduler.warmup_epochs());
        Ok(Self { peak, warmup_epochs, shape })
    }

    /// The rate of the step at `place`, when the finished epochs came to `history`. Above zero for every step of a run, if
    /// no factor is.
    #[must_use]
    pub fn rate(&self, place: StepPlace, history: &[EpochRecord]) -> f64 {
        let begin = place.begin();
        let warmth =
            if begin < self.warmup_epochs { (place.end() / self.warmup_epochs).min(1.0) } else { 1.0 };
        warmth
            * match &self.shape {
                Shape::Cosine { num_epochs, min_rate } => {
                    let length = num_epochs - self.warmup_epochs;
                    let done = (begin - self.warmup_epochs).max(0.0);
                    let progress = if length > 0.0 { (done / length).min(1.0) } else { 0.0 };
                    let height = 0.5 * (1.0 + (std::f64::consts::PI * progress).cos());
                    min_rate + (self.peak - min_rate) * height
                }
                Shape::Step { every_epochs, factor } => {
                    self.peak * factor.powf((place.epoch / every_epochs) as f64)
                }
                Shape::Plateau { metric, spec } => {
                    let values =
                        history.iter().map(|record| record.metrics.get(&metric.name).copied().flatten());
                    after_plateaus(self.peak, spec, metric, values)
                }
                Shape::Constant => self.peak,
            }
    }
}

/// The rate after epochs in which `metric` had `values`: each time that more than `patience` of them in a row were no
/// improvement it has fallen once, and the count began again.
fn after_plateaus(
    peak: f64,
    spec: &PlateauSpec,
    metric: &Metric,
    values: impl Iterator<Item = Option<f64>>,
) -> f64 {
    let (mut rate, mut best, mut stale) = (peak, None, 0);
    for value in values {
        if metric.direction.improves(best, value, spec.min_delta) {
            (best, stale) = (value, 0);
        } else {
            stale += 1;
        }
        if stale > spec.patience {
            (rate, stale) = ((rate * spec.factor).max(spec.min_rate), 0);
        }
    }
    rate
}

#[cfg(test)]
mod tests;
