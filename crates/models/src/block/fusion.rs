//! Branches to one feature vector: several `[batch, width]` to `[batch, feature]`.

mod attention;
mod bilinear;
mod concat;
mod gated;

use tch::Tensor;

use super::linear::Linear;
use crate::ModelError;
use crate::init::Part;
use crate::network::Mode;
use crate::spec::{FusionKind, FusionSpec};
use attention::CrossAttention;
use bilinear::Bilinear;
use concat::Concat;
use gated::Gated;

/// One of the ways in which branches become one.
#[derive(Debug)]
pub(crate) enum Fusion {
    Concat(Concat),
    Gated(Gated),
    Attention(CrossAttention),
    Bilinear(Bilinear),
}

impl Fusion {
    /// `widths` are the branches', of which there is one at least.
    pub(crate) fn new(part: Part<'_>, spec: &FusionSpec, widths: &[usize]) -> Result<Self, ModelError> {
        Ok(match spec.kind {
            FusionKind::Concat => Self::Concat(Concat::new(part, spec, widths.iter().sum())?),
            FusionKind::Gated => Self::Gated(Gated::new(part, spec, widths)?),
            FusionKind::Attention => Self::Attention(CrossAttention::new(part, spec, widths)?),
            FusionKind::Bilinear => Self::Bilinear(Bilinear::new(part, spec, widths)?),
        })
    }

    pub(crate) fn forward(&self, branches: &[Tensor], mode: Mode) -> Result<Tensor, ModelError> {
        match self {
            Self::Concat(fusion) => fusion.forward(branches, mode),
            Self::Gated(fusion) => fusion.forward(branches, mode),
            Self::Attention(fusion) => fusion.forward(branches, mode),
            Self::Bilinear(fusion) => fusion.forward(branches, mode),
        }
    }
}

/// A linear layer for each branch, so that all have one width.
#[derive(Debug)]
struct Projections(Vec<Linear>);

impl Projections {
    fn new(mut part: Part<'_>, widths: &[usize], output_size: usize) -> Result<Self, ModelError> {
        let project =
            |(index, &width): (usize, &usize)| Linear::new(part.part(&index.to_string()), width, output_size);
        Ok(Self(widths.iter().enumerate().map(project).collect::<Result<_, _>>()?))
    }

    /// `[batch, branch, feature]`.
    fn forward(&self, branches: &[Tensor]) -> Result<Tensor, ModelError> {
        let projected = self.0.iter().zip(branches).map(|(linear, branch)| linear.forward(branch));
        Ok(Tensor::f_stack(&projected.collect::<Result<Vec<_>, _>>()?, 1)?)
    }
}
