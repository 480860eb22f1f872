//! Branches that look at each other.

use tch::{Kind, Tensor};

use super::{Concat, Projections};
use crate::ModelError;
use crate::block::linear::Linear;
use crate::block::norm::LayerNorm;
use crate::init::{Part, Start};
use crate::network::Mode;
use crate::spec::{FUSION_ATTENTION_HEADS, FusionSpec};

/// Query, key and value.
const PROJECTIONS: usize = 3;

/// Multi-head attention among the branches (Vaswani et al., 2017, arXiv:1706.03762), then [`Concat`]:
///
/// ```text
/// tᵢ = Wᵢ bᵢ + cᵢ        uᵢ = layer norm(tᵢ + attention(query tᵢ; keys and values t₁ … tₙ))        f = concat(u₁ … uₙ)
/// ```
///
/// What one branch takes from another depends on what both found in the sample, which no weight of a concatenation does.
///
/// The tokens are the branches' pooled vectors, not their bars. Each branch has chosen among its bars already, with a pool of
/// its own; attention from bars to bars would have to project every bar of every branch, hundreds for a sample, where this
/// projects one vector for each branch and costs next to nothing beside the branches. The `cᵢ` tell the branches
/// apart. One branch attends to itself alone: a linear layer, a residual and a norm before the concatenation's layer.
#[derive(Debug)]
pub(crate) struct CrossAttention {
    projections: Projections,
    /// Query, key and value projections on top of each other, `[3 · feature, feature]`.
    to_heads: Tensor,
    to_heads_bias: Tensor,
    from_heads: Linear,
    norm: LayerNorm,
    join: Concat,
    width: i64,
}

impl CrossAttention {
    pub(super) fn new(mut part: Part<'_>, spec: &FusionSpec, widths: &[usize]) -> Result<Self, ModelError> {
        let width = spec.output_size;
        let projections = Projections::new(part.part("project"), widths, width)?;
        let mut attention = part.part("mha");
        let rows = PROJECTIONS * width;
        let to_heads = attention.weight("in_proj_weight", &[rows, width], Start::xavier(width, rows))?;
        let to_heads_bias = attention.weight("in_proj_bias", &[rows], Start::Zeros)?;
        let from_heads = Linear::new_unbiased_start(attention.part("out_proj"), width, width)?;
        let norm = LayerNorm::new(part.part("norm"), width)?;
        let join = Concat::new(part.part("join"), spec, width * widths.len())?;
        Ok(Self { projections, to_heads, to_heads_bias, from_heads, norm, join, width: width as i64 })
    }

    pub(super) fn forward(&self, branches: &[Tensor], mode: Mode) -> Result<Tensor, ModelError> {
        let tokens = self.projections.forward(branches)?;
        let looked = tokens.f_add(&self.attend(&tokens)?)?;
        self.join.activate(&self.norm.forward(&looked)?.f_flatten(1, -1)?, mode)
    }

    /// `[batch, branch, feature]` to the same.
    fn attend(&self, tokens: &Tensor) -> Result<Tensor, ModelError> {
        let (batch, branches) = (tokens.size()[0], tokens.size()[1]);
        let heads = FUSION_ATTENTION_HEADS as i64;
        let head_width = self.width / heads;
        let split = [batch, branches, PROJECTIONS as i64, heads, head_width];
        let projected = tokens.f_linear(&self.to_heads, Some(&self.to_heads_bias))?.f_view(split)?;
        // `[projection, batch, head, branch, feature of the head]`
        let projected = projected.f_permute([2, 0, 3, 1, 4])?.f_unbind(0)?;
        let [query, key, value] = &projected[..] else { unreachable!("three projections") };

        let query = query.f_mul_scalar((head_width as f64).sqrt().recip())?;
        let shares = query.f_matmul(&key.f_transpose(2, 3)?)?.f_softmax(-1, Kind::Float)?;
        let seen = shares.f_matmul(value)?.f_transpose(1, 2)?;
        self.from_heads.forward(&seen.f_reshape([batch, branches, self.width])?)
    }
}
