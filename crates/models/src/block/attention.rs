//! Attention with one learned query, as a way to pool over time.

use tch::{Kind, Tensor};

use super::linear::Linear;
use crate::ModelError;
use crate::init::{Part, Start};

/// Deviation of the query's start.
const QUERY_DEVIATION: f64 = 0.02;

/// Multi-head attention of one learned query over all bars: `[batch, time, channel]` to `[batch, channel]`.
///
/// With a single query the usual order of projections can be turned round, exactly. For head `h`, query `q_h` and bar `x_t`:
/// - the score `q_h · (K_h x_t + k_h) / √d` is `x_t · (K_hᵀ q_h) / √d` plus a number that is the same at every bar, which the
///   softmax takes away: one vector per head is projected, not every bar, and the key's bias has no effect (its gradient is 0);
/// - the weights sum to one, so `Σ w_t (V_h x_t + v_h)` is `V_h (Σ w_t x_t) + v_h`: again one projection instead of one per bar.
#[derive(Debug)]
pub(crate) struct AttentionPool {
    query: Tensor,
    /// Query, key and value projections on top of each other, `[3 · channel, channel]`.
    projection: Tensor,
    projection_bias: Tensor,
    output: Linear,
    heads: i64,
    channels: i64,
}

impl AttentionPool {
    pub(crate) fn new(mut part: Part<'_>, channels: usize, heads: usize) -> Result<Self, ModelError> {
        let query = part.weight("q", &[1, 1, channels], Start::Normal { deviation: QUERY_DEVIATION })?;
        let mut attention = part.part("mha");
        let start = Start::xavier(channels, 3 * channels);
        let projection = attention.weight("in_proj_weight", &[3 * channels, channels], start)?;
        let projection_bias = attention.weight("in_proj_bias", &[3 * channels], Start::Zeros)?;
        let output = Linear::new_unbiased_start(attention.part("out_proj"), channels, channels)?;
        Ok(Self {
            query,
            projection,
            projection_bias,
            output,
            heads: heads as i64,
            channels: channels as i64,
        })
    }

    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor, ModelError> {
        let (channels, heads) = (self.channels, self.heads);
        let width = channels / heads;
        let projections = self.projection.f_split(channels, 0)?;
        let biases = self.projection_bias.f_split(channels, 0)?;
        let [to_query, to_key, to_value] = &projections[..] else { unreachable!("three projections") };

        let query = self.query.f_view([1, channels])?.f_linear(to_query, Some(&biases[0]))?;
        let query = query.f_mul_scalar((width as f64).sqrt().recip())?.f_view([heads, 1, width])?;
        let folded = query.f_bmm(&to_key.f_view([heads, width, channels])?)?.f_squeeze_dim(1)?;

        let scores = x.f_linear(&folded, None::<&Tensor>)?;
        let weights = scores.f_softmax(1, Kind::Float)?;
        let pooled = weights.f_transpose(1, 2)?.f_bmm(x)?;

        let to_value = to_value.f_view([heads, width, channels])?.f_transpose(1, 2)?;
        let bias = biases[2].f_view([heads, 1, width])?;
        let values = bias.f_baddbmm(&pooled.f_transpose(0, 1)?, &to_value, 1.0, 1.0)?;
        self.output.forward(&values.f_transpose(0, 1)?.f_reshape([-1, channels])?)
    }
}
