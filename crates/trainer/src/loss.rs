//! The masked multi-task loss: on tensors for the step, and in exact sums on the host for a whole span.
//!
//! For each task Lₖ, the weighted mean over the valid targets of a step; in total Σ λₖ Lₖ / sₖ with sₖ = 1 for standardised
//! regression targets and ln(classes) for classes, so that a weight of 1 means the same for all (or see
//! [`balance`](crate::balance)). A task without a valid target adds 0.
//!
//! A step may be run in parts. What a mean is divided by belongs to the whole step, so the losses of its parts, and their
//! gradients, add up to those of the step.

use tch::{Kind, Reduction, Tensor};

use crate::balance::Balance;
use crate::feed::Targets;
use crate::spec::RegressionLoss;
use crate::task::{Task, TaskKind, Tasks};

/// Where Huber's loss turns from square to linear, in train standard deviations of the target.
pub const HUBER_DELTA: f64 = 1.0;

/// What each task's sum of losses is divided by: the weights of its valid targets, summed over all samples of a step.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Denominators(Vec<f64>);

impl Denominators {
    /// From the sum of each task. One without a valid target has a sum of losses of 0 and keeps it.
    pub(crate) fn new(sums: Vec<f64>) -> Self {
        Self(sums)
    }

    /// Whether each task has a valid target in the step.
    pub(crate) fn has_targets(&self) -> impl Iterator<Item = bool> {
        self.0.iter().map(|sum| *sum > 0.0)
    }

    fn iter(&self) -> impl Iterator<Item = f64> {
        self.0.iter().map(|&sum| if sum > 0.0 { sum } else { 1.0 })
    }
}

/// A part's share of the loss of a step: the total, and each task's own.
pub(crate) struct PartLoss {
    /// What is followed, 0-dim, with its graph.
    pub(crate) total: Tensor,
    /// Lₖ / sₖ of each task, 0-dim.
    pub(crate) tasks: Vec<Tensor>,
}

/// The loss of `outputs` (one per task, `[batch, output]`) against `targets`, as a share of the step that `denominators`
/// belong to.
pub(crate) fn part_loss(
    tasks: &Tasks,
    balance: &Balance,
    outputs: &[Tensor],
    targets: &[Targets],
    denominators: &Denominators,
) -> Result<PartLoss, tch::TchError> {
    let mut means = Vec::with_capacity(outputs.len());
    for (((task, output), target), denominator) in
        tasks.iter().zip(outputs).zip(targets).zip(denominators.iter())
    {
        means.push(task_sum(task, output, target)?.f_div_scalar(denominator * task.loss_scale())?);
    }
    let total = balance.total(tasks, &means)?;
    Ok(PartLoss { total, tasks: means.iter().map(Tensor::f_detach).collect::<Result<_, _>>()? })
}

/// Σ wℓ over the targets of one task.
fn task_sum(task: &Task, output: &Tensor, target: &Targets) -> Result<Tensor, tch::TchError> {
    let loss = match task.kind {
        TaskKind::Price { loss } | TaskKind::Volatility { loss } => match loss {
            RegressionLoss::Huber => output.f_huber_loss(&target.values, Reduction::None, HUBER_DELTA)?,
            RegressionLoss::Mse => output.f_mse_loss(&target.values, Reduction::None)?,
        },
        TaskKind::Regime { classes, .. } => {
            let scores = output.f_reshape([-1, classes as i64])?;
            let labels = target.values.f_reshape([-1])?.f_to_kind(Kind::Int64)?;
            let none: Option<Tensor> = None;
            scores
                .f_cross_entropy_loss(&labels, none, Reduction::None, -100, 0.0)?
                .f_reshape_as(&target.weights)?
        }
    };
    loss.f_mul(&target.weights)?.f_sum(Kind::Float)
}

/// Sum of a task's losses over one span and the number of valid targets, in 64 bits: independent of any batch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct LossSum {
    sum: f64,
    count: u64,
}

impl LossSum {
    /// Adds one standardised regression target.
    pub(crate) fn add_regression(&mut self, loss: RegressionLoss, forecast: f64, target: f64) {
        let miss = (forecast - target).abs();
        self.sum += match loss {
            RegressionLoss::Mse => miss * miss,
            RegressionLoss::Huber if miss <= HUBER_DELTA => 0.5 * miss * miss,
            RegressionLoss::Huber => HUBER_DELTA * (miss - 0.5 * HUBER_DELTA),
        };
        self.count += 1;
    }

    /// Adds one true class against the scores of all.
    pub(crate) fn add_class(&mut self, scores: &[f32], class: usize) {
        let top = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let log_sum =
            scores.iter().map(|score| f64::from(score - top).exp()).sum::<f64>().ln() + f64::from(top);
        self.sum += log_sum - f64::from(scores[class]);
        self.count += 1;
    }

    /// Adds the targets of another sum.
    pub(crate) fn join(&mut self, other: &Self) {
        self.sum += other.sum;
        self.count += other.count;
    }

    /// The mean over `scale`; undefined without a valid target.
    pub(crate) fn mean(&self, scale: f64) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64 / scale)
    }
}

#[cfg(test)]
mod tests;
