//! One step: for each of its parts forward, loss and backward; then clip and update.

use tapeline_models::{Mode, Network};
use tch::Tensor;

use crate::error::TrainError;
use crate::feed::Batch;
use crate::loss::{Denominators, PartLoss, part_loss};
use crate::optimizer::Optimizer;
use crate::task::Tasks;

/// What moves in a step.
pub(crate) struct Stepper<'a> {
    pub(crate) network: &'a dyn Network,
    pub(crate) tasks: &'a Tasks,
    pub(crate) optimizer: Optimizer,
    pub(crate) max_norm: f64,
}

/// Samples that are run through the network together, and how it sees them.
pub(crate) struct Part {
    pub(crate) batch: Batch,
    pub(crate) mode: Mode,
}

/// What a part adds to a step.
pub(crate) struct Share {
    /// `[1 + tasks]`: total loss, each task's loss.
    losses: Tensor,
    /// One per parameter.
    gradients: Vec<Tensor>,
}

impl Stepper<'_> {
    /// Does one step on `parts`, which together hold the samples that `denominators` belong to. Its gradient is the sum of
    /// theirs, taken in their order. The figures stay on the device, so that nobody waits for them: `[2 + tasks]` =
    /// gradient norm before clipping, total loss, each task's loss.
    pub(crate) fn step(
        &mut self,
        parts: impl IntoIterator<Item = Result<Part, TrainError>>,
        denominators: &Denominators,
        rate: f64,
    ) -> Result<Tensor, TrainError> {
        let shares = parts.into_iter().map(|part| self.share(&part?, denominators));
        let Share { losses, gradients } = sum(shares)?;
        let gradients: Vec<&Tensor> = gradients.iter().collect();
        let norm = tapeline_torch_ext::clip_gradient_norm(&gradients, self.max_norm)?;
        self.optimizer.step(&self.network.parameters().tensors(), &gradients, rate)?;
        Ok(Tensor::f_cat(&[norm.f_reshape([1])?, losses], 0)?)
    }

    /// The loss of a part and its gradient.
    fn share(&self, part: &Part, denominators: &Denominators) -> Result<Share, TrainError> {
        let outputs = self.network.forward(&part.batch.inputs, part.mode)?;
        let loss = part_loss(self.tasks, &outputs.heads, &part.batch.targets, denominators)?;
        let parameters = self.network.parameters().tensors();
        let gradients = Tensor::f_run_backward(&[&loss.total], &parameters, false, false)?;
        Ok(Share { losses: losses(&loss)?, gradients })
    }
}

/// The sum of `shares`, added up in their order: it does not depend on which is ready first.
fn sum(shares: impl Iterator<Item = Result<Share, TrainError>>) -> Result<Share, TrainError> {
    let mut sum: Option<Share> = None;
    for share in shares {
        let share = share?;
        sum = Some(match sum {
            // Not in place: two parameters may share the memory of one gradient.
            Some(sum) => Share {
                losses: sum.losses.f_add(&share.losses)?,
                gradients: (sum.gradients.iter().zip(&share.gradients))
                    .map(|(one, other)| one.f_add(other))
                    .collect::<Result<_, _>>()?,
            },
            None => share,
        });
    }
    sum.ok_or_else(|| tch::TchError::Shape("a step needs at least one part".into()).into())
}

fn losses(loss: &PartLoss) -> Result<Tensor, tch::TchError> {
    let total = loss.total.f_detach()?;
    let losses: Vec<&Tensor> = [&total].into_iter().chain(&loss.tasks).collect();
    Tensor::f_stack(&losses, 0)
}

#[cfg(test)]
mod tests;
