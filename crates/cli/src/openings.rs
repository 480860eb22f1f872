//! How often the test span of some bars was looked at: one line for each time, beside the experiments.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};

const FILE: &str = "test-openings.jsonl";

#[derive(Serialize, Deserialize)]
struct Opening {
    at: String,
    data: String,
    run: String,
}

/// The list of openings of an output folder.
pub(crate) struct Openings {
    path: PathBuf,
}

impl Openings {
    /// The list beside the experiments under `output`.
    pub(crate) fn of(output: &Path) -> Self {
        Self { path: output.join(FILE) }
    }

    /// How often the test span of the bars with this fingerprint was opened.
    pub(crate) fn count(&self, fingerprint: &str) -> anyhow::Result<u64> {
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", self.path.display())),
        };
        // A line that was torn by a full disk stands for a look that was then refused.
        let openings = text.lines().filter_map(|line| serde_json::from_str::<Opening>(line).ok());
        Ok(openings.filter(|opening| opening.data == fingerprint).count() as u64)
    }

    /// Writes down one more before it happens; returns how often it was opened, this time included.
    pub(crate) fn open(&self, fingerprint: &str, run: &str, at: String) -> anyhow::Result<u64> {
        let opening = Opening { at, data: fingerprint.into(), run: run.into() };
        let torn = fs::read(&self.path).is_ok_and(|bytes| bytes.last().is_some_and(|last| *last != b'\n'));
        let line = if torn { "\n" } else { "" }.to_owned() + &serde_json::to_string(&opening)? + "\n";
        let context = || format!("cannot write {}; the test span stays closed", self.path.display());
        let mut file = File::options().append(true).create(true).open(&self.path).with_context(context)?;
        file.write_all(line.as_bytes()).and_then(|()| file.sync_all()).with_context(context)?;
        self.count(fingerprint)
    }
}
