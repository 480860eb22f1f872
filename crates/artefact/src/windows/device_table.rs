//! The rows of one timeframe on a device, and all that a window of them needs.

use tapeline_data_pipeline::{Dataset, MASKED, WindowTransform};
use tch::{Device, TchError, Tensor};

use crate::error::ArtefactError;

/// The rows of all symbols in one timeframe, one table after the other, with what each sample sees of them.
pub(super) struct DeviceTable {
    /// `[row, feature]`.
    rows: Tensor,
    /// By sample: the window's last row in `rows`; a row that exists where the window is masked.
    ends: Tensor,
    /// `[time]`: 1 − length, …, −1, 0.
    offsets: Tensor,
    /// In the order of the layout.
    transforms: Vec<Transform>,
    length: i64,
    width: i64,
}

/// A [`WindowTransform`] with its figures on the device.
enum Transform {
    /// `values` is `[time, 1]`.
    Recency { channel: i64, values: Tensor },
    /// `ages` is `[sample]`.
    Age { channel: i64, ages: Tensor },
    /// `masked` is `[sample]`, and true where the whole window is 0.
    Mask { masked: Tensor },
}

impl DeviceTable {
    pub(super) fn new(data: &Dataset, timeframe: usize, device: Device) -> Result<Self, ArtefactError> {
        let layout = &data.inputs()[timeframe];
        let (length, width) = (layout.length, layout.width());
        let mut values = Vec::new();
        let mut first_rows = Vec::with_capacity(data.tables().len());
        for tables in data.tables() {
            first_rows.push((values.len() / width) as i64);
            values.extend_from_slice(tables[timeframe].values());
        }
        // A masked window points at the first rows, which need not be there.
        values.resize(values.len().max(length * width), 0.0);

        let windows = data.windows();
        let ends =
            windows.end_rows(timeframe).iter().zip(windows.symbols()).map(|(&end, &symbol)| match end {
                MASKED => length as i64 - 1,
                end => first_rows[symbol as usize] + i64::from(end),
            });
        let offsets: Vec<i64> = (1 - length as i64..=0).collect();
        let transforms =
            layout.transforms.iter().map(|transform| Transform::new(transform, data, timeframe, device));
        Ok(Self {
            rows: Tensor::f_from_slice(&values)?.f_reshape([-1, width as i64])?.f_to_device(device)?,
            ends: Tensor::f_from_slice(&ends.collect::<Vec<_>>())?.f_to_device(device)?,
            offsets: Tensor::f_from_slice(&offsets)?.f_to_device(device)?,
            transforms: transforms.collect::<Result<_, _>>()?,
            length: length as i64,
            width: width as i64,
        })
    }

    /// The windows of the samples `numbers`, `[batch]`, as `[batch, time, feature]`. Nothing waits for the device.
    pub(super) fn windows(&self, numbers: &Tensor) -> Result<Tensor, TchError> {
        let ends = self.ends.f_index_select(0, numbers)?;
        let rows = ends.f_unsqueeze(1)?.f_add(&self.offsets)?.f_reshape([-1])?;
        let windows =
            self.rows.f_index_select(0, &rows)?.f_reshape([numbers.size()[0], self.length, self.width])?;
        for transform in &self.transforms {
            transform.apply(&windows, numbers)?;
        }
        Ok(windows)
    }
}

impl Transform {
    fn new(
        transform: &WindowTransform,
        data: &Dataset,
        timeframe: usize,
        device: Device,
    ) -> Result<Self, ArtefactError> {
        let samples = data.windows().len() as u32;
        Ok(match *transform {
            WindowTransform::Recency { channel } => {
                let newer = (0..data.inputs()[timeframe].length).rev();
                let values: Vec<f32> = newer.map(|newer| WindowTransform::recency(newer as u32)).collect();
                let values = Tensor::f_from_slice(&values)?.f_reshape([-1, 1])?.f_to_device(device)?;
                Self::Recency { channel: channel as i64, values }
            }
            WindowTransform::Age { channel } => {
                let ages = (0..samples).map(|sample| data.age(timeframe, sample));
                let ages =
                    Tensor::f_from_slice(&ages.collect::<Result<Vec<_>, _>>()?)?.f_to_device(device)?;
                Self::Age { channel: channel as i64, ages }
            }
            WindowTransform::Mask => {
                let masked = data.windows().end_rows(timeframe).iter().map(|&end| end == MASKED);
                let masked = Tensor::f_from_slice(&masked.collect::<Vec<bool>>())?.f_to_device(device)?;
                Self::Mask { masked }
            }
        })
    }

    fn apply(&self, windows: &Tensor, numbers: &Tensor) -> Result<(), TchError> {
        let of_samples = |figures: &Tensor| figures.f_index_select(0, numbers)?.f_reshape([-1, 1, 1]);
        match self {
            Self::Recency { channel, values } => windows.f_narrow(2, *channel, 1)?.f_copy_(values),
            Self::Age { channel, ages } => windows.f_narrow(2, *channel, 1)?.f_copy_(&of_samples(ages)?),
            Self::Mask { masked } => {
                windows.shallow_clone().f_masked_fill_(&of_samples(masked)?, 0.0).map(|_same| ())
            }
        }
    }
}
