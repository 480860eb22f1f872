//! The audit's findings as values.

use serde::{Deserialize, Serialize};

use crate::repair::RepairCount;
use crate::source::SourceNote;
use crate::spec::Symbol;
use crate::time::{Span, Timeframe, Timestamp};

/// What was found, symbol by symbol. `Display` writes a table and the findings below it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AuditReport {
    /// In the order of the bars.
    pub symbols: Vec<SymbolAudit>,
}

impl AuditReport {
    /// Is there any error?
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.symbols.iter().any(|symbol| symbol.count(Severity::Error) > 0)
    }

    /// Every error with its symbol, in the order of the report.
    pub fn errors(&self) -> impl Iterator<Item = (&Symbol, &Finding)> {
        self.symbols.iter().flat_map(|symbol| {
            let errors = symbol.findings.iter().filter(|finding| finding.kind.severity() == Severity::Error);
            errors.map(|finding| (&symbol.symbol, finding))
        })
    }
}

/// What was found in the bars of one symbol.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SymbolAudit {
    /// Whose bars.
    pub symbol: Symbol,
    /// The length their source says they have.
    pub timeframe: Timeframe,
    /// How many.
    pub rows: usize,
    /// Open of the earliest bar.
    pub first: Option<Timestamp>,
    /// Open of the latest bar.
    pub last: Option<Timestamp>,
    /// The least time between the opens of two bars; tells when `timeframe` is not what the file holds.
    pub smallest_step: Option<Span>,
    /// Time steps without a bar, a warning; nights, weekends and holidays among them.
    pub gaps: Option<Gaps>,
    /// Errors first, then warnings; one entry per kind that occurs.
    pub findings: Vec<Finding>,
    /// What was mended before this audit, rule by rule.
    pub repairs: Vec<RepairCount>,
    /// What the source had to decide: nothing is wrong with it.
    #[serde(default)]
    pub notes: Vec<SourceNote>,
}

impl SymbolAudit {
    /// Rows with findings of `severity`; gaps count as warnings.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        let of_severity = self.findings.iter().filter(|finding| finding.kind.severity() == severity);
        let gaps = if severity == Severity::Warning { self.gaps.map_or(0, |gaps| gaps.count) } else { 0 };
        of_severity.map(|finding| finding.count).sum::<usize>() + gaps
    }

    /// How many rows have a finding of `kind`.
    #[must_use]
    pub fn count_of(&self, kind: FindingKind) -> usize {
        self.findings.iter().filter(|finding| finding.kind == kind).map(|finding| finding.count).sum()
    }
}

/// Time steps without a bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gaps {
    /// How many gaps.
    pub count: usize,
    /// How many bars of the timeframe would fill them.
    pub missing_bars: usize,
    /// The longest time from one open to the next.
    pub longest: Span,
    /// Open of the bar before the longest gap.
    pub longest_after: Timestamp,
}

/// All rows of one symbol that have one thing wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What is wrong.
    pub kind: FindingKind,
    /// With how many rows.
    pub count: usize,
    /// The first of them, at most [`Finding::MAX_EXAMPLES`].
    pub examples: Vec<Example>,
}

impl Finding {
    /// How many rows a finding shows.
    pub const MAX_EXAMPLES: usize = 5;
}

/// A row with something wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Example {
    /// Its place among the symbol's rows, from 0, in the order of the source.
    pub row: usize,
    /// Its open time.
    pub open_time: Timestamp,
    /// The numbers that show it; empty where there is nothing to add.
    pub detail: String,
}

/// Does a finding end a run?
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Ends the run unless it is repaired.
    Error,
    /// Is told and counted.
    Warning,
}

/// What can be wrong with a row. See [`audit`](crate::audit).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FindingKind {
    /// There is no row at all.
    NoRows,
    /// A price or volume that is empty, NaN or infinite.
    NonFinite,
    /// The high is not the highest or the low not the lowest price.
    OhlcOrder,
    /// A price that is zero or negative.
    PriceNotPositive,
    /// A negative volume.
    NegativeVolume,
    /// An earlier bar than the row before it.
    Disorder,
    /// The time of a row before it.
    Duplicate,
    /// An intraday bar that does not open at a multiple of its timeframe.
    OffGrid,
    /// A bar of a day or longer that opens before the one before it has ended.
    TooClose,
    /// One of bars that are all further apart than their timeframe: longer bars than was said.
    TooFarApart,
    /// No volume.
    ZeroVolume,
    /// A return far outside of what is usual.
    Jump,
}

impl FindingKind {
    /// Is it an error or a warning?
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self {
            Self::ZeroVolume | Self::Jump => Severity::Warning,
            _ => Severity::Error,
        }
    }

    /// The name it has in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoRows => "no_rows",
            Self::NonFinite => "non_finite",
            Self::OhlcOrder => "ohlc_order",
            Self::PriceNotPositive => "price_not_positive",
            Self::NegativeVolume => "negative_volume",
            Self::Disorder => "disorder",
            Self::Duplicate => "duplicate",
            Self::OffGrid => "off_grid",
            Self::TooClose => "too_close",
            Self::TooFarApart => "too_far_apart",
            Self::ZeroVolume => "zero_volume",
            Self::Jump => "jump",
        }
    }

    /// What a user can do about it.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::NoRows => {
                "leave the symbol out of data.source.symbols, or choose other data.source.start and end"
            }
            Self::NonFinite | Self::OhlcOrder | Self::PriceNotPositive | Self::NegativeVolume => {
                "data.repair: [drop_bad_rows] covers it"
            }
            Self::Disorder => "data.repair: [sort_by_time] covers it",
            Self::Duplicate => "data.repair: [keep_last_duplicate] covers it",
            Self::OffGrid | Self::TooClose | Self::TooFarApart => {
                "no repair covers it; is the first of data.timeframes the length of these bars?"
            }
            Self::ZeroVolume | Self::Jump => "a warning only",
        }
    }
}
