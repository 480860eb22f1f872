//! What a run's folder says of its artefact.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, anyhow};
use serde::de::DeserializeOwned;
use tapeline_artefact::Evidence;

use crate::failure::Failure;
use crate::run_folder::RunFolder;

/// Reads it all; what a run need not have may be missing, and nothing may be damaged.
pub(super) fn of(run: &RunFolder) -> Result<Evidence, Failure> {
    let asked = crate::command::config_of(run)?.targets.0;
    if !asked.is_empty() && !run.targets().exists() {
        return Err(Failure::bad_input(anyhow!(
            "the run names targets, but there is no {}; `tapeline evaluate --run {} --split validation` checks them",
            run.targets().display(),
            run.path().display()
        )));
    }
    read(run).map_err(Failure::bad_input)
}

fn read(run: &RunFolder) -> anyhow::Result<Evidence> {
    let experiment = run.path().parent().and_then(Path::file_name).unwrap_or_default();
    let cards = run.scorecards()?;
    Ok(Evidence {
        run: format!("{}/{}", experiment.to_string_lossy(), run.id()),
        lineage: json(&run.lineage())?.with_context(|| format!("there is no {}", run.lineage().display()))?,
        scores: cards.into_iter().flat_map(|card| card.metrics).collect(),
        targets: json(&run.targets())?.unwrap_or_default(),
        leak_certificate: json(&run.leak_certificate())?,
    })
}

/// A file of JSON, if it is there.
fn json<T: DeserializeOwned>(path: &Path) -> anyhow::Result<Option<T>> {
    match fs::read(path) {
        Ok(bytes) => {
            let value = serde_json::from_slice(&bytes);
            value.map(Some).with_context(|| format!("{} cannot be understood", path.display()))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}
