//! What was seen of some markets, whatever file their bars lay in.

use serde::{Deserialize, Serialize};
use tapeline_data_pipeline::{Dataset, Fingerprint, Folds, SourceSpec, Split, Symbol, Timestamp};

/// Some bars, between two decisions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seen {
    /// The fingerprint of the bars.
    pub(crate) data: String,
    /// The markets, ascending, where they have names outside these bars; the built-in one has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) symbols: Vec<String>,
    /// The first decision; without it, from the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<Timestamp>,
    /// The last one; without it, to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) to: Option<Timestamp>,
}

impl Seen {
    /// Bars of which no more is known than their fingerprint.
    pub(crate) fn bars(fingerprint: impl Into<String>) -> Self {
        Self { data: fingerprint.into(), symbols: Vec::new(), from: None, to: None }
    }

    /// All of some bars.
    pub(crate) fn all_of(source: &SourceSpec, fingerprint: &Fingerprint, symbols: &[Symbol]) -> Self {
        let symbols = if source.path.is_some() { symbols } else { &[] };
        Self {
            symbols: symbols.iter().map(ToString::to_string).collect(),
            ..Self::bars(fingerprint.to_string())
        }
    }

    /// The bars of `data` between its first decision of `split` and its last.
    pub(crate) fn of(source: &SourceSpec, data: &Dataset, split: Split) -> Self {
        let (decisions, samples) = (data.windows().decisions(), data.samples(split));
        let decision = |sample: Option<&u32>| sample.map(|&sample| decisions[sample as usize]);
        Self {
            from: decision(samples.first()),
            to: decision(samples.last()),
            ..Self::all_of(source, data.fingerprint(), data.symbols())
        }
    }

    /// The validation blocks of `folds`, from the first to the last.
    pub(crate) fn validation_of(source: &SourceSpec, folds: &Folds) -> Self {
        let from = folds.instants().iter().map(|fold| fold.validation_from).min();
        let until = folds.instants().iter().map(|fold| fold.validation_until.unwrap_or(fold.test_from)).max();
        Self { from, to: until, ..Self::all_of(source, folds.fingerprint(), folds.symbols()) }
    }

    /// Whether who saw the one has seen something of the other: the same bars, or longer ones of the same markets, at the same
    /// time.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        let same_market = || self.symbols.iter().any(|symbol| other.symbols.binary_search(symbol).is_ok());
        let before = |one: &Self, two: &Self| one.to.zip(two.from).is_some_and(|(to, from)| to < from);
        !before(self, other) && !before(other, self) && (self.data == other.data || same_market())
    }
}
