//! How often a test span was looked at: one line for each time, beside the experiments.

#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use tapeline_data_pipeline::{Dataset, Fingerprint, SourceSpec, Split, Symbol, Timestamp};

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

/// What a look sees: some bars, at some time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Look {
    /// The fingerprint of the bars.
    data: String,
    /// Not written for the test span, as it was before there were others.
    #[serde(default, skip_serializing_if = "is_test")]
    span: Opened,
    /// The markets, where they have names outside these bars; the built-in one has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    symbols: Vec<String>,
    /// The first decision of the span; without it, from the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<Timestamp>,
    /// The last one; without it, to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to: Option<Timestamp>,
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
        let symbols = if source.path.is_some() { symbols } else { &[] };
        Self {
            data: fingerprint.to_string(),
            span,
            symbols: symbols.iter().map(ToString::to_string).collect(),
            from: None,
            to: None,
        }
    }

    /// A look at the test block of `data`: the test span of a split, or the block of a fold.
    pub(crate) fn of(span: Opened, source: &SourceSpec, data: &Dataset) -> Self {
        let (decisions, test) = (data.windows().decisions(), data.samples(Split::Test));
        let decision = |sample: Option<&u32>| sample.map(|&sample| decisions[sample as usize]);
        Self {
            from: decision(test.first()),
            to: decision(test.last()),
            ..Self::new(span, source, data.fingerprint(), data.symbols())
        }
    }

    /// Whether who saw the one has seen something of the other: the same bars, or longer ones of the same markets, at the same
    /// time.
    fn meets(&self, other: &Self) -> bool {
        let same_market = || self.symbols.iter().any(|symbol| other.symbols.contains(symbol));
        let before = |one: &Self, two: &Self| one.to.zip(two.from).is_some_and(|(to, from)| to < from);
        self.span == other.span
            && !before(self, other)
            && !before(other, self)
            && (self.data == other.data || same_market())
    }
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

    /// How often something of what `look` sees was looked at.
    pub(crate) fn count(&self, look: &Look) -> anyhow::Result<u64> {
        Ok(self.all()?.iter().filter(|opening| opening.look.meets(look)).count() as u64)
    }

    /// Whether `run` has looked at something of it before.
    pub(crate) fn is_opened_by(&self, run: &str, look: &Look) -> anyhow::Result<bool> {
        Ok(self.all()?.iter().any(|opening| opening.run == run && opening.look.meets(look)))
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

    /// Writes down one more look before it happens; returns how often something of it was looked at, this time included.
    pub(crate) fn open(&self, look: &Look, run: &str, at: String) -> anyhow::Result<u64> {
        let opening = Opening { at, run: run.into(), look: look.clone() };
        let torn = fs::read(&self.path).is_ok_and(|bytes| bytes.last().is_some_and(|last| *last != b'\n'));
        let line = if torn { "\n" } else { "" }.to_owned() + &serde_json::to_string(&opening)? + "\n";
        let context = || format!("cannot write {}; the test span stays closed", self.path.display());
        let mut file = File::options().append(true).create(true).open(&self.path).with_context(context)?;
        file.write_all(line.as_bytes()).and_then(|()| file.sync_all()).with_context(context)?;
        self.count(look)
    }
}
