//! The figures of the last steps, brought to the host together: one transfer for many steps.

use std::collections::BTreeMap;

use tapeline_events::{Event, Observer};
use tch::{Device, Kind, Tensor};

use crate::error::TrainError;
use crate::state::RunningLoss;
use crate::task::Tasks;

/// Steps between two transfers from a GPU. A CPU has nothing to wait for and reports every step.
const STEPS_PER_TRANSFER: usize = 16;

/// A step whose figures are still on the device.
pub(crate) struct Pending {
    pub(crate) step: usize,
    pub(crate) epoch: u64,
    pub(crate) rate: f64,
    pub(crate) samples: usize,
    pub(crate) first_sample: u32,
    pub(crate) figures: Tensor,
}

/// Steps that were done and not yet told.
pub(crate) struct StepLog {
    pending: Vec<Pending>,
    interval: usize,
}

impl StepLog {
    pub(crate) fn new(device: Device) -> Self {
        let interval = if device.is_cuda() { STEPS_PER_TRANSFER } else { 1 };
        Self { pending: Vec::with_capacity(interval), interval }
    }

    /// Adds a step. True when it is time to tell.
    pub(crate) fn push(&mut self, step: Pending) -> bool {
        self.pending.push(step);
        self.pending.len() >= self.interval
    }

    /// Tells every pending step, in order, and adds it to the epoch's train loss. Called before each checkpoint, so that
    /// none holds weights that were moved by a gradient that is not finite.
    pub(crate) fn tell(
        &mut self,
        tasks: &Tasks,
        running: &mut RunningLoss,
        observer: &mut dyn Observer,
    ) -> Result<(), TrainError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let stacked: Vec<&Tensor> = self.pending.iter().map(|step| &step.figures).collect();
        let width = 2 + tasks.iter().len();
        let flat = Tensor::f_stack(&stacked, 0)?
            .f_to_device(Device::Cpu)?
            .f_to_kind(Kind::Float)?
            .f_reshape([-1])?;
        let flat = Vec::<f32>::try_from(flat)?;
        for (step, figures) in self.pending.drain(..).zip(flat.chunks(width)) {
            let (gradient_norm, loss) = (f64::from(figures[0]), f64::from(figures[1]));
            let named =
                tasks.iter().zip(&figures[2..]).map(|(task, loss)| (task.name.to_owned(), f64::from(*loss)));
            let losses: BTreeMap<String, f64> = named.collect();
            running.add(step.samples, loss, &losses);
            observer.observe(&Event::Step {
                step: step.step as u64,
                epoch: step.epoch,
                learning_rate: step.rate,
                gradient_norm,
                loss,
                losses,
            });
            for (quantity, value) in [("loss", loss), ("gradient norm", gradient_norm)] {
                if !value.is_finite() {
                    let (step, sample) = (step.step, step.first_sample);
                    return Err(TrainError::NonFinite { quantity, value, step, sample });
                }
            }
        }
        Ok(())
    }
}
