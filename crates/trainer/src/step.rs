//! One step: for each of its parts forward, loss and backward; then unscale, clip and update.

use std::collections::BTreeMap;
use std::time::Duration;

use tapeline_events::Histogram;
use tapeline_models::{Mode, Network};
use tch::{Device, Kind, Tensor};

use crate::average::Average;
use crate::balance::{Balance, Penalty};
use crate::crew::Crew;
use crate::error::TrainError;
use crate::feed::Batch;
use crate::loss::{Denominators, PartLoss, part_loss};
use crate::optimizer::{self, Learned, Optimizer};
use crate::precision::{GradScaler, Precision};
use crate::spec::{OptimizerSpec, PartRatesSpec};
use crate::stages::{Spent, Stages};
use crate::task::Tasks;

/// What moves in a step.
pub(crate) struct Stepper<'a> {
    pub(crate) network: &'a dyn Network,
    pub(crate) tasks: &'a Tasks,
    pub(crate) balance: Balance,
    pub(crate) optimizer: Optimizer,
    pub(crate) part_rates: PartRatesSpec,
    pub(crate) max_norm: f64,
    pub(crate) precision: Precision,
    /// With a precision that needs one.
    pub(crate) scaler: Option<GradScaler>,
    /// What is scored and kept, where it is not the weights themselves.
    pub(crate) average: Option<Average>,
    /// Who shares the parts; nobody where a part is run here.
    pub(crate) crew: Option<Crew>,
    /// The time since an instant that stays.
    pub(crate) clock: fn() -> Duration,
    /// Where the time of the steps went.
    pub(crate) stages: Stages,
    /// Those of the last step that was to keep them, in the order of what is learned.
    pub(crate) kept_gradients: Vec<Tensor>,
}

/// The name under which the uncertainties of the tasks are saved. No weight of a network is called so: those have modules.
const LOG_VARIANCES: &str = "log_variances";

/// What is learned: the network's weights, then the uncertainties of the tasks, which never decay.
pub(crate) fn learned<'a>(
    spec: &OptimizerSpec,
    rates: &PartRatesSpec,
    network: &'a dyn Network,
    balance: &'a Balance,
) -> Vec<Learned<'a>> {
    let rate_factor = rates.heads;
    let uncertain = balance.log_variances();
    let uncertain =
        uncertain.map(|tensor| Learned { name: LOG_VARIANCES, tensor, decays: false, rate_factor });
    optimizer::learned(spec, rates, network.parameters()).chain(uncertain).collect()
}

/// How far a step goes, and which update it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) rate: f64,
    /// The updates up to this one, from 1; steps that are known to have been skipped are none.
    pub(crate) update: usize,
    /// Whether its gradients are looked at afterwards.
    pub(crate) keeps_gradients: bool,
}

impl Pace {
    /// Nobody looks at its gradients afterwards.
    pub(crate) const fn unseen(rate: f64, update: usize) -> Self {
        Self { rate, update, keeps_gradients: false }
    }
}

/// How the parts of a step are computed; the same for all of them.
pub(crate) struct Arithmetic {
    pub(crate) precision: Precision,
    pub(crate) device: Device,
    /// What losses are multiplied by before the backward pass, 0-dim.
    pub(crate) loss_scale: Option<Tensor>,
    pub(crate) clock: fn() -> Duration,
}

impl Arithmetic {
    pub(crate) fn replicate(&self) -> Self {
        let loss_scale = self.loss_scale.as_ref().map(Tensor::shallow_clone);
        Self { loss_scale, ..*self }
    }
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
    /// What it cost.
    spent: Spent,
}

impl Stepper<'_> {
    /// Does one step on `parts`, which together hold the samples that `denominators` belong to. Its gradient is the sum of
    /// theirs, taken in their order. Where it or the loss is not finite, nothing moves but the loss scale.
    ///
    /// The figures stay on the device, so that nobody waits for them: `[4 + tasks]` = 1 if the step was skipped else 0, what
    /// the loss was scaled by, gradient norm before clipping and without the scale, total loss, each task's loss.
    pub(crate) fn step(
        &mut self,
        parts: impl IntoIterator<Item = Result<Part, TrainError>>,
        denominators: &Denominators,
        pace: Pace,
    ) -> Result<Tensor, TrainError> {
        let mut sum = Sum::default();
        let arithmetic = self.arithmetic();
        let Some(crew) = &self.crew else {
            for part in parts {
                let share =
                    share(self.network, self.tasks, &self.balance, &part?, denominators, &arithmetic)?;
                sum.add(share)?;
            }
            return self.end(sum, 1, denominators, pace);
        };
        // The threads are busy, or have been put to sleep: what is left is too little to wake them.
        let given = crew.work(parts.into_iter(), denominators, &arithmetic, |share| {
            tapeline_torch_ext::on_one_thread(|| sum.add(share))
        })?;
        let threads = given.clamp(1, crew.size()) as u32;
        tapeline_torch_ext::on_one_thread(|| self.end(sum, threads, denominators, pace))
    }

    /// The update, and what the step cost; its parts were shared by so many threads.
    fn end(
        &mut self,
        sum: Sum,
        threads: u32,
        denominators: &Denominators,
        pace: Pace,
    ) -> Result<Tensor, TrainError> {
        let Spent { forward, backward } = sum.spent();
        let of_a_thread = Spent { forward: forward / threads, backward: backward / threads };
        self.stages.spent = self.stages.spent + of_a_thread;
        let begun = (self.clock)();
        let figures = self.update(sum, denominators, pace);
        self.stages.update += (self.clock)().saturating_sub(begun);
        figures
    }

    fn arithmetic(&self) -> Arithmetic {
        Arithmetic {
            precision: self.precision,
            device: self.device(),
            loss_scale: self.scaler.as_ref().map(|scaler| scaler.scale().shallow_clone()),
            clock: self.clock,
        }
    }

    fn device(&self) -> Device {
        self.network.parameters().iter().next().map_or(Device::Cpu, |(_, tensor)| tensor.device())
    }

    /// Unscales, adds what belongs to the step as a whole, clips, updates, and moves the loss scale.
    fn update(&mut self, sum: Sum, denominators: &Denominators, pace: Pace) -> Result<Tensor, TrainError> {
        let mut whole = sum.share()?;
        let overflow = match &self.scaler {
            Some(scaler) => Some(scaler.unscale(&whole.gradients.iter().collect::<Vec<_>>())?),
            None => None,
        };
        if let Some(penalty) = self.balance.penalty(denominators)? {
            whole.add(&penalty)?;
        }
        let Share { losses, gradients, .. } = whole;
        if pace.keeps_gradients {
            self.kept_gradients = gradients.iter().map(Tensor::f_detach_copy).collect::<Result<_, _>>()?;
        }
        let gradients: Vec<&Tensor> = gradients.iter().collect();
        let norm = tapeline_torch_ext::clip_gradient_norm(&gradients, self.max_norm)?;
        let skip = skip(&norm, &losses, overflow.as_ref())?;
        let scale = match &self.scaler {
            Some(scaler) => scaler.scale().f_reshape([1])?,
            None => losses.f_narrow(0, 0, 1)?.f_ones_like()?,
        };
        let figures = Tensor::f_cat(&[&skip.f_reshape([1])?, &scale, &norm.f_reshape([1])?, &losses], 0)?;
        self.move_by(&gradients, pace, &skip)?;
        if let Some(scaler) = &self.scaler {
            scaler.update(&skip)?;
        }
        Ok(figures)
    }

    /// Moves weights, moments and the average, unless the step is skipped.
    fn move_by(&mut self, gradients: &[&Tensor], pace: Pace, skip: &Tensor) -> Result<(), TrainError> {
        // A CPU knows it at once. On a device the operations look at the flag themselves, and nobody waits.
        let on_device = if skip.device() == Device::Cpu {
            if f64::try_from(skip)? > 0.0 {
                return Ok(());
            }
            None
        } else {
            Some(skip)
        };
        self.optimizer.step(&tensors(self.network, &self.balance), gradients, pace.rate, on_device)?;
        self.balance.clamp()?;
        if let Some(average) = &mut self.average {
            average.follow(self.network.parameters(), pace.update, on_device)?;
        }
        Ok(())
    }

    /// How the network's weights lie, and the gradients that were kept last, which are given away; by the tensors' names.
    pub(crate) fn histograms(&mut self) -> Result<(Histograms, Histograms), TrainError> {
        let weights = self.network.parameters().iter().map(histogram).collect::<Result<_, _>>()?;
        let kept = std::mem::take(&mut self.kept_gradients);
        let names = self.network.parameters().iter().map(|(name, _)| name);
        let gradients = names.zip(&kept).map(histogram).collect::<Result<_, _>>()?;
        Ok((weights, gradients))
    }

    /// What a resume needs besides the network's weights, as `part/name`. The tensors are those in use.
    pub(crate) fn named_state(&self) -> Vec<(String, Tensor)> {
        let learned = learned(self.optimizer.spec(), &self.part_rates, self.network, &self.balance);
        let mut named = self.optimizer.named(&learned);
        let uncertain = self.balance.log_variances();
        named.extend(uncertain.map(|tensor| (format!("value/{LOG_VARIANCES}"), tensor.shallow_clone())));
        named.extend(self.scaler.iter().flat_map(GradScaler::named));
        named.extend(self.average.iter().flat_map(|average| average.named(self.network.parameters())));
        named
    }
}

/// The loss of a part and its gradient, which is scaled as `arithmetic` says. Only the forward pass is under autocast.
pub(crate) fn share(
    network: &dyn Network,
    tasks: &Tasks,
    balance: &Balance,
    part: &Part,
    denominators: &Denominators,
    arithmetic: &Arithmetic,
) -> Result<Share, TrainError> {
    let begun = (arithmetic.clock)();
    let outputs = {
        let _autocast = arithmetic.precision.autocast(arithmetic.device)?;
        network.forward(&part.batch.inputs, part.mode)?
    };
    let heads: Vec<Tensor> =
        outputs.heads.iter().map(|head| head.f_to_kind(Kind::Float)).collect::<Result<_, _>>()?;
    let loss = part_loss(tasks, balance, &heads, &part.batch.targets, denominators)?;
    let learned = tensors(network, balance);
    let followed = match &arithmetic.loss_scale {
        Some(scale) => loss.total.f_mul(scale)?,
        None => loss.total.shallow_clone(),
    };
    let forwarded = (arithmetic.clock)();
    let gradients = Tensor::f_run_backward(&[&followed], &learned, false, false)?;
    let spent = Spent {
        forward: forwarded.saturating_sub(begun),
        backward: (arithmetic.clock)().saturating_sub(forwarded),
    };
    Ok(Share { losses: losses(&loss)?, gradients, spent })
}

/// 1 where the norm of the gradients or the total loss is not finite or a gradient overflowed, else 0; 0-dim.
fn skip(norm: &Tensor, losses: &Tensor, overflow: Option<&Tensor>) -> Result<Tensor, tch::TchError> {
    let total = losses.f_narrow(0, 0, 1)?.f_reshape_as(norm)?;
    let finite = norm.f_isfinite()?.f_logical_and(&total.f_isfinite()?)?;
    let skip = finite.f_logical_not()?.f_to_kind(Kind::Float)?;
    match overflow {
        Some(overflow) => skip.f_maximum(overflow),
        None => Ok(skip),
    }
}

/// Histograms by the names of tensors.
type Histograms = BTreeMap<String, Histogram>;

fn histogram((name, tensor): (&str, &Tensor)) -> Result<(String, Histogram), TrainError> {
    let values = tensor.f_detach()?.f_to_device(Device::Cpu)?.f_to_kind(Kind::Float)?.f_reshape([-1])?;
    let values = Vec::<f32>::try_from(&values)?;
    Ok((name.to_owned(), Histogram::of(&values)))
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

/// Shares added up in their order: the sum does not depend on which is ready first.
#[derive(Default)]
struct Sum(Option<Share>);

impl Sum {
    fn add(&mut self, share: Share) -> Result<(), TrainError> {
        self.0 = Some(match self.0.take() {
            // Not in place: two parameters may share the memory of one gradient.
            Some(sum) => Share {
                spent: sum.spent + share.spent,
                losses: sum.losses.f_add(&share.losses)?,
                gradients: (sum.gradients.iter().zip(&share.gradients))
                    .map(|(one, other)| one.f_add(other))
                    .collect::<Result<_, _>>()?,
            },
            None => share,
        });
        Ok(())
    }

    fn spent(&self) -> Spent {
        self.0.as_ref().map(|share| share.spent).unwrap_or_default()
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
