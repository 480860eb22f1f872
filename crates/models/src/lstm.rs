//! The recurrent branch.

use tch::Tensor;

use crate::ModelError;
use crate::block::attention::AttentionPool;
use crate::block::norm::LayerNorm;
use crate::block::recurrent::LstmStack;
use crate::init::Part;
use crate::network::Mode;
use crate::spec::LstmSpec;

/// LSTM layers, a layer norm over each bar's state, an attention pool: `[batch, time, feature]` to `[batch, width]`.
#[derive(Debug)]
pub(crate) struct LstmBranch {
    lstm: LstmStack,
    norm: LayerNorm,
    pool: AttentionPool,
    width: usize,
}

impl LstmBranch {
    pub(crate) fn new(mut part: Part<'_>, spec: &LstmSpec, features: usize) -> Result<Self, ModelError> {
        let lstm = LstmStack::new(part.part("lstm"), spec, features)?;
        let norm = LayerNorm::new(part.part("norm"), spec.width())?;
        let pool = AttentionPool::new(part.part("pool"), spec.width(), spec.attention_heads)?;
        Ok(Self { lstm, norm, pool, width: spec.width() })
    }

    pub(crate) const fn width(&self) -> usize {
        self.width
    }

    pub(crate) fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor, ModelError> {
        let states = self.lstm.forward(x, mode)?;
        self.pool.forward(&self.norm.forward(&states)?)
    }
}
