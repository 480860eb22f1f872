//! Guards: what is looked at in the figures of steps and epochs. What they see they say, with what to do about it.
//!
//! They look at figures that are on the host anyway, after the step log brought them there: nobody waits for them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tapeline_events::Guard;

use crate::spec::GuardsSpec;
use crate::state::EpochRecord;
use crate::task::Tasks;

/// Steps before a running mean is compared with: fewer say little about what is usual.
const FEWEST_STEPS: u64 = 50;
/// Share of a running mean that a step keeps: a memory of about 50 steps.
const MEMORY: f64 = 0.98;
/// The least deviation of a loss that counts, as a share of its mean: a loss that stands still has no spikes of rounding.
const LEAST_DEVIATION: f64 = 1e-3;

/// What the guards remember from step to step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuardMemory {
    /// Steps in a row, up to the last one, that a guard counts as not finite.
    pub non_finite_in_a_row: usize,
    /// Of the loss.
    pub loss: RunningMoments,
    /// Of the natural logarithm of the gradient's norm.
    pub log_norm: RunningMoments,
}

/// Exponentially weighted mean and variance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunningMoments {
    /// Values seen.
    pub count: u64,
    /// Their mean.
    pub mean: f64,
    /// Their variance.
    pub variance: f64,
}

impl RunningMoments {
    /// Adds a value; the first ones weigh alike, until the memory is full.
    fn add(&mut self, value: f64) {
        self.count += 1;
        let share = (1.0 / self.count as f64).max(1.0 - MEMORY);
        let off = value - self.mean;
        self.mean += share * off;
        self.variance = (1.0 - share) * share.mul_add(off * off, self.variance);
    }
}

/// The figures of a step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StepFigures {
    pub(crate) loss: f64,
    pub(crate) gradient_norm: f64,
    pub(crate) loss_scale: Option<f64>,
    pub(crate) skipped: bool,
}

/// What a guard saw.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Finding {
    pub(crate) guard: Guard,
    pub(crate) message: String,
    /// The run cannot go on.
    pub(crate) ends_the_run: bool,
}

impl Finding {
    const fn remark(guard: Guard, message: String) -> Self {
        Self { guard, message, ends_the_run: false }
    }
}

impl GuardMemory {
    /// Looks at the figures of a step. `samples` says which samples it was made of; asked only if one is to be named.
    pub(crate) fn look(
        &mut self,
        spec: &GuardsSpec,
        figures: StepFigures,
        samples: impl FnOnce() -> String,
    ) -> Vec<Finding> {
        if figures.skipped {
            return self.non_finite(spec, figures, samples).into_iter().collect();
        }
        self.non_finite_in_a_row = 0;
        let spike = self.loss_spike(spec, figures.loss);
        let exploding = self.exploding_norm(spec, figures.gradient_norm);
        spike.into_iter().chain(exploding).collect()
    }

    fn non_finite(
        &mut self,
        spec: &GuardsSpec,
        figures: StepFigures,
        samples: impl FnOnce() -> String,
    ) -> Option<Finding> {
        let StepFigures { loss, gradient_norm, loss_scale, .. } = figures;
        let scale_explains_it = loss.is_finite() && loss_scale.is_some_and(|scale| scale > 1.0);
        if scale_explains_it {
            // What a loss scale is for: it falls, and the next step is tried with less.
            return None;
        }
        self.non_finite_in_a_row += 1;
        let (in_a_row, most) = (self.non_finite_in_a_row, spec.non_finite_steps);
        let (quantity, value) =
            if loss.is_finite() { ("gradient norm", gradient_norm) } else { ("loss", loss) };
        let message = format!(
            "the {quantity} is {value}; the step is skipped, {in_a_row} of {most} in a row that are borne. Look at the \
             samples of its batch ({}), or lower training.optimizer.learning_rate",
            samples()
        );
        Some(Finding { guard: Guard::NonFinite, message, ends_the_run: in_a_row >= most })
    }

    fn loss_spike(&mut self, spec: &GuardsSpec, loss: f64) -> Option<Finding> {
        let RunningMoments { count, mean, variance } = self.loss;
        let deviation = variance.sqrt().max(LEAST_DEVIATION * mean.abs());
        if count >= FEWEST_STEPS && loss > spec.loss_spike.mul_add(deviation, mean) {
            // What is usual has changed: it is learned anew, and the guard is quiet meanwhile.
            self.loss = RunningMoments::default();
            let message = format!(
                "the loss is {loss:.4}, {:.0} standard deviations above its mean of {mean:.4} over the last steps. If it \
                 does not come back, lower training.optimizer.learning_rate or training.gradient_clip.norm; if it comes again \
                 and again, look at the data of these batches",
                (loss - mean) / deviation
            );
            return Some(Finding::remark(Guard::LossSpike, message));
        }
        self.loss.add(loss);
        None
    }

    fn exploding_norm(&mut self, spec: &GuardsSpec, norm: f64) -> Option<Finding> {
        // A gradient of nothing has no logarithm, and does not explode.
        if norm <= 0.0 {
            return None;
        }
        let RunningMoments { count, mean, .. } = self.log_norm;
        let times = (norm.ln() - mean).exp();
        if count >= FEWEST_STEPS && times > spec.exploding_norm {
            self.log_norm = RunningMoments::default();
            let message = format!(
                "the gradient is {norm:.3e} long, {times:.0} times as long as is usual ({:.3e}). It is clipped; if it stays \
                 so, lower training.optimizer.learning_rate or give the scheduler a longer warm-up",
                mean.exp()
            );
            return Some(Finding::remark(Guard::ExplodingNorm, message));
        }
        self.log_norm.add(norm.ln());
        None
    }
}

/// Looks at the features of a span: how many of `units` have no variance.
pub(crate) fn dead_units(spec: &GuardsSpec, dead: usize, units: usize) -> Option<Finding> {
    let is_too_much = units > 0 && dead as f64 > spec.dead_units * units as f64;
    let message = || {
        format!(
            "{dead} of {units} features are dead: they say the same of every validation sample. Lower the learning rate or \
             model.fusion.dropout, or give model.fusion.output_size less width"
        )
    };
    is_too_much.then(|| Finding::remark(Guard::DeadUnits, message()))
}

/// Looks at the epochs so far, once, when there are enough of them.
pub(crate) fn no_learning(spec: &GuardsSpec, history: &[EpochRecord], tasks: &Tasks) -> Option<Finding> {
    let epochs = spec.no_learning_epochs;
    if history.len() != epochs || epochs < 2 {
        return None;
    }
    let loss = |metrics: &BTreeMap<String, Option<f64>>, task: &str| -> Option<f64> {
        metrics.get(&format!("train/{task}/loss")).copied().flatten()
    };
    let has_fallen = |task: &str| {
        let first = loss(&history[0].metrics, task)?;
        let least = history[1..].iter().filter_map(|record| loss(&record.metrics, task)).reduce(f64::min)?;
        Some(least < first - spec.no_learning_fall * first.abs())
    };
    let learned =
        tasks.iter().filter(|task| task.weight > 0.0).any(|task| has_fallen(task.name) != Some(false));
    let message = || {
        format!(
            "after {epochs} epochs the train loss of no task has fallen by {:.1} %: nothing is learned. Try \
             `tapeline lr-find` for the learning rate, and look whether the features say anything of the targets",
            100.0 * spec.no_learning_fall
        )
    };
    (!learned).then(|| Finding::remark(Guard::NoLearning, message()))
}

#[cfg(test)]
mod tests;
