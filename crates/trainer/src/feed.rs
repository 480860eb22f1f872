//! From sample numbers to tensors: host buffers are filled by the dataset and handed to the device.

use tapeline_data_pipeline::{DataError, Dataset};
use tch::{Device, Tensor};

use crate::error::TrainError;
use crate::loss::Denominators;
use crate::task::{Task, Tasks};

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

/// Fills batches from a dataset. The buffers of targets are used again.
pub(crate) struct Feed<'a> {
    data: &'a Dataset,
    tasks: &'a Tasks,
    device: Device,
    /// By label: what a sample of each class counts for, where not all count alike.
    class_weights: Vec<Option<Vec<f32>>>,
    column: (Vec<f32>, Vec<f32>),
    table: (Vec<f32>, Vec<f32>),
}

impl<'a> Feed<'a> {
    pub(crate) fn new(data: &'a Dataset, tasks: &'a Tasks, device: Device) -> Self {
        let weights = |task: &Task, label: usize| {
            let weights = task.class_weights(&data.labels().get(label)?.fitted)?;
            Some(weights.into_iter().map(|weight| weight as f32).collect())
        };
        let labels = tasks.iter().flat_map(|task| task.labels.clone().map(move |label| (task, label)));
        let class_weights = labels.map(|(task, label)| weights(task, label)).collect();
        Self { data, tasks, device, class_weights, column: Default::default(), table: Default::default() }
    }

    /// The batch of `samples`.
    pub(crate) fn batch(&mut self, samples: &[u32]) -> Result<Batch, TrainError> {
        let inputs = tapeline_artefact::input_tensors(self.data, samples, self.device)?;
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
        let tensor =
            |values: &[f32]| Tensor::f_from_slice(values)?.f_reshape(shape)?.f_to_device(self.device);
        Ok(Targets { values: tensor(&self.table.0)?, weights: tensor(&self.table.1)? })
    }

    fn fill_column(&mut self, label: usize, samples: &[u32]) -> Result<(), DataError> {
        let (values, weights) = &mut self.column;
        self.data.fill_targets(label, samples, values, weights)?;
        if let Some(Some(of_class)) = self.class_weights.get(label) {
            // An absent label is filled with 0 and weighs 0, whatever the weight of class 0.
            for (weight, class) in weights.iter_mut().zip(values) {
                *weight *= of_class[*class as usize];
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
