//! The figures of the last steps, brought to the host together: one transfer for many steps.

use std::collections::BTreeMap;

use tapeline_events::{Event, Observer};
use tch::{Device, Kind, Tensor};

use crate::error::TrainError;
use crate::guard::{Finding, StepFigures};
use crate::spec::GuardsSpec;
use crate::state::State;
use crate::task::Tasks;

/// Steps between two transfers from a GPU. A CPU has nothing to wait for and reports every step.
const STEPS_PER_TRANSFER: usize = 16;

/// Samples of a batch that are named at most.
const NAMED_SAMPLES: usize = 8;

/// A step whose figures are still on the device.
pub(crate) struct Pending {
    pub(crate) step: usize,
    pub(crate) epoch: u64,
    pub(crate) rate: f64,
    pub(crate) samples: Vec<u32>,
    /// What [`Stepper::step`](crate::step::Stepper::step) returned.
    pub(crate) figures: Tensor,
}

/// What a log needs to know to tell its steps.
pub(crate) struct Telling<'a> {
    pub(crate) tasks: &'a Tasks,
    pub(crate) guards: &'a GuardsSpec,
    /// What a person calls a sample.
    pub(crate) key: &'a dyn Fn(u32) -> String,
}

/// Steps that were done and not yet told.
pub(crate) struct StepLog {
    pending: Vec<Pending>,
    interval: usize,
    has_loss_scale: bool,
}

impl StepLog {
    /// With a loss scale every step is told, on a GPU too: whether it is skipped decides the next one's learning rate.
    pub(crate) fn new(device: Device, has_loss_scale: bool) -> Self {
        let interval = if device.is_cuda() && !has_loss_scale { STEPS_PER_TRANSFER } else { 1 };
        Self { pending: Vec::with_capacity(interval), interval, has_loss_scale }
    }

    /// Adds a step. True when it is time to tell: at fixed steps, so that what is known when does not depend on when a run
    /// was stopped.
    pub(crate) fn push(&mut self, step: Pending) -> bool {
        let is_time = step.step.is_multiple_of(self.interval);
        self.pending.push(step);
        is_time
    }

    /// The last step that is surely told when step number `step` begins.
    pub(crate) const fn told_before(&self, step: usize) -> usize {
        (step - 1) / self.interval * self.interval
    }

    /// Tells every pending step, in order, adds it to the epoch's train loss and shows it to the guards. Called before each
    /// checkpoint, so that what it holds is known.
    pub(crate) fn tell(
        &mut self,
        telling: &Telling<'_>,
        state: &mut State,
        observer: &mut dyn Observer,
    ) -> Result<(), TrainError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let stacked: Vec<&Tensor> = self.pending.iter().map(|step| &step.figures).collect();
        let width = 4 + telling.tasks.iter().len();
        let flat = Tensor::f_stack(&stacked, 0)?
            .f_to_device(Device::Cpu)?
            .f_to_kind(Kind::Float)?
            .f_reshape([-1])?;
        let flat = Vec::<f32>::try_from(flat)?;
        for (pending, figures) in self.pending.drain(..).zip(flat.chunks(width)) {
            let [skip, scale, norm, total, ref tasks @ ..] = figures[..] else {
                unreachable!("a chunk has the width of the figures")
            };
            let figures = StepFigures {
                loss: f64::from(total),
                gradient_norm: f64::from(norm),
                loss_scale: self.has_loss_scale.then(|| f64::from(scale)),
                skipped: skip > 0.0,
            };
            let losses = telling.tasks.iter().zip(tasks);
            let losses: BTreeMap<String, f64> =
                losses.map(|(task, loss)| (task.name.to_owned(), f64::from(*loss))).collect();
            if figures.skipped {
                state.skipped_steps.push(pending.step);
            } else {
                state.running.add(pending.samples.len(), figures.loss, &losses);
            }
            observer.observe(&Event::Step {
                step: pending.step as u64,
                epoch: pending.epoch,
                learning_rate: pending.rate,
                gradient_norm: figures.gradient_norm,
                loss: figures.loss,
                losses,
                loss_scale: figures.loss_scale,
                skipped: figures.skipped,
            });
            let samples = || named(&pending.samples, telling.key);
            for finding in state.guards.look(telling.guards, figures, samples) {
                tell_finding(&finding, pending.step, pending.epoch, observer);
                if finding.ends_the_run {
                    let (step, in_a_row) = (pending.step, state.guards.non_finite_in_a_row);
                    let samples = pending.samples.iter().map(|sample| (telling.key)(*sample)).collect();
                    return Err(TrainError::NonFinite { step, in_a_row, samples });
                }
            }
        }
        Ok(())
    }
}

/// Tells what a guard saw up to `step`.
pub(crate) fn tell_finding(finding: &Finding, step: usize, epoch: u64, observer: &mut dyn Observer) {
    let Finding { guard, message, .. } = finding;
    observer.observe(&Event::GuardTripped {
        step: step as u64,
        epoch,
        guard: *guard,
        message: message.clone(),
    });
}

/// The first samples by name, and how many more there are.
fn named(samples: &[u32], key: &dyn Fn(u32) -> String) -> String {
    let first: Vec<String> = samples.iter().take(NAMED_SAMPLES).map(|sample| key(*sample)).collect();
    let more = samples.len().saturating_sub(NAMED_SAMPLES);
    if more == 0 { first.join(", ") } else { format!("{} and {more} more", first.join(", ")) }
}
