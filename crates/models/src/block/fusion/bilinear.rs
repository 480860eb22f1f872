//! Products of branches.

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

/// Low-rank bilinear pooling (Kim et al., 2017, arXiv:1610.04325) of every pair of branches, with the branches themselves
/// beside the products, layer norm and dropout:
///
/// ```text
/// pᵢ = tanh(Wᵢ bᵢ + cᵢ)        f = P (Σᵢ pᵢ + Σ_{i<j} pᵢ ∘ pⱼ) + c
/// ```
///
/// The rank is `output_size`. Pairs, since a product of all of several numbers below one vanishes; one projection for each
/// branch, not for each pair, as in a factorization machine (Rendle, 2010), where the sum over pairs is ½((Σ pᵢ)² − Σ pᵢ²).
/// The first sum is the paper's shortcut: products alone start near zero and learn slowly. One branch has no pair: `f = P p₁ + c`.
#[derive(Debug)]
pub(crate) struct Bilinear {
    projections: Projections,
    mix: Linear,
    norm: LayerNorm,
    dropout: Dropout,
}

impl Bilinear {
    pub(super) fn new(mut part: Part<'_>, spec: &FusionSpec, widths: &[usize]) -> Result<Self, ModelError> {
        let projections = Projections::new(part.part("project"), widths, spec.output_size)?;
        let mix = Linear::new(part.part("mix"), spec.output_size, spec.output_size)?;
        let norm = LayerNorm::new(part.part("norm"), spec.output_size)?;
        let dropout = Dropout::new(&part.part("drop"), spec.dropout);
        Ok(Self { projections, mix, norm, dropout })
    }

    pub(super) fn forward(&self, branches: &[Tensor], mode: Mode) -> Result<Tensor, ModelError> {
        let factors = self.projections.forward(branches)?.f_tanh()?;
        let sum = |factors: &Tensor| factors.f_sum_dim_intlist(BRANCHES, false, Kind::Float);
        let single = sum(&factors)?;
        let pairs = single.f_square()?.f_sub(&sum(&factors.f_square()?)?)?.f_mul_scalar(0.5)?;
        let mixed = self.mix.forward(&single.f_add(&pairs)?)?;
        self.dropout.forward(self.norm.forward(&mixed)?, mode)
    }
}
