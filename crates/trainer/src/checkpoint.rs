//! Checkpoints: immutable, hashed folders `step-00001234`, and the one-line pointer files `last` and `best`.
//!
//! A folder is written beside its place and renamed, then the pointers move, then superfluous folders go: whatever is
//! killed in between, `last` names a whole checkpoint. A damaged one is skipped, by name, for the one before it.

mod snapshot;
mod store;
mod writer;

use std::fs;
use std::path::{Path, PathBuf};

use tapeline_artefact::{FolderError, read_folder, tensors_from_bytes};
use tapeline_models::{Network, weights_from_bytes};
use tch::Tensor;

use crate::average;
use crate::error::{TrainError, chain};
use crate::metric::Metric;
use crate::optimizer;
use crate::retain::{Kept, best_first};
use crate::state::{OLDEST_STATE_VERSION, STATE_VERSION, State};

pub(crate) use snapshot::Snapshot;
pub(crate) use store::Saved;
pub(crate) use writer::{Report, Writer};

const MODEL: &str = "model.safetensors";
const OPTIMIZER: &str = "optimizer.safetensors";
const STATE: &str = "state.json";
const PREFIX: &str = "step-";

/// The folder of a run's checkpoints.
#[derive(Clone, Debug)]
pub struct Checkpoints {
    folder: PathBuf,
    /// What a checkpoint presupposes.
    presupposed: Option<PathBuf>,
}

/// A checkpoint that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DamagedCheckpoint {
    /// Its folder's name.
    pub name: String,
    /// What is wrong with it.
    pub reason: String,
}

impl std::fmt::Display for DamagedCheckpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.name, self.reason)
    }
}

/// A checkpoint that was read whole.
pub struct Checkpoint {
    /// Its folder's name.
    pub name: String,
    /// Where the run was.
    pub state: State,
    /// Checkpoints that were tried before it and could not be used.
    pub damaged: Vec<DamagedCheckpoint>,
    model: Vec<u8>,
    optimizer: Vec<u8>,
}

impl Checkpoint {
    /// Puts the weights that are of use into `network`: their average where the run has one, else those of the last step.
    ///
    /// # Errors
    /// [`TrainError::Model`] if they are another network's.
    pub fn restore_weights(&self, network: &dyn Network) -> Result<(), TrainError> {
        self.restore_learned_weights(network)?;
        average::put_saved(&tensors_from_bytes(&self.optimizer)?, network)
    }

    /// Puts the weights into `network` that the next step moves.
    pub(crate) fn restore_learned_weights(&self, network: &dyn Network) -> Result<(), TrainError> {
        Ok(weights_from_bytes(network.parameters(), &self.model)?)
    }

    /// Puts the state of the optimiser, of what is learned beside the network, of the loss scale and of the average into the tensors of `named`.
    pub(crate) fn restore_optimizer(&self, named: Vec<(String, Tensor)>) -> Result<(), TrainError> {
        optimizer::restore(named, &tensors_from_bytes(&self.optimizer)?)
    }
}

impl Checkpoints {
    /// The checkpoints under `folder`, which need not exist yet.
    #[must_use]
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), presupposed: None }
    }

    /// Before a checkpoint appears, what was written to `file` is put on the disk, beside the training. A run that went on from a
    /// checkpoint would never tell again what a power cut took from its journal.
    #[must_use]
    pub fn after(self, file: impl Into<PathBuf>) -> Self {
        Self { presupposed: Some(file.into()), ..self }
    }

    /// Where they are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The checkpoints up to `last`, with the value of `metric` where one was made at an epoch's end. A later one is damaged,
    /// or this run would have gone on from there; it must not push out one that is whole.
    fn kept_until(&self, last: usize, metric: &str) -> Vec<Kept> {
        let value = |step: usize| -> Option<f64> {
            let state = fs::read(self.folder.join(folder_name(step)).join(STATE)).ok()?;
            let state: State = serde_json::from_slice(&state).ok()?;
            let at_epoch_end = state.cursor == 0;
            state.history.last().filter(|_| at_epoch_end)?.metrics.get(metric).copied().flatten()
        };
        let steps = self.steps().into_iter().filter(|step| *step <= last);
        steps.map(|step| Kept { step, metric: value(step) }).collect()
    }

    /// The steps of all folders, oldest first.
    fn steps(&self) -> Vec<usize> {
        let Ok(entries) = fs::read_dir(&self.folder) else { return Vec::new() };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut steps: Vec<usize> =
            names.filter_map(|name| name.strip_prefix(PREFIX)?.parse().ok()).collect();
        steps.sort_unstable();
        steps
    }

    /// The newest checkpoint that is whole.
    ///
    /// # Errors
    /// [`TrainError::NoCheckpoint`] if none is, with what is wrong with each.
    pub fn newest(&self) -> Result<Checkpoint, TrainError> {
        self.first_whole(self.steps().into_iter().rev().map(folder_name))
    }

    /// The checkpoint with the best `metric`; where that one is damaged the next best, and where none has the metric the
    /// newest.
    ///
    /// # Errors
    /// [`TrainError::NoCheckpoint`] if none is whole.
    pub fn best(&self, metric: &Metric) -> Result<Checkpoint, TrainError> {
        let mut steps = best_first(&self.kept_until(usize::MAX, &metric.name), metric.direction);
        let others = self.steps().into_iter().rev().filter(|step| !steps.contains(step)).collect::<Vec<_>>();
        steps.extend(others);
        self.first_whole(steps.into_iter().map(folder_name))
    }

    fn first_whole(&self, names: impl Iterator<Item = String>) -> Result<Checkpoint, TrainError> {
        let mut damaged = Vec::new();
        for name in names {
            match self.read(&name) {
                Ok(checkpoint) => return Ok(Checkpoint { damaged, ..checkpoint }),
                Err(error @ TrainError::StateVersion { .. }) => return Err(error),
                Err(error) => damaged.push(DamagedCheckpoint { name, reason: chain(&error) }),
            }
        }
        Err(TrainError::NoCheckpoint { folder: self.folder.clone(), damaged })
    }

    fn read(&self, name: &str) -> Result<Checkpoint, TrainError> {
        let folder = self.folder.join(name);
        let read = |source| TrainError::Checkpoint { operation: "read", source };
        let mut files = read_folder(&folder).map_err(read)?;
        let mut take = |file: &str| {
            files.remove(file).ok_or_else(|| {
                read(FolderError::Incomplete { path: folder.clone(), reason: format!("it has no {file}") })
            })
        };
        let (model, optimizer, json) = (take(MODEL)?, take(OPTIMIZER)?, take(STATE)?);
        let path = folder.join(STATE);
        let version = serde_json::from_slice::<Version>(&json)
            .map_err(|source| TrainError::State { path: path.clone(), source })?
            .version;
        if !(OLDEST_STATE_VERSION..=STATE_VERSION).contains(&version) {
            return Err(TrainError::StateVersion { path, found: version, expected: STATE_VERSION });
        }
        let state = serde_json::from_slice(&json).map_err(|source| TrainError::State { path, source })?;
        // What an older release did not know has its default; from here on it is a state of this one.
        let state = State { version: STATE_VERSION, ..state };
        Ok(Checkpoint { name: name.into(), state, damaged: Vec::new(), model, optimizer })
    }
}

#[derive(serde::Deserialize)]
struct Version {
    version: u32,
}

fn folder_name(step: usize) -> String {
    format!("{PREFIX}{step:08}")
}
