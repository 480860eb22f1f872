//! The masked multi-task loss: on tensors for the step, and in exact sums on the host for a whole span.
//!
//! For each task Lₖ, the weighted mean over the valid targets of a step; in total Σ λₖ Lₖ / sₖ with sₖ = 1 for standardised
//! regression targets and ln(classes) for classes, so that a weight of 1 means the same for all (or see
//! [`balance`](crate::balance)). A task without a valid target adds 0.
//!
//! A step may be run in parts. What a mean is divided by belongs to the whole step, so the losses of its parts, and their
//! gradients, add up to those of the step.

use tapeline_evaluation::distribution::pinball;
use tapeline_torch_ext::autocast_kind;
use tch::{Kind, Reduction, Tensor};

use crate::balance::Balance;
use crate::feed::Targets;
use crate::forecast::{Forecast, LOG_VARIANCE_LIMIT};
use crate::spec::{ClassificationLoss, RegressionLoss};
use crate::task::{Task, TaskKind, Tasks};

/// The least 1 − p of a focal loss, whose power has no slope at 0.
const LEAST_DOUBT: f64 = 1e-7;

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

    /// That of task `number` alone.
    pub(crate) fn only(&self, number: usize) -> Self {
        Self(vec![self.0[number]])
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
/// belong to. Outputs are of 32 bits, and the calling thread is not under autocast.
pub(crate) fn part_loss(
    tasks: &Tasks,
    balance: &Balance,
    outputs: &[Tensor],
    targets: &[Targets],
    denominators: &Denominators,
) -> Result<PartLoss, tch::TchError> {
    for output in outputs {
        let (kind, autocast) = (output.f_kind()?, autocast_kind(output.device()));
        if kind != Kind::Float || autocast.is_some() {
            let message =
                format!("losses are of 32 bits: a head gave {kind:?}, and autocast is to {autocast:?}");
            return Err(tch::TchError::Kind(message));
        }
    }
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
            RegressionLoss::Gaussian => gaussian(output, &target.values)?,
            RegressionLoss::Quantile { tail } => quantiles(tail, output, &target.values)?,
        },
        TaskKind::Regime { classes, loss, label_smoothing, .. } => {
            let scores = output.f_reshape([-1, classes as i64])?;
            let labels = target.values.f_reshape([-1])?.f_to_kind(Kind::Int64)?;
            classes_loss(loss, label_smoothing, &scores, &labels)?.f_reshape_as(&target.weights)?
        }
    };
    loss.f_mul(&target.weights)?.f_sum(Kind::Float)
}

/// Negative log likelihood, `[batch, horizon]`, of normal distributions: `output` is `[batch, 2 · horizon]`, means and
/// logarithms of variances.
fn gaussian(output: &Tensor, target: &Tensor) -> Result<Tensor, tch::TchError> {
    let horizons = target.size()[1];
    let mean = output.f_narrow(1, 0, horizons)?;
    let log_variance =
        output.f_narrow(1, horizons, horizons)?.f_clamp(-LOG_VARIANCE_LIMIT, LOG_VARIANCE_LIMIT)?;
    let squares = target.f_sub(&mean)?.f_square()?.f_mul(&log_variance.f_neg()?.f_exp()?)?;
    log_variance.f_add(&squares)?.f_mul_scalar(0.5)?.f_add_scalar(0.5 * (2.0 * std::f64::consts::PI).ln())
}

/// Twice the mean pinball loss, `[batch, horizon]`, of three quantiles: `output` is `[batch, 3 · horizon]`.
fn quantiles(tail: f64, output: &Tensor, target: &Tensor) -> Result<Tensor, tch::TchError> {
    let horizons = target.size()[1];
    let part = |number: i64| output.f_narrow(1, number * horizons, horizons);
    let median = part(0)?;
    let lower = median.f_sub(&part(1)?.f_softplus()?)?;
    let upper = median.f_add(&part(2)?.f_softplus()?)?;
    let pinball = |level: f64, quantile: &Tensor| {
        let above = target.f_sub(quantile)?;
        above.f_mul_scalar(level)?.f_maximum(&above.f_mul_scalar(level - 1.0)?)
    };
    let sum = pinball(tail, &lower)?.f_add(&pinball(0.5, &median)?)?.f_add(&pinball(1.0 - tail, &upper)?)?;
    sum.f_mul_scalar(2.0 / 3.0)
}

/// The loss of each row of `scores`, `[row, class]`.
fn classes_loss(
    loss: ClassificationLoss,
    label_smoothing: f64,
    scores: &Tensor,
    labels: &Tensor,
) -> Result<Tensor, tch::TchError> {
    let entropy = |smoothing: f64| {
        scores.f_cross_entropy_loss(labels, None::<&Tensor>, Reduction::None, -100, smoothing)
    };
    let smoothed = entropy(label_smoothing)?;
    match loss {
        ClassificationLoss::CrossEntropy => Ok(smoothed),
        ClassificationLoss::Focal { gamma } => {
            let plain = if label_smoothing > 0.0 { entropy(0.0)? } else { smoothed.shallow_clone() };
            let doubt = plain.f_neg()?.f_expm1()?.f_neg()?.f_clamp_min(LEAST_DOUBT)?;
            doubt.f_pow_tensor_scalar(gamma)?.f_mul(&smoothed)
        }
    }
}

/// The loss of a forecast that is off by `miss`.
fn point_loss(loss: RegressionLoss, miss: f64) -> f64 {
    match loss {
        RegressionLoss::Huber if miss <= HUBER_DELTA => 0.5 * miss * miss,
        RegressionLoss::Huber => HUBER_DELTA * (miss - 0.5 * HUBER_DELTA),
        // The other losses have more than a point to go by.
        RegressionLoss::Mse | RegressionLoss::Gaussian | RegressionLoss::Quantile { .. } => miss * miss,
    }
}

/// Sum of a task's losses over one span and the number of valid targets, in 64 bits: independent of any batch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct LossSum {
    sum: f64,
    count: u64,
}

impl LossSum {
    /// Adds one standardised regression target, of which a head with this loss said `forecast`.
    pub(crate) fn add_regression(&mut self, loss: RegressionLoss, forecast: &Forecast, target: f64) {
        self.sum += match *forecast {
            Forecast::Point(value) => point_loss(loss, (value - target).abs()),
            Forecast::Normal(normal) => normal.negative_log_likelihood(target),
            Forecast::Quantiles { tail, values: [lower, median, upper] } => {
                let levels = [(tail, lower), (0.5, median), (1.0 - tail, upper)];
                levels.iter().map(|(level, value)| pinball(*level, *value, target)).sum::<f64>() * 2.0 / 3.0
            }
        };
        self.count += 1;
    }

    /// Adds one true class against the scores of all. Nothing is smoothed: that is for training.
    pub(crate) fn add_class(&mut self, loss: ClassificationLoss, scores: &[f32], class: usize) {
        let top = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let log_sum =
            scores.iter().map(|score| f64::from(score - top).exp()).sum::<f64>().ln() + f64::from(top);
        let entropy = log_sum - f64::from(scores[class]);
        self.sum += match loss {
            ClassificationLoss::CrossEntropy => entropy,
            ClassificationLoss::Focal { gamma } => {
                (-(-entropy).exp_m1()).max(LEAST_DOUBT).powf(gamma) * entropy
            }
        };
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
