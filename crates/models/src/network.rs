//! A network as a value.

use tch::{Device, Tensor};

use crate::hybrid::Hybrid;
use crate::parameters::Parameters;
use crate::spec::{ModelSpec, NetworkSpec};
use crate::{InputShape, ModelError};

/// Is this pass for learning or for an answer?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Dropout is on; each layer's mask is a function of these numbers and the layer, of nothing else.
    Train {
        /// The run's seed.
        seed: u64,
        /// Which batch of the run, counted from its start.
        cursor: u64,
        /// Which of the processes that share the work.
        rank: u64,
    },
    /// Dropout is off: the same input gives the same output, whatever else is in the batch.
    Evaluate,
}

/// What a pass returns.
#[derive(Debug)]
pub struct Outputs {
    /// The fused features, `[batch, feature]`.
    pub features: Tensor,
    /// One tensor `[batch, output]` per head, in the spec's order.
    pub heads: Vec<Tensor>,
}

/// A feature extractor with its heads.
pub trait Network: Send {
    /// What it was built from.
    fn spec(&self) -> &NetworkSpec;

    /// Its weights.
    fn parameters(&self) -> &Parameters;

    /// Runs `inputs`, one `f32` tensor `[batch, time, feature]` per timeframe in the spec's order. In [`Mode::Train`] a
    /// window may hold fewer bars than the spec says, its newest ones.
    ///
    /// # Errors
    /// When the number of inputs, a shape or a kind differs from the spec, or libtorch refuses.
    fn forward(&self, inputs: &[Tensor], mode: Mode) -> Result<Outputs, ModelError>;
}

/// Builds the network that `spec` describes on `device`. Its weights are a function of the spec and `seed` alone.
///
/// # Errors
/// When the spec has faults (all are reported), or the device cannot hold the weights.
pub fn build(spec: &NetworkSpec, seed: u64, device: Device) -> Result<Box<dyn Network>, ModelError> {
    spec.check().map_err(ModelError::Spec)?;
    match &spec.model {
        ModelSpec::Hybrid(hybrid) => Ok(Box::new(Hybrid::new(spec, hybrid, seed, device)?)),
    }
}

impl NetworkSpec {
    /// The shape of the timeframe on which decisions are made. The spec must have been checked.
    pub(crate) fn base(&self) -> InputShape {
        self.inputs[0]
    }
}
