//! What a sink is told of a run before its first record, read from the run's folder: the same today and at a replay.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

/// What a run is.
#[derive(Clone, Debug, PartialEq)]
pub struct RunFacts {
    /// The run's folder.
    pub folder: PathBuf,
    /// Its name, unique within its experiment.
    pub run_id: String,
    /// The experiment.
    pub experiment: String,
    /// When it was created, RFC 3339.
    pub created: String,
    /// The user and the machine, so that the runs of two folders are not taken for one.
    pub user: String,
    /// The machine's name.
    pub host: String,
    /// The configuration with every default spelled out.
    pub config: Value,
    /// What else is worth finding a run by: versions, commit, device, seed.
    pub tags: BTreeMap<String, String>,
    /// What it was trained on.
    pub dataset: Option<DatasetFacts>,
    /// The study, walk or sweep that it is a part of.
    pub parent: Option<Parent>,
}

/// What a run was trained on.
#[derive(Clone, Debug, PartialEq)]
pub struct DatasetFacts {
    /// A short name, such as the folder of the bars.
    pub name: String,
    /// The fingerprint of the bars, hexadecimal.
    pub digest: String,
    /// Where they come from, as JSON.
    pub source: Value,
    /// Rows, samples per split, symbols: whatever is known, as JSON.
    pub profile: Value,
}

/// What a run is a part of. Runs with equal parents stand together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parent {
    /// Its name, unique within the experiment, such as that of a study.
    pub id: String,
    /// What it is: `study`, `walk`.
    pub kind: String,
}

impl RunFacts {
    /// A name for this run among all runs of all folders and machines: the same at every resume and replay.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}/{}@{}/{}", self.experiment, self.run_id, self.host, self.created)
    }
}
