//! From sample numbers to tensors. On the CPU host buffers are filled by the dataset; another device holds tables and targets
//! itself, and gathers batches from them. Augmented batches are made on the host wherever the network is.

mod device_order;
mod device_targets;
#[cfg(test)]
mod tests;

use tapeline_artefact::Windows;
use tapeline_data_pipeline::{Augmentation, DataError, Dataset};
use tch::{Device, Tensor};

use crate::error::TrainError;
use crate::loss::Denominators;
use crate::task::{Task, Tasks};
use device_order::DeviceOrder;
use device_targets::DeviceTargets;

/// The targets of one task for one batch.
pub(crate) struct Targets {
    /// `[batch, horizon]`: standardised values, or class numbers.
    pub(crate) values: Tensor,
    /// `[batch, horizon]`: 0 where there is no label, else what the sample counts for: 1, or the weight of its class.
    pub(crate) weights: Tensor,
}

/// Inputs and targets of one batch.
pub(crate) struct Batch {
    /// One per timeframe, `[batch, time, feature]`.
    pub(crate) inputs: Vec<Tensor>,
    /// One per task.
    pub(crate) targets: Vec<Targets>,
}

/// Makes batches of a dataset. The buffers of targets are used again.
pub(crate) struct Feed<'a> {
    data: &'a Dataset,
    tasks: &'a Tasks,
    windows: Windows<'a>,
    /// Where batches are gathered on the device.
    resident: Option<Resident>,
    /// By label: what a sample of each class counts for, where not all count alike.
    class_weights: Vec<Option<Vec<f32>>>,
    augmentation: Option<Augmentation>,
    column: (Vec<f32>, Vec<f32>),
    table: (Vec<f32>, Vec<f32>),
}

/// What lies on the device beside the tables of windows.
struct Resident {
    targets: DeviceTargets,
    order: DeviceOrder,
}

impl<'a> Feed<'a> {
    /// From the host's tables on the CPU, from tables on the device elsewhere.
    pub(crate) fn new(data: &'a Dataset, tasks: &'a Tasks, device: Device) -> Result<Self, TrainError> {
        Self::of(Windows::new(data, device)?, tasks)
    }

    fn of(windows: Windows<'a>, tasks: &'a Tasks) -> Result<Self, TrainError> {
        let data = windows.data();
        let weights = |task: &Task, label: usize| {
            let weights = task.class_weights(&data.labels().get(label)?.fitted)?;
            Some(weights.into_iter().map(|weight| weight as f32).collect())
        };
        let labels = tasks.iter().flat_map(|task| task.labels.clone().map(move |label| (task, label)));
        let class_weights = labels.map(|(task, label)| weights(task, label)).collect();
        let (column, table) = Default::default();
        let mut feed =
            Self { data, tasks, windows, resident: None, class_weights, augmentation: None, column, table };
        if feed.windows.are_gathered_on_device() {
            let targets = DeviceTargets::new(&mut feed)?;
            feed.resident = Some(Resident { targets, order: DeviceOrder::default() });
        }
        Ok(feed)
    }

    /// The windows that batches are made of.
    pub(crate) fn windows(&self) -> &Windows<'a> {
        &self.windows
    }

    /// From now on batches are augmented as the data's configuration says, if it does; `seed` is that of the epoch.
    pub(crate) fn augment(&mut self, seed: u64) {
        self.augmentation = self.data.augmentation(seed);
    }

    /// Says which samples come next, in their order: they are known on the device before they are asked for.
    pub(crate) fn follow(&mut self, order: &[u32]) -> Result<(), TrainError> {
        if let Some(resident) = &mut self.resident {
            resident.order = DeviceOrder::new(order, &self.windows)?;
        }
        Ok(())
    }

    /// The batch of `samples`, which are train samples.
    pub(crate) fn batch(&mut self, samples: &[u32]) -> Result<Batch, TrainError> {
        if let (Some(resident), None) = (&mut self.resident, &self.augmentation) {
            let numbers = resident.order.numbers(samples, &self.windows)?;
            if let Some(inputs) = self.windows.of_numbers(&numbers) {
                let targets =
                    self.tasks.iter().map(|task| resident.targets.of(task.labels.clone(), &numbers));
                return Ok(Batch { inputs: inputs?, targets: targets.collect::<Result<_, _>>()? });
            }
        }
        let inputs = self.inputs(samples)?;
        let tasks = self.tasks.iter();
        let targets =
            tasks.map(|task| self.targets(task.labels.clone(), samples)).collect::<Result<_, _>>()?;
        Ok(Batch { inputs, targets })
    }

    /// What the losses of a step on `samples` are divided by, known before its first part is run.
    pub(crate) fn denominators(&mut self, samples: &[u32]) -> Result<Denominators, TrainError> {
        self.column.0.resize(samples.len(), 0.0);
        self.column.1.resize(samples.len(), 0.0);
        let mut sums = Vec::with_capacity(self.tasks.iter().len());
        for task in self.tasks.iter() {
            let mut sum = 0.0;
            for label in task.labels.clone() {
                self.fill_column(label, samples)?;
                sum += self.column.1.iter().map(|weight| f64::from(*weight)).sum::<f64>();
            }
            sums.push(sum);
        }
        Ok(Denominators::new(sums))
    }

    fn inputs(&self, samples: &[u32]) -> Result<Vec<Tensor>, TrainError> {
        let Some(augmentation) = &self.augmentation else {
            return Ok(self.windows.of(samples)?);
        };
        let windows = self.data.inputs().iter().enumerate().map(|(timeframe, layout)| {
            let mut values = vec![0.0; samples.len() * layout.window_len()];
            self.data.fill_augmented_inputs(augmentation, timeframe, samples, &mut values)?;
            let shape = [samples.len() as i64, layout.length as i64, layout.width() as i64];
            Ok(Tensor::f_from_slice(&values)?.f_reshape(shape)?.f_to_device(self.windows.device())?)
        });
        windows.collect()
    }

    fn targets(&mut self, labels: std::ops::Range<usize>, samples: &[u32]) -> Result<Targets, TrainError> {
        let (batch, horizons) = (samples.len(), labels.len());
        let first = labels.start;
        for buffer in [&mut self.table.0, &mut self.table.1] {
            buffer.resize(batch * horizons, 0.0);
        }
        for buffer in [&mut self.column.0, &mut self.column.1] {
            buffer.resize(batch, 0.0);
        }
        for label in labels {
            self.fill_column(label, samples)?;
            for row in 0..batch {
                let cell = row * horizons + (label - first);
                self.table.0[cell] = self.column.0[row];
                self.table.1[cell] = self.column.1[row];
            }
        }
        let shape = [batch as i64, horizons as i64];
        let tensor = |values: &[f32]| {
            Tensor::f_from_slice(values)?.f_reshape(shape)?.f_to_device(self.windows.device())
        };
        Ok(Targets { values: tensor(&self.table.0)?, weights: tensor(&self.table.1)? })
    }

    fn fill_column(&mut self, label: usize, samples: &[u32]) -> Result<(), DataError> {
        let (values, weights) = &mut self.column;
        match &self.augmentation {
            Some(augmentation) => {
                self.data.fill_augmented_targets(augmentation, label, samples, values, weights)?;
            }
            None => self.data.fill_targets(label, samples, values, weights)?,
        }
        if let Some(Some(of_class)) = self.class_weights.get(label) {
            // An absent label is filled with 0 and weighs 0, whatever the weight of class 0.
            for (weight, class) in weights.iter_mut().zip(values) {
                *weight *= of_class[*class as usize];
            }
        }
        Ok(())
    }
}
