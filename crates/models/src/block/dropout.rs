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
        match self.keyed(mode) {
            Some((probability, key)) => Ok(keyed_dropout(&x, probability, key)?),
            None => Ok(x),
        }
    }

    /// The probability and the key of the mask; `None` where nothing is dropped.
    pub(crate) fn keyed(&self, mode: Mode) -> Option<(f64, DropoutKey)> {
        match mode {
            Mode::Train { seed, cursor, rank, first } if self.probability > 0.0 => {
                Some((self.probability, DropoutKey { seed, layer: self.layer, cursor, rank, first }))
            }
            Mode::Train { .. } | Mode::Evaluate => None,
        }
    }
}
