//! One step: for each of its parts forward, loss and backward; then clip and update.

use tapeline_models::{Mode, Network};
use tch::Tensor;

use crate::balance::{Balance, Penalty};
use crate::crew::Crew;
use crate::error::TrainError;
use crate::feed::Batch;
use crate::loss::{Denominators, PartLoss, part_loss};
use crate::optimizer::{self, Learned, Optimizer};
use crate::spec::OptimizerSpec;
use crate::task::Tasks;

/// What moves in a step.
pub(crate) struct Stepper<'a> {
    pub(crate) network: &'a dyn Network,
    pub(crate) tasks: &'a Tasks,
    pub(crate) balance: Balance,
    pub(crate) optimizer: Optimizer,
    pub(crate) max_norm: f64,
    /// Who shares the parts; nobody where a part is run here.
    pub(crate) crew: Option<Crew>,
}

/// The name under which the uncertainties of the tasks are saved. No weight of a network is called so: those have modules.
const LOG_VARIANCES: &str = "log_variances";

/// What is learned: the network's weights, then the uncertainties of the tasks, which never decay.
pub(crate) fn learned<'a>(
    spec: &OptimizerSpec,
    network: &'a dyn Network,
    balance: &'a Balance,
) -> Vec<Learned<'a>> {
    let uncertain = balance.log_variances();
    let uncertain = uncertain.map(|tensor| Learned { name: LOG_VARIANCES, tensor, decays: false });
    optimizer::learned(spec, network.parameters()).chain(uncertain).collect()
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
    /// One for each tensor that is learned.
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
                sum.add(share(self.network, self.tasks, &self.balance, &part?, denominators)?)?;
            }
            return self.update(sum, denominators, rate);
        };
        let mut sum = Sum::default();
        // The threads are busy, or have been put to sleep: what is left is too little to wake them.
        crew.work(parts.into_iter(), denominators, |share| {
            tapeline_torch_ext::on_one_thread(|| sum.add(share))
        })?;
        tapeline_torch_ext::on_one_thread(|| self.update(sum, denominators, rate))
    }

    /// Adds what belongs to the step as a whole, clips and updates.
    fn update(&mut self, sum: Sum, denominators: &Denominators, rate: f64) -> Result<Tensor, TrainError> {
        let mut whole = sum.share()?;
        if let Some(penalty) = self.balance.penalty(denominators)? {
            whole.add(&penalty)?;
        }
        let Share { losses, gradients } = whole;
        let gradients: Vec<&Tensor> = gradients.iter().collect();
        let norm = tapeline_torch_ext::clip_gradient_norm(&gradients, self.max_norm)?;
        self.optimizer.step(&tensors(self.network, &self.balance), &gradients, rate)?;
        self.balance.clamp()?;
        Ok(Tensor::f_cat(&[norm.f_reshape([1])?, losses], 0)?)
    }

    /// What a resume needs besides the network's weights, as `part/name`. The tensors are those in use.
    pub(crate) fn named_state(&self) -> Vec<(String, Tensor)> {
        let mut named = self.optimizer.named(&learned(self.optimizer.spec(), self.network, &self.balance));
        let uncertain = self.balance.log_variances();
        named.extend(uncertain.map(|tensor| (format!("value/{LOG_VARIANCES}"), tensor.shallow_clone())));
        named
    }
}

fn tensors<'a>(network: &'a dyn Network, balance: &'a Balance) -> Vec<&'a Tensor> {
    network.parameters().iter().map(|(_, tensor)| tensor).chain(balance.log_variances()).collect()
}

impl Share {
    /// Adds what belongs to the step as a whole.
    fn add(&mut self, penalty: &Penalty) -> Result<(), tch::TchError> {
        let mut total = self.losses.f_narrow(0, 0, 1)?;
        let _ = total.f_add_(&penalty.value)?;
        if let Some(last) = self.gradients.last_mut() {
            *last = last.f_add(&penalty.gradient)?;
        }
        Ok(())
    }
}

/// The loss of a part and its gradient.
pub(crate) fn share(
    network: &dyn Network,
    tasks: &Tasks,
    balance: &Balance,
    part: &Part,
    denominators: &Denominators,
) -> Result<Share, TrainError> {
    let outputs = network.forward(&part.batch.inputs, part.mode)?;
    let loss = part_loss(tasks, balance, &outputs.heads, &part.batch.targets, denominators)?;
    let learned = tensors(network, balance);
    let gradients = Tensor::f_run_backward(&[&loss.total], &learned, false, false)?;
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
