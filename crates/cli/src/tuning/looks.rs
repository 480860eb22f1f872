//! How many trials looked at the validation span of some bars: one line for each, beside the experiments. The more looked,
//! the less the best of them means.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};

const FILE: &str = "validation-looks.jsonl";

#[derive(Serialize, Deserialize)]
struct Look {
    at: String,
    data: String,
    study: String,
    trial: u64,
}

/// The list of looks of an output folder.
pub(crate) struct Looks {
    path: PathBuf,
}

impl Looks {
    /// The list beside the experiments under `output`.
    pub(crate) fn of(output: &Path) -> Self {
        Self { path: output.join(FILE) }
    }

    /// How many trials looked at the validation span of the bars with this fingerprint; those of `study` are counted by the
    /// study itself, wherever they ran, and left out here.
    pub(crate) fn of_others(&self, fingerprint: &str, study: &str) -> anyhow::Result<u64> {
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", self.path.display())),
        };
        // A line that was torn by a full disk stands for a look that its study still knows.
        let looks = text.lines().filter_map(|line| serde_json::from_str::<Look>(line).ok());
        Ok(looks.filter(|look| look.data == fingerprint && look.study != study).count() as u64)
    }

    /// Writes down that a trial looks.
    pub(crate) fn note(&self, fingerprint: &str, study: &str, trial: u64, at: String) -> anyhow::Result<()> {
        let look = Look { at, data: fingerprint.into(), study: study.into(), trial };
        let line = serde_json::to_string(&look)? + "\n";
        let context = || format!("cannot write {}", self.path.display());
        // One write to a file that is only appended to: workers side by side do not cut each other's lines.
        let mut file = File::options().append(true).create(true).open(&self.path).with_context(context)?;
        file.write_all(line.as_bytes()).with_context(context)
    }
}
