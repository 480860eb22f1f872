//! Normalisation to mean zero and variance one, then a scale and a shift of each channel.

use tch::Tensor;

use crate::ModelError;
use crate::init::{Part, Start};

/// Added to the variance; PyTorch's default for both norms.
const EPSILON: f64 = 1e-5;

/// Normalises the last axis: `[.., channel]` to the same.
#[derive(Debug)]
pub(crate) struct LayerNorm {
    weight: Tensor,
    bias: Tensor,
    width: i64,
}

impl LayerNorm {
    pub(crate) fn new(part: Part<'_>, width: usize) -> Result<Self, ModelError> {
        let (weight, bias) = scale_and_shift(part, width)?;
        Ok(Self { weight, bias, width: width as i64 })
    }

    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor, ModelError> {
        Ok(x.f_layer_norm([self.width], Some(&self.weight), Some(&self.bias), EPSILON, true)?)
    }
}

/// Normalises time and channels of a sample together, scales by channel: `[batch, time, channel]` to the same.
/// PyTorch's `GroupNorm` with one group.
#[derive(Debug)]
pub(crate) struct SampleNorm {
    weight: Tensor,
    bias: Tensor,
    channels: i64,
}

impl SampleNorm {
    pub(crate) fn new(part: Part<'_>, channels: usize) -> Result<Self, ModelError> {
        let (weight, bias) = scale_and_shift(part, channels)?;
        Ok(Self { weight, bias, channels: channels as i64 })
    }

    /// The scale of each channel.
    pub(crate) fn weight(&self) -> &Tensor {
        &self.weight
    }

    /// The shift of each channel.
    pub(crate) fn bias(&self) -> &Tensor {
        &self.bias
    }

    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor, ModelError> {
        let shape = [x.size()[1], self.channels];
        let weight = self.weight.f_expand(shape, false)?;
        let bias = self.bias.f_expand(shape, false)?;
        Ok(x.f_layer_norm(shape, Some(&weight), Some(&bias), EPSILON, true)?)
    }
}

fn scale_and_shift(mut part: Part<'_>, width: usize) -> Result<(Tensor, Tensor), ModelError> {
    Ok((part.weight("weight", &[width], Start::Ones)?, part.weight("bias", &[width], Start::Zeros)?))
}
