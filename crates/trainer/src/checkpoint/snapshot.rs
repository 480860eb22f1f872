//! What a checkpoint will hold, as it was between two steps: copies, so that the training can go on while they are written.

use tapeline_artefact::tensors_to_bytes;
use tapeline_models::{Network, Parameters, weights_to_bytes};
use tch::{Device, Tensor};

use super::{MODEL, OPTIMIZER, STATE};
use crate::error::TrainError;
use crate::state::State;

/// Copies of all that a resume needs, on the host.
pub(crate) struct Snapshot {
    state: State,
    weights: Parameters,
    optimizer: Vec<(String, Tensor)>,
}

impl Snapshot {
    /// Copies `state`, the weights of `network`, and `named`: the optimiser's tensors and what is learned beside the network.
    pub(crate) fn take(
        state: &State,
        network: &dyn Network,
        named: Vec<(String, Tensor)>,
    ) -> Result<Self, TrainError> {
        let copies = named.into_iter().map(|(name, tensor)| Ok((name, copied(&tensor)?)));
        Ok(Self {
            state: state.clone(),
            weights: network.parameters().copied()?,
            optimizer: copies.collect::<Result<_, TrainError>>()?,
        })
    }

    /// Optimiser steps done.
    pub(crate) const fn step(&self) -> usize {
        self.state.step
    }

    /// The epoch of the last step, counted from 1.
    pub(crate) fn epoch(&self) -> u64 {
        self.state.last_epoch()
    }

    /// True between two epochs: it has a validation score and may be the best.
    pub(crate) const fn is_at_epoch_end(&self) -> bool {
        self.state.cursor == 0
    }

    /// The checkpoint's files.
    pub(super) fn files(&self) -> Result<[(&'static str, Vec<u8>); 3], TrainError> {
        let state = serde_json::to_vec_pretty(&self.state)
            .map_err(|source| TrainError::State { path: STATE.into(), source })?;
        let weights = weights_to_bytes(&self.weights)?;
        Ok([(MODEL, weights), (OPTIMIZER, tensors_to_bytes(&self.optimizer)?), (STATE, state)])
    }
}

fn copied(tensor: &Tensor) -> Result<Tensor, tch::TchError> {
    tensor.f_detach()?.f_to_device_(Device::Cpu, tensor.kind(), false, true)
}

#[cfg(test)]
mod tests;
