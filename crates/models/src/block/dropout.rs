//! Dropout keyed by its place in the network.

use tapeline_torch_ext::{DropoutKey, keyed_dropout};
use tch::Tensor;

use crate::ModelError;
use crate::init::Part;
use crate::network::Mode;

/// Drops activations in training, does nothing otherwise.
#[derive(Debug)]
pub(crate) struct Dropout {
    probability: f64,
    layer: u64,
}

impl Dropout {
    pub(crate) fn new(part: &Part<'_>, probability: f64) -> Self {
        Self { probability, layer: part.id() }
    }

    pub(crate) fn forward(&self, x: Tensor, mode: Mode) -> Result<Tensor, ModelError> {
        match mode {
            Mode::Train { seed, cursor, rank } if self.probability > 0.0 => {
                let key = DropoutKey { seed, layer: self.layer, cursor, rank };
                Ok(keyed_dropout(&x, self.probability, key)?)
            }
            Mode::Train { .. } | Mode::Evaluate => Ok(x),
        }
    }
}
