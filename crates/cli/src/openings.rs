//! How often a test span was looked at: one line for each time, beside the experiments.

#[cfg(test)]
mod tests;

use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};
use tapeline_data_pipeline::{Dataset, Fingerprint, SourceSpec, Split, Symbol};

use crate::list_file::ListFile;
use crate::seen::Seen;

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

/// What a look sees: a span of some bars.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Look {
    #[serde(flatten)]
    seen: Seen,
    /// Not written for the test span, as it was before there were others.
    #[serde(default, skip_serializing_if = "is_test")]
    span: Opened,
}

#[derive(Serialize, Deserialize)]
struct Opening {
    at: String,
    run: String,
    #[serde(flatten)]
    look: Look,
}

/// Serde hands out references.
fn is_test(span: &Opened) -> bool {
    *span == Opened::Test
}

impl Look {
    /// A look at `span` of bars, wherever in time that lies.
    pub(crate) fn new(
        span: Opened,
        source: &SourceSpec,
        fingerprint: &Fingerprint,
        symbols: &[Symbol],
    ) -> Self {
        Self { seen: Seen::all_of(source, fingerprint, symbols), span }
    }

    /// A look at the test block of `data`: the test span of a split, or the block of a fold.
    pub(crate) fn of(span: Opened, source: &SourceSpec, data: &Dataset) -> Self {
        Self { seen: Seen::of(source, data, Split::Test), span }
    }

    /// Whether who saw the one has seen something of the other.
    fn meets(&self, other: &Self) -> bool {
        self.span == other.span && self.seen.meets(&other.seen)
    }
}

/// The list of openings of an output folder.
pub(crate) struct Openings(ListFile);

impl Openings {
    /// The list beside the experiments under `output`.
    pub(crate) fn of(output: &Path) -> Self {
        Self(ListFile::new(output.join(FILE)))
    }

    /// How often something of what `look` sees was looked at.
    pub(crate) fn count(&self, look: &Look) -> anyhow::Result<u64> {
        Ok(self.all()?.iter().filter(|opening| opening.look.meets(look)).count() as u64)
    }

    /// Whether `run` has looked at something of it before.
    pub(crate) fn is_opened_by(&self, run: &str, look: &Look) -> anyhow::Result<bool> {
        Ok(self.all()?.iter().any(|opening| opening.run == run && opening.look.meets(look)))
    }

    /// All but what was torn, which stands for a look that was then refused.
    fn all(&self) -> anyhow::Result<Vec<Opening>> {
        self.0.read()
    }

    /// Writes down one more look before it happens; returns how often something of it was looked at, this time included.
    pub(crate) fn open(&self, look: &Look, run: &str, at: String) -> anyhow::Result<u64> {
        let context = || format!("cannot write {}; the test span stays closed", self.0.path().display());
        self.0.append(&Opening { at, run: run.into(), look: look.clone() }).with_context(context)?;
        self.count(look)
    }
}
