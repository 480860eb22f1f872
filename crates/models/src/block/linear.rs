//! A linear layer.

use tch::Tensor;

use crate::ModelError;
use crate::init::{Part, Start};

/// `[.., input]` to `[.., output]`.
#[derive(Debug)]
pub(crate) struct Linear {
    weight: Tensor,
    bias: Tensor,
}

impl Linear {
    pub(crate) fn new(mut part: Part<'_>, inputs: usize, outputs: usize) -> Result<Self, ModelError> {
        let weight = part.weight("weight", &[outputs, inputs], Start::fan_in(inputs))?;
        let bias = part.weight("bias", &[outputs], Start::fan_in(inputs))?;
        Ok(Self { weight, bias })
    }

    /// As [`Linear::new`], with a bias that starts at zero: what PyTorch's attention does.
    pub(crate) fn new_unbiased_start(
        mut part: Part<'_>,
        inputs: usize,
        outputs: usize,
    ) -> Result<Self, ModelError> {
        let weight = part.weight("weight", &[outputs, inputs], Start::fan_in(inputs))?;
        let bias = part.weight("bias", &[outputs], Start::Zeros)?;
        Ok(Self { weight, bias })
    }

    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor, ModelError> {
        Ok(x.f_linear(&self.weight, Some(&self.bias))?)
    }
}
