//! From sample numbers to tensors: host buffers are filled by the dataset and handed to the device.

use tapeline_data_pipeline::{Augmentation, DataError, Dataset};
use tch::{Device, Tensor};

use crate::error::TrainError;
use crate::task::Tasks;

/// The targets of one task for one batch.
pub(crate) struct Targets {
    /// `[batch, horizon]`: standardised values, or class numbers.
    pub(crate) values: Tensor,
    /// `[batch, horizon]`: 1 where there is a label, else 0.
    pub(crate) mask: Tensor,
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
    augmentation: Option<Augmentation>,
    column: (Vec<f32>, Vec<f32>),
    table: (Vec<f32>, Vec<f32>),
}

impl<'a> Feed<'a> {
    pub(crate) fn new(data: &'a Dataset, tasks: &'a Tasks, device: Device) -> Self {
        let (column, table) = Default::default();
        Self { data, tasks, device, augmentation: None, column, table }
    }

    /// From now on batches are augmented as the data's configuration says, if it does; `seed` is that of the epoch.
    pub(crate) fn augment(&mut self, seed: u64) {
        self.augmentation = self.data.augmentation(seed);
    }

    /// The batch of `samples`, which are train samples.
    pub(crate) fn batch(&mut self, samples: &[u32]) -> Result<Batch, TrainError> {
        let inputs = self.inputs(samples)?;
        let tasks = self.tasks.iter();
        let targets =
            tasks.map(|task| self.targets(task.labels.clone(), samples)).collect::<Result<_, _>>()?;
        Ok(Batch { inputs, targets })
    }

    fn inputs(&self, samples: &[u32]) -> Result<Vec<Tensor>, TrainError> {
        let Some(augmentation) = &self.augmentation else {
            return Ok(tapeline_artefact::input_tensors(self.data, samples, self.device)?);
        };
        let windows = self.data.inputs().iter().enumerate().map(|(timeframe, layout)| {
            let mut values = vec![0.0; samples.len() * layout.window_len()];
            self.data.fill_augmented_inputs(augmentation, timeframe, samples, &mut values)?;
            let shape = [samples.len() as i64, layout.length as i64, layout.width() as i64];
            Ok(Tensor::f_from_slice(&values)?.f_reshape(shape)?.f_to_device(self.device)?)
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
        let tensor =
            |values: &[f32]| Tensor::f_from_slice(values)?.f_reshape(shape)?.f_to_device(self.device);
        Ok(Targets { values: tensor(&self.table.0)?, mask: tensor(&self.table.1)? })
    }

    fn fill_column(&mut self, label: usize, samples: &[u32]) -> Result<(), DataError> {
        let (values, mask) = (&mut self.column.0, &mut self.column.1);
        match &self.augmentation {
            Some(augmentation) => {
                self.data.fill_augmented_targets(augmentation, label, samples, values, mask)
            }
            None => self.data.fill_targets(label, samples, values, mask),
        }
    }
}
