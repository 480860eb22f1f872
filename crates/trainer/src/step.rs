//! One step: forward, loss, backward, clip, update.

use tapeline_models::{Mode, Network};
use tch::Tensor;

use crate::error::TrainError;
use crate::feed::Batch;
use crate::loss::{BatchLoss, batch_loss};
use crate::optimizer::Optimizer;
use crate::task::Tasks;

/// What moves in a step.
pub(crate) struct Stepper<'a> {
    pub(crate) network: &'a dyn Network,
    pub(crate) tasks: &'a Tasks,
    pub(crate) optimizer: Optimizer,
    pub(crate) max_norm: f64,
}

impl Stepper<'_> {
    /// Does one step on `batch`. The figures stay on the device, so that nobody waits for them:
    /// `[2 + tasks]` = total loss, gradient norm before clipping, each task's loss.
    pub(crate) fn step(&mut self, batch: &Batch, mode: Mode, rate: f64) -> Result<Tensor, TrainError> {
        let (loss, gradients) = self.gradients(batch, mode)?;
        let gradients: Vec<&Tensor> = gradients.iter().collect();
        let norm = tapeline_torch_ext::clip_gradient_norm(&gradients, self.max_norm)?;
        self.optimizer.step(&self.network.parameters().tensors(), &gradients, rate)?;
        Ok(figures(&loss, &norm)?)
    }

    fn gradients(&self, batch: &Batch, mode: Mode) -> Result<(BatchLoss, Vec<Tensor>), TrainError> {
        let outputs = self.network.forward(&batch.inputs, mode)?;
        let loss = batch_loss(self.tasks, &outputs.heads, &batch.targets)?;
        let parameters = self.network.parameters().tensors();
        let gradients = Tensor::f_run_backward(&[&loss.total], &parameters, false, false)?;
        Ok((loss, gradients))
    }
}

fn figures(loss: &BatchLoss, norm: &Tensor) -> Result<Tensor, tch::TchError> {
    let total = loss.total.f_detach()?;
    let figures: Vec<&Tensor> = [&total, norm].into_iter().chain(&loss.tasks).collect();
    Tensor::f_stack(&figures, 0)
}

#[cfg(test)]
mod tests;
