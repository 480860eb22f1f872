//! A network as a value.

use tch::{Device, Tensor};

use crate::ModelError;
use crate::branched::Branched;
use crate::init::Nursery;
use crate::parameters::Parameters;
use crate::spec::NetworkSpec;

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
        /// The place in its batch of the first sample that is passed: parts of a batch get their parts of its masks.
        first: u64,
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
    /// What each branch makes of its timeframe before they are fused, `[batch, width]`; the base timeframe's are first and, in
    /// a hybrid, also last.
    pub branches: Vec<Tensor>,
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

    /// A second network over the same weights, for another thread: both can run and differentiate at the same time, each
    /// a part of a batch. What is written into the weights of one, in place, is seen by the other, so nobody may write while
    /// a pass or its gradients are under way. Gradients belong to the network that was run.
    ///
    /// # Errors
    /// When libtorch refuses.
    fn replicate(&self) -> Result<Box<dyn Network>, ModelError> {
        assemble(self.spec(), Nursery::over(self.parameters())?)
    }
}

/// Builds the network that `spec` describes on `device`. Its weights are a function of the spec and `seed` alone.
///
/// # Errors
/// When the spec has faults (all are reported), or the device cannot hold the weights.
pub fn build(spec: &NetworkSpec, seed: u64, device: Device) -> Result<Box<dyn Network>, ModelError> {
    spec.check().map_err(ModelError::Spec)?;
    assemble(spec, Nursery::new(seed, device))
}

/// The network of a checked `spec`, with the weights that `nursery` gives.
fn assemble(spec: &NetworkSpec, nursery: Nursery) -> Result<Box<dyn Network>, ModelError> {
    Ok(Box::new(Branched::new(spec, nursery)?))
}
