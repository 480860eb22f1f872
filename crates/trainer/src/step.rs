//! One step: for each of its parts forward, loss and backward; then clip and update.

use tapeline_models::{Mode, Network};
use tch::Tensor;

use crate::crew::Crew;
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
    /// Who shares the parts; nobody where a part is run here.
    pub(crate) crew: Option<Crew>,
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
        let Some(crew) = &self.crew else {
            let mut sum = Sum::default();
            for part in parts {
                sum.add(share(self.network, self.tasks, &part?, denominators)?)?;
            }
            return self.update(sum, rate);
        };
        let mut sum = Sum::default();
        // The threads are busy, or have been put to sleep: what is left is too little to wake them.
        crew.work(parts.into_iter(), denominators, |share| {
            tapeline_torch_ext::on_one_thread(|| sum.add(share))
        })?;
        tapeline_torch_ext::on_one_thread(|| self.update(sum, rate))
    }

    /// Clips and updates.
    fn update(&mut self, sum: Sum, rate: f64) -> Result<Tensor, TrainError> {
        let Share { losses, gradients } = sum.share()?;
        let gradients: Vec<&Tensor> = gradients.iter().collect();
        let norm = tapeline_torch_ext::clip_gradient_norm(&gradients, self.max_norm)?;
        self.optimizer.step(&self.network.parameters().tensors(), &gradients, rate)?;
        Ok(Tensor::f_cat(&[norm.f_reshape([1])?, losses], 0)?)
    }
}

/// The loss of a part and its gradient.
pub(crate) fn share(
    network: &dyn Network,
    tasks: &Tasks,
    part: &Part,
    denominators: &Denominators,
) -> Result<Share, TrainError> {
    let outputs = network.forward(&part.batch.inputs, part.mode)?;
    let loss = part_loss(tasks, &outputs.heads, &part.batch.targets, denominators)?;
    let parameters = network.parameters().tensors();
    let gradients = Tensor::f_run_backward(&[&loss.total], &parameters, false, false)?;
    Ok(Share { losses: losses(&loss)?, gradients })
}

/// Shares added up in their order: the sum does not depend on which is ready first.
#[derive(Default)]
struct Sum(Option<Share>);

impl Sum {
    fn add(&mut self, share: Share) -> Result<(), TrainError> {
        self.0 = Some(match self.0.take() {
            // Not in place: two parameters may share the memory of one gradient.
            Some(sum) => Share {
                losses: sum.losses.f_add(&share.losses)?,
                gradients: (sum.gradients.iter().zip(&share.gradients))
                    .map(|(one, other)| one.f_add(other))
                    .collect::<Result<_, _>>()?,
            },
            None => share,
        });
        Ok(())
    }

    fn share(self) -> Result<Share, TrainError> {
        self.0.ok_or_else(|| tch::TchError::Shape("a step needs at least one part".into()).into())
    }
}

fn losses(loss: &PartLoss) -> Result<Tensor, tch::TchError> {
    let total = loss.total.f_detach()?;
    let losses: Vec<&Tensor> = [&total].into_iter().chain(&loss.tasks).collect();
    Tensor::f_stack(&losses, 0)
}

#[cfg(test)]
mod tests;
