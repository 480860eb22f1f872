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

/// Drops single weights in training, the same ones for all samples of a batch and all bars of a window: a recurrent net with
/// weights dropped on the way from state to state (Merity, Keskar and Socher 2018) forgets nothing halfway through a window.
#[derive(Debug)]
pub(crate) struct WeightDropout(Dropout);

impl WeightDropout {
    pub(crate) fn new(part: &Part<'_>, probability: f64) -> Self {
        Self(Dropout::new(part, probability))
    }

    /// `weight` with some of it dropped; `None` where nothing is.
    pub(crate) fn forward(&self, weight: &Tensor, mode: Mode) -> Result<Option<Tensor>, ModelError> {
        let Some((probability, key)) = self.0.keyed(mode) else { return Ok(None) };
        // The parts of a batch have the mask of the batch: a weight is no sample's.
        let key = DropoutKey { first: 0, ..key };
        Ok(Some(keyed_dropout(weight, probability, key)?))
    }
}
