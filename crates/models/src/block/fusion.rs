//! Branches to one feature vector.

use tch::Tensor;

use super::dropout::Dropout;
use super::linear::Linear;
use super::norm::LayerNorm;
use crate::ModelError;
use crate::init::Part;
use crate::network::Mode;
use crate::spec::{FusionKind, FusionSpec};

/// The branches side by side, a linear layer, GELU, layer norm, dropout: several `[batch, width]` to `[batch, feature]`.
#[derive(Debug)]
pub(crate) struct Fusion {
    linear: Linear,
    norm: LayerNorm,
    dropout: Dropout,
}

impl Fusion {
    /// `width` is the sum of the branches' widths.
    pub(crate) fn new(mut part: Part<'_>, spec: &FusionSpec, width: usize) -> Result<Self, ModelError> {
        match spec.kind {
            FusionKind::Concat => {
                let linear = Linear::new(part.part("0"), width, spec.output_size)?;
                let norm = LayerNorm::new(part.part("2"), spec.output_size)?;
                let dropout = Dropout::new(&part.part("3"), spec.dropout);
                Ok(Self { linear, norm, dropout })
            }
        }
    }

    pub(crate) fn forward(&self, parts: &[Tensor], mode: Mode) -> Result<Tensor, ModelError> {
        let hidden = self.linear.forward(&Tensor::f_cat(parts, 1)?)?.f_gelu("none")?;
        self.dropout.forward(self.norm.forward(&hidden)?, mode)
    }
}
