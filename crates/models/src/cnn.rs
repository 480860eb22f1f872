//! The convolutional branch of one timeframe.

use tch::Tensor;

use crate::ModelError;
use crate::block::attention::AttentionPool;
use crate::block::conv::{ConvBlock, Pointwise};
use crate::init::Part;
use crate::network::Mode;
use crate::spec::CnnSpec;

/// A pointwise stem, one residual block per dilation, an attention pool: `[batch, time, feature]` to `[batch, channel]`.
#[derive(Debug)]
pub(crate) struct CnnBranch {
    stem: Pointwise,
    blocks: Vec<ConvBlock>,
    pool: AttentionPool,
    width: usize,
}

impl CnnBranch {
    pub(crate) fn new(mut part: Part<'_>, spec: &CnnSpec, features: usize) -> Result<Self, ModelError> {
        let stem = Pointwise::new(part.part("stem"), features, spec.channels)?;
        let mut blocks = part.part("blocks");
        let blocks = spec
            .dilations
            .iter()
            .enumerate()
            .map(|(index, &dilation)| ConvBlock::new(blocks.part(&index.to_string()), spec, dilation))
            .collect::<Result<_, _>>()?;
        let pool = AttentionPool::new(part.part("pool"), spec.channels, spec.attention_heads)?;
        Ok(Self { stem, blocks, pool, width: spec.channels })
    }

    pub(crate) const fn width(&self) -> usize {
        self.width
    }

    pub(crate) fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor, ModelError> {
        let mut hidden = self.stem.forward(x)?;
        for block in &self.blocks {
            hidden = block.forward(&hidden, mode)?;
        }
        self.pool.forward(&hidden)
    }
}
