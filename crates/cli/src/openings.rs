//! How often the test span of some bars was looked at: one line for each time, beside the experiments.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};

const FILE: &str = "test-openings.jsonl";

/// What was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Opened {
    /// The test span of `data.split`.
    #[default]
    Test,
    /// The test blocks of a walk-forward's folds.
    OutOfFold,
}

#[derive(Serialize, Deserialize)]
struct Opening {
    at: String,
    data: String,
    run: String,
    /// Not written for the test span, as it was before there were others.
    #[serde(default, skip_serializing_if = "is_test")]
    span: Opened,
}

/// Serde hands out references.
fn is_test(span: &Opened) -> bool {
    *span == Opened::Test
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
        self.count_of(Opened::Test, fingerprint)
    }

    /// How often `span` of the bars with this fingerprint was opened.
    pub(crate) fn count_of(&self, span: Opened, fingerprint: &str) -> anyhow::Result<u64> {
        let of_span = |opening: &Opening| opening.span == span && opening.data == fingerprint;
        Ok(self.all()?.iter().filter(|opening| of_span(opening)).count() as u64)
    }

    /// Whether `run` has opened `span` of these bars before.
    pub(crate) fn is_opened_by(&self, run: &str, span: Opened, fingerprint: &str) -> anyhow::Result<bool> {
        let by_run =
            |opening: &Opening| opening.run == run && opening.span == span && opening.data == fingerprint;
        Ok(self.all()?.iter().any(by_run))
    }

    fn all(&self) -> anyhow::Result<Vec<Opening>> {
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", self.path.display())),
        };
        // A line that was torn by a full disk stands for a look that was then refused.
        Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }

    /// Writes down one more look at `span` before it happens; returns how often it was opened, this time included.
    pub(crate) fn open_span(
        &self,
        span: Opened,
        fingerprint: &str,
        run: &str,
        at: String,
    ) -> anyhow::Result<u64> {
        let opening = Opening { at, data: fingerprint.into(), run: run.into(), span };
        let torn = fs::read(&self.path).is_ok_and(|bytes| bytes.last().is_some_and(|last| *last != b'\n'));
        let line = if torn { "\n" } else { "" }.to_owned() + &serde_json::to_string(&opening)? + "\n";
        let context = || format!("cannot write {}; the test span stays closed", self.path.display());
        let mut file = File::options().append(true).create(true).open(&self.path).with_context(context)?;
        file.write_all(line.as_bytes()).and_then(|()| file.sync_all()).with_context(context)?;
        self.count_of(span, fingerprint)
    }
}
