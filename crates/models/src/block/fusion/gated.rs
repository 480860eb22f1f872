//! Each branch in the measure that all of them together give it.

use tch::{Kind, Tensor};

use super::Projections;
use crate::ModelError;
use crate::block::dropout::Dropout;
use crate::block::linear::Linear;
use crate::block::norm::LayerNorm;
use crate::init::Part;
use crate::network::Mode;
use crate::spec::FusionSpec;

/// The axis of branches in `[batch, branch, feature]`.
const BRANCHES: i64 = 1;

/// The gated multimodal unit (Arevalo et al., 2017, arXiv:1702.01992), with layer norm and dropout behind it:
///
/// ```text
/// hᵢ = tanh(Wᵢ bᵢ + cᵢ)        z = softmax over i of (G [b₁ … bₙ] + g), for each feature        f = Σᵢ zᵢ ∘ hᵢ
/// ```
///
/// With two branches the softmax is the paper's z and 1 − z; with more it keeps the sum of the gates at one, so that a gate
/// is a share. One branch has no other to be weighed against: then no gate is made, and `f = h₁`.
#[derive(Debug)]
pub(crate) struct Gated {
    projections: Projections,
    gate: Option<Linear>,
    norm: LayerNorm,
    dropout: Dropout,
}

impl Gated {
    pub(super) fn new(mut part: Part<'_>, spec: &FusionSpec, widths: &[usize]) -> Result<Self, ModelError> {
        let projections = Projections::new(part.part("project"), widths, spec.output_size)?;
        let gate = match widths {
            [_] => None,
            _ => Some(Linear::new(part.part("gate"), widths.iter().sum(), widths.len() * spec.output_size)?),
        };
        let norm = LayerNorm::new(part.part("norm"), spec.output_size)?;
        let dropout = Dropout::new(&part.part("drop"), spec.dropout);
        Ok(Self { projections, gate, norm, dropout })
    }

    pub(super) fn forward(&self, branches: &[Tensor], mode: Mode) -> Result<Tensor, ModelError> {
        let hidden = self.projections.forward(branches)?.f_tanh()?;
        let fused = match &self.gate {
            Some(gate) => {
                let gates = gate.forward(&Tensor::f_cat(branches, 1)?)?.f_view_as(&hidden)?;
                let shares = gates.f_softmax(BRANCHES, Kind::Float)?;
                shares.f_mul(&hidden)?.f_sum_dim_intlist(BRANCHES, false, Kind::Float)?
            }
            None => hidden.f_squeeze_dim(BRANCHES)?,
        };
        self.dropout.forward(self.norm.forward(&fused)?, mode)
    }
}
