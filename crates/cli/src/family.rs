//! Runs that are parts of one: the folds of a walk-forward, several seeds, a run beside others on data with nothing to find.
//! They lie in folders of their own in that run's folder, which says in `family.json` what they are.

use std::fs;
use std::io::ErrorKind;

use anyhow::Context;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use tapeline_artefact::replace_file;

use crate::failure::Failure;
use crate::run_folder::RunFolder;

/// What the parts of a run are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Family {
    /// `fold-01`, `fold-02`, …, as the configuration's `walk_forward` has them.
    WalkForward,
    /// `seed-42`, `seed-43`, …: the configuration's seed and those after it.
    Seeds {
        /// How many.
        seeds: u64,
    },
    /// `real`, and `null-01`, `null-02`, …: a walk-forward each.
    WalkForwardNull {
        /// What there is nothing to find in.
        null: NullKind,
        /// How many of them.
        runs: u64,
    },
    /// `real`, and `null-01`, `null-02`, …
    Null {
        /// What there is nothing to find in.
        null: NullKind,
        /// How many of them.
        runs: u64,
    },
}

impl Family {
    /// In words.
    pub(crate) fn name(self) -> String {
        match self {
            Self::WalkForward => "walk-forward".into(),
            Self::Seeds { seeds } => format!("{seeds} seeds"),
            Self::Null { null, runs } => format!("beside {runs} runs on {}", null.name()),
            Self::WalkForwardNull { null, runs } => {
                format!("walk-forward beside {runs} on {}", null.name())
            }
        }
    }

    /// In a word, for trackers.
    pub(crate) const fn kind(self) -> &'static str {
        match self {
            Self::WalkForward => "walk",
            Self::Seeds { .. } => "seeds",
            Self::Null { .. } | Self::WalkForwardNull { .. } => "null",
        }
    }
}

/// Data with nothing to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NullKind {
    /// Bars that are each turned upside down or not, by a coin: no return can be forecast; volatility stays as it was.
    RandomWalk,
    /// Labels dealt out anew in blocks of time within each symbol and span: nothing can be forecast.
    ShuffleLabels,
}

impl NullKind {
    /// In words.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::RandomWalk => "random walk",
            Self::ShuffleLabels => "shuffled labels",
        }
    }
}

/// What the parts of the run in `folder` are; `None` for a run without parts.
pub(crate) fn read(folder: &RunFolder) -> Result<Option<Family>, Failure> {
    let path = folder.family();
    match fs::read(&path) {
        Ok(bytes) => {
            let family = serde_json::from_slice(&bytes);
            Ok(Some(family.with_context(|| format!("{} cannot be understood", path.display()))?))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => {
            Err(Failure::failed(anyhow::Error::new(error).context(format!("cannot read {}", path.display()))))
        }
    }
}

/// Writes down what the parts of the run in `folder` are.
pub(crate) fn write(folder: &RunFolder, family: Family) -> Result<(), Failure> {
    let json = serde_json::to_vec_pretty(&family).map_err(Failure::failed)?;
    replace_file(&folder.family(), &json).map_err(Failure::failed)
}
