//! How the losses of the tasks are weighed against each other: by fixed weights, or by uncertainties that are learned beside
//! the network.
//!
//! Learned (Kendall, Gal and Cipolla 2018): with `sₖ = ln σₖ²` the loss is `Σ ½·e^(−sₖ)·Lₖ + ½·sₖ` for regression and
//! `Σ e^(−sₖ)·Lₖ + ½·sₖ` for classification, where Lₖ is the masked mean in its own unit. It can fall below zero, and fall
//! through the `sₖ` alone: what stopping, keeping and plateaus watch is the validation loss, which has the fixed weights. The
//! `sₖ` are the trainer's: they start at 0, do not decay, are saved with the optimiser and never reach an artefact.

use std::collections::BTreeMap;

use tch::{Device, Kind, Tensor};

use crate::loss::Denominators;
use crate::spec::BalancingSpec;
use crate::task::{Task, TaskKind, Tasks};

/// The `sₖ` stay within this distance of 0, so that no task is weighed more than e¹⁰ ≈ 22,000 times another's start.
const LOG_VARIANCE_LIMIT: f64 = 10.0;

/// How tasks are weighed.
pub(crate) enum Balance {
    /// By their own weights.
    Fixed,
    /// By what is learned about how well each can be known.
    Uncertainty {
        /// sₖ, `[task]`; requires a gradient.
        log_variances: Tensor,
        /// What e^(−sₖ)·Lₖ/scale is multiplied by, `[task]`; 0 for a task that is not learned.
        factors: Tensor,
    },
}

impl Balance {
    /// The balance before the first step.
    pub(crate) fn new(spec: BalancingSpec, tasks: &Tasks, device: Device) -> Result<Self, tch::TchError> {
        match spec {
            BalancingSpec::Fixed => Ok(Self::Fixed),
            BalancingSpec::Uncertainty => {
                let factors: Vec<f32> = tasks.iter().map(|task| factor(task) as f32).collect();
                let count = factors.len() as i64;
                Ok(Self::Uncertainty {
                    log_variances: Tensor::f_zeros([count], (Kind::Float, device))?
                        .f_set_requires_grad(true)?,
                    factors: Tensor::f_from_slice(&factors)?.f_to_device(device)?,
                })
            }
        }
    }

    /// A second balance over the same memory, for another thread: what is written there in place is seen here. The
    /// gradients are not shared.
    pub(crate) fn replicate(&self) -> Result<Self, tch::TchError> {
        match self {
            Self::Fixed => Ok(Self::Fixed),
            Self::Uncertainty { log_variances, factors } => Ok(Self::Uncertainty {
                log_variances: log_variances.f_detach()?.f_set_requires_grad(true)?,
                factors: factors.shallow_clone(),
            }),
        }
    }

    /// What is learned besides the network.
    pub(crate) fn log_variances(&self) -> Option<&Tensor> {
        match self {
            Self::Fixed => None,
            Self::Uncertainty { log_variances, .. } => Some(log_variances),
        }
    }

    /// The loss that is followed, 0-dim, from `losses`: Lₖ/scale of each task, 0-dim. Without the terms ½·sₖ, which belong
    /// to a step and not to each of its parts.
    pub(crate) fn total(&self, tasks: &Tasks, losses: &[Tensor]) -> Result<Tensor, tch::TchError> {
        match self {
            Self::Fixed => {
                let weighted = tasks.iter().zip(losses).map(|(task, loss)| loss.f_mul_scalar(task.weight));
                let sum = weighted.reduce(|sum, weighted| sum?.f_add(&weighted?));
                sum.unwrap_or_else(|| Err(tch::TchError::Shape("no task to take the loss of".into())))
            }
            Self::Uncertainty { log_variances, factors } => {
                let weights = log_variances.f_neg()?.f_exp()?.f_mul(factors)?;
                Tensor::f_stack(losses, 0)?.f_mul(&weights)?.f_sum(Kind::Float)
            }
        }
    }

    /// The terms ½·sₖ of a step, and their gradient by the sₖ, `[task]`: nothing of a task that has no valid target in the
    /// step or is not learned.
    pub(crate) fn penalty(&self, denominators: &Denominators) -> Result<Option<Penalty>, tch::TchError> {
        let Self::Uncertainty { log_variances, factors } = self else { return Ok(None) };
        let halves: Vec<f32> = denominators.has_targets().map(|has| if has { 0.5 } else { 0.0 }).collect();
        let halves = Tensor::f_from_slice(&halves)?.f_to_device(factors.device())?;
        let gradient = halves.f_mul(&factors.f_sign()?)?;
        let value = log_variances.f_detach()?.f_mul(&gradient)?.f_sum(Kind::Float)?;
        Ok(Some(Penalty { value, gradient }))
    }

    /// Puts what a step has moved too far back to the limit.
    pub(crate) fn clamp(&self) -> Result<(), tch::TchError> {
        if let Self::Uncertainty { log_variances, .. } = self {
            let _no_grad = tch::no_grad_guard();
            let _ = log_variances.shallow_clone().f_clamp_(-LOG_VARIANCE_LIMIT, LOG_VARIANCE_LIMIT)?;
        }
        Ok(())
    }

    /// The sₖ as metrics, `train/<task>/log_variance`.
    pub(crate) fn metrics(&self, tasks: &Tasks) -> Result<BTreeMap<String, Option<f64>>, tch::TchError> {
        let Self::Uncertainty { log_variances, .. } = self else { return Ok(BTreeMap::new()) };
        let values = Vec::<f32>::try_from(log_variances.f_detach()?.f_to_device(Device::Cpu)?)?;
        let named = tasks.iter().zip(values);
        Ok(named.map(|(task, s)| (format!("train/{}/log_variance", task.name), Some(f64::from(s)))).collect())
    }
}

/// What a step adds to its loss for the uncertainties.
pub(crate) struct Penalty {
    /// 0-dim.
    pub(crate) value: Tensor,
    /// `[task]`.
    pub(crate) gradient: Tensor,
}

/// ½ for regression; for classes the scale, which gives Lₖ/scale its own unit back.
fn factor(task: &Task) -> f64 {
    let of_kind = match task.kind {
        TaskKind::Price { .. } | TaskKind::Volatility { .. } => 0.5,
        TaskKind::Regime { .. } => 1.0,
    };
    if task.weight > 0.0 { of_kind * task.loss_scale() } else { 0.0 }
}

#[cfg(test)]
mod tests;
