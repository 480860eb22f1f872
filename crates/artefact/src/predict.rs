//! Forecasts and features of many samples, batch by batch, without gradients.

use tapeline_data_pipeline::Dataset;
use tapeline_models::{Mode, ModelError, Network, Outputs};
use tapeline_torch_ext::Tf32;
use tch::{Device, Kind, Tensor};

use crate::error::ArtefactError;
use crate::windows::Windows;

/// Row-major figures: `rows` samples of `width` numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    /// Numbers per sample.
    pub width: usize,
    /// `[sample, number]`.
    pub values: Vec<f32>,
}

impl Rows {
    /// The numbers of sample `row`.
    #[must_use]
    pub fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.width..(row + 1) * self.width]
    }

    fn append(&mut self, tensor: &Tensor) -> Result<(), tch::TchError> {
        self.width = usize::try_from(tensor.size()[1]).unwrap_or_default();
        let flat =
            tensor.f_to_device(Device::Cpu)?.f_to_kind(Kind::Float)?.f_contiguous()?.f_reshape([-1])?;
        self.values.extend(Vec::<f32>::try_from(flat)?);
        Ok(())
    }
}

/// What a network says of a list of samples, in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Predictions {
    /// `[sample, feature]`: the fused features before the heads.
    pub features: Rows,
    /// One per head, `[sample, output]`: standardised regression outputs, or class scores before the softmax.
    pub heads: Vec<Rows>,
}

/// Runs `network` over `samples` in batches of `batch`. The figures do not depend on `batch` beyond the last bits.
///
/// # Errors
/// As [`predict_from`].
pub fn predict(
    network: &dyn Network,
    data: &Dataset,
    samples: &[u32],
    batch: usize,
    device: Device,
) -> Result<Predictions, ArtefactError> {
    predict_from(network, &Windows::new(data, device)?, samples, batch)
}

/// As [`predict`], for who asks more than once: tables on a device are uploaded when the windows are made, not here.
///
/// # Errors
/// [`ArtefactError::InputLayout`] if the dataset's windows are not the network's; whatever data or network refuse.
pub fn predict_from(
    network: &dyn Network,
    windows: &Windows<'_>,
    samples: &[u32],
    batch: usize,
) -> Result<Predictions, ArtefactError> {
    check_layout(network, windows.data())?;
    let mut predictions =
        Predictions { features: Rows::default(), heads: vec![Rows::default(); network.spec().heads.len()] };
    for samples in samples.chunks(batch.max(1)) {
        let inputs = windows.of(samples)?;
        let outputs = say(network, &inputs)?;
        predictions.features.append(&outputs.features)?;
        for (rows, head) in predictions.heads.iter_mut().zip(&outputs.heads) {
            rows.append(head)?;
        }
    }
    Ok(predictions)
}

/// The features before the heads, and those of each branch before they are fused: one matrix each, `[sample, feature]`.
///
/// # Errors
/// As [`predict`].
pub fn features_and_branches(
    network: &dyn Network,
    windows: &Windows<'_>,
    samples: &[u32],
    batch: usize,
) -> Result<(Rows, Vec<Rows>), ArtefactError> {
    check_layout(network, windows.data())?;
    let (mut features, mut branches) = (Rows::default(), Vec::new());
    for samples in samples.chunks(batch.max(1)) {
        let inputs = windows.of(samples)?;
        let outputs = say(network, &inputs)?;
        features.append(&outputs.features)?;
        branches.resize_with(outputs.branches.len(), Rows::default);
        for (rows, branch) in branches.iter_mut().zip(&outputs.branches) {
            rows.append(branch)?;
        }
    }
    Ok((features, branches))
}

/// What `network` says of `inputs` where it is scored or used: without gradients, and on a GPU without TF32, whatever the process
/// was told before, so that a run, its artefact and whoever loads it say the same.
pub(crate) fn say(network: &dyn Network, inputs: &[Tensor]) -> Result<Outputs, ArtefactError> {
    let _in_single_precision = Tf32::allow(false).map_err(ModelError::from)?;
    Ok(tch::no_grad(|| network.forward(inputs, Mode::Evaluate))?)
}

fn check_layout(network: &dyn Network, data: &Dataset) -> Result<(), ArtefactError> {
    let expected: Vec<(usize, usize)> =
        network.spec().inputs.iter().map(|input| (input.length, input.features)).collect();
    let found: Vec<(usize, usize)> =
        data.inputs().iter().map(|layout| (layout.length, layout.channels.len())).collect();
    if expected == found {
        return Ok(());
    }
    let words = |shapes: &[(usize, usize)]| {
        let shapes: Vec<String> =
            shapes.iter().map(|(length, features)| format!("{length} bars × {features}")).collect();
        format!("windows of [{}]", shapes.join(", "))
    };
    Err(ArtefactError::InputLayout { expected: words(&expected), found: words(&found) })
}
