//! Side by side.

use tch::Tensor;

use crate::ModelError;
use crate::block::dropout::Dropout;
use crate::block::linear::Linear;
use crate::block::norm::LayerNorm;
use crate::init::Part;
use crate::network::Mode;
use crate::spec::FusionSpec;

/// The branches side by side, a linear layer, GELU, layer norm, dropout. One branch takes the same way.
#[derive(Debug)]
pub(crate) struct Concat {
    linear: Linear,
    norm: LayerNorm,
    dropout: Dropout,
}

impl Concat {
    /// `width` is the sum of the branches' widths.
    pub(super) fn new(mut part: Part<'_>, spec: &FusionSpec, width: usize) -> Result<Self, ModelError> {
        let linear = Linear::new(part.part("0"), width, spec.output_size)?;
        let norm = LayerNorm::new(part.part("2"), spec.output_size)?;
        let dropout = Dropout::new(&part.part("3"), spec.dropout);
        Ok(Self { linear, norm, dropout })
    }

    pub(super) fn forward(&self, branches: &[Tensor], mode: Mode) -> Result<Tensor, ModelError> {
        self.activate(&Tensor::f_cat(branches, 1)?, mode)
    }

    /// From the branches that lie side by side already, `[batch, width]`.
    pub(super) fn activate(&self, joined: &Tensor, mode: Mode) -> Result<Tensor, ModelError> {
        let hidden = self.linear.forward(joined)?.f_gelu("none")?;
        self.dropout.forward(self.norm.forward(&hidden)?, mode)
    }
}
