//! The samples to come, on a device.

use tapeline_artefact::Windows;
use tch::Tensor;

use crate::error::TrainError;

/// The order of an epoch on the host and on the device, and how far it was read.
#[derive(Default)]
pub(super) struct DeviceOrder {
    samples: Vec<u32>,
    /// `[sample]`; none before the first epoch.
    numbers: Option<Tensor>,
    read: usize,
}

impl DeviceOrder {
    pub(super) fn new(samples: &[u32], windows: &Windows<'_>) -> Result<Self, TrainError> {
        Ok(Self { samples: samples.into(), numbers: Some(windows.numbers(samples)?), read: 0 })
    }

    /// The numbers of `samples` on the device: a part of the order if they are what comes next in it, else copied there.
    pub(super) fn numbers(&mut self, samples: &[u32], windows: &Windows<'_>) -> Result<Tensor, TrainError> {
        let next = self.read..self.read + samples.len();
        let known = self.samples.get(next.clone()).is_some_and(|expected| expected == samples);
        match &self.numbers {
            Some(numbers) if known => {
                self.read = next.end;
                Ok(numbers.f_narrow(0, next.start as i64, samples.len() as i64)?)
            }
            _ => Ok(windows.numbers(samples)?),
        }
    }
}
