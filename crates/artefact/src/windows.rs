//! Windows as tensors: filled on the host and handed over, or gathered on a device from tables that live there.

mod device_table;

use tapeline_data_pipeline::{DataError, Dataset};
use tch::{Device, Tensor};

use crate::error::ArtefactError;
use device_table::DeviceTable;

/// Where the windows of a dataset come from.
///
/// On the CPU each batch is copied out of the dataset's tables. Any other device holds the tables itself, uploaded once, and
/// gathers windows there from the same index: what crosses to it per batch are the samples' numbers, or nothing where those
/// are there already. The bytes are the same either way.
pub struct Windows<'a> {
    data: &'a Dataset,
    device: Device,
    tables: Option<Vec<DeviceTable>>,
}

impl<'a> Windows<'a> {
    /// The windows of `data` for `device`: from the host's tables on the CPU, from tables on the device elsewhere.
    ///
    /// # Errors
    /// [`ArtefactError::Torch`] if the tables do not fit on the device.
    pub fn new(data: &'a Dataset, device: Device) -> Result<Self, ArtefactError> {
        if device == Device::Cpu { Ok(Self::on_host(data, device)) } else { Self::on_device(data, device) }
    }

    /// The windows of `data`, filled on the host and copied to `device`: for who asks for a few.
    #[must_use]
    pub const fn on_host(data: &'a Dataset, device: Device) -> Self {
        Self { data, device, tables: None }
    }

    /// The windows of `data`, gathered from tables on `device`, the CPU included.
    ///
    /// # Errors
    /// [`ArtefactError::Torch`] if the tables do not fit on the device.
    pub fn on_device(data: &'a Dataset, device: Device) -> Result<Self, ArtefactError> {
        let table = |timeframe| DeviceTable::new(data, timeframe, device);
        let tables = (0..data.inputs().len()).map(table).collect::<Result<_, _>>()?;
        Ok(Self { data, device, tables: Some(tables) })
    }

    /// The dataset.
    #[must_use]
    pub const fn data(&self) -> &'a Dataset {
        self.data
    }

    /// Where the tensors are.
    #[must_use]
    pub const fn device(&self) -> Device {
        self.device
    }

    /// Whether windows are gathered on the device.
    #[must_use]
    pub const fn are_gathered_on_device(&self) -> bool {
        self.tables.is_some()
    }

    /// The windows of `samples`, one tensor `[batch, time, feature]` for each timeframe.
    ///
    /// # Errors
    /// [`ArtefactError::Data`] if a sample number is out of range.
    pub fn of(&self, samples: &[u32]) -> Result<Vec<Tensor>, ArtefactError> {
        match &self.tables {
            Some(tables) => gather(tables, &self.numbers(samples)?),
            None => host_windows(self.data, samples, self.device),
        }
    }

    /// The windows of the samples whose numbers lie on the device, as [`numbers`](Self::numbers) put them there: nothing is
    /// copied to it. `None` where windows are not gathered on the device.
    ///
    /// # Errors
    /// [`ArtefactError::Torch`] if the device fails.
    pub fn of_numbers(&self, numbers: &Tensor) -> Option<Result<Vec<Tensor>, ArtefactError>> {
        self.tables.as_ref().map(|tables| gather(tables, numbers))
    }

    /// The numbers of samples on the device, `[sample]`.
    ///
    /// # Errors
    /// [`ArtefactError::Data`] if one is out of range: a device would not say so before much later.
    pub fn numbers(&self, samples: &[u32]) -> Result<Tensor, ArtefactError> {
        let count = self.data.windows().len();
        if let Some(&sample) = samples.iter().find(|&&sample| sample as usize >= count) {
            return Err(DataError::Lookup { what: "sample", index: sample as usize, count }.into());
        }
        let numbers: Vec<i64> = samples.iter().map(|&sample| i64::from(sample)).collect();
        Ok(Tensor::f_from_slice(&numbers)?.f_to_device(self.device)?)
    }
}

fn gather(tables: &[DeviceTable], numbers: &Tensor) -> Result<Vec<Tensor>, ArtefactError> {
    tables.iter().map(|table| Ok(table.windows(numbers)?)).collect()
}

fn host_windows(data: &Dataset, samples: &[u32], device: Device) -> Result<Vec<Tensor>, ArtefactError> {
    let mut tensors = Vec::with_capacity(data.inputs().len());
    for (timeframe, layout) in data.inputs().iter().enumerate() {
        let mut values = vec![0.0_f32; samples.len() * layout.window_len()];
        data.fill_inputs(timeframe, samples, &mut values)?;
        let shape = [samples.len() as i64, layout.length as i64, layout.width() as i64];
        tensors.push(Tensor::f_from_slice(&values)?.f_reshape(shape)?.f_to_device(device)?);
    }
    Ok(tensors)
}
