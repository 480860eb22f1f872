//! Why files could not be ingested.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::report::PassedOver;
use crate::audit::{Finding, FindingKind};
use crate::error::DataError;
use crate::spec::{RepairSpec, Symbol};
use crate::time::{Timeframe, Timestamp};

/// How many of many things a message names.
const SHOWN: usize = 5;

/// Why an ingest was refused. Unless it says otherwise, every file of the layout is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IngestError {
    /// A file of the layout, or one in a declared format, could not be read.
    #[error(transparent)]
    Read(#[from] DataError),
    /// Two settings do not go together.
    #[error("{problem}")]
    Spec {
        /// What is wrong and what to do.
        problem: &'static str,
    },
    /// None of the inputs is a file of the vendor.
    #[error("none of the inputs is a file of {vendor}{}", each_file(.passed_over))]
    NoInput {
        /// The vendor's name.
        vendor: &'static str,
        /// The files that were there, each with what is wrong with it.
        passed_over: Vec<PassedOver>,
    },
    /// A file that was asked for by name is none of the vendor's.
    #[error("{} is not a file of {vendor}: {problem}", .path.display())]
    Recognise {
        /// The file.
        path: PathBuf,
        /// The vendor's name.
        vendor: &'static str,
        /// What is wrong with its name or its content, and what to do.
        problem: String,
    },
    /// A file or folder could not be read.
    #[error("cannot read {}", .path.display())]
    ReadFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// An archive is damaged or of a kind that cannot be read.
    #[error("cannot open {} as a zip; it may be cut short or damaged", .path.display())]
    OpenZip {
        /// The archive.
        path: PathBuf,
        /// What the reader said.
        #[source]
        source: zip::result::ZipError,
    },
    /// A feather file is damaged or of a kind that cannot be read.
    #[error("cannot read {} as feather; it may be cut short or damaged", .path.display())]
    ReadFeather {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        #[source]
        source: arrow::error::ArrowError,
    },
    /// A row cannot be understood.
    #[error("row {row} of {} {problem}", .path.display())]
    Row {
        /// The file, and below it the entry of the archive.
        path: PathBuf,
        /// The row, counted from 1.
        row: u64,
        /// What is wrong with it and what to do, as a verb phrase.
        problem: String,
    },
    /// Rows cannot be true and no repair that was asked for covers them.
    #[error("{}{}", rows_found(.path, .finding), covered_by(.finding.kind))]
    Rows {
        /// The file, and below it the entry of the archive.
        path: PathBuf,
        /// What is wrong with which rows.
        finding: Box<Finding>,
    },
    /// The bars as they would lie in the layout cannot be true.
    #[error("the bars of {symbol} {timeframe} would be wrong: {}", result_found(.finding))]
    Result {
        /// Whose bars.
        symbol: Symbol,
        /// Of which length.
        timeframe: Timeframe,
        /// What is wrong with which rows.
        finding: Box<Finding>,
    },
    /// Bars that are there already, or in two files, differ.
    #[error(
        "{count} bars of {symbol} {timeframe} are there already with other numbers: {}; nothing was written. \
         on_conflict: keep_old or keep_new decides, if one of the two is known to be right",
        conflicts(.first, *.count)
    )]
    Conflict {
        /// Whose bars.
        symbol: Symbol,
        /// Of which length.
        timeframe: Timeframe,
        /// How many differ.
        count: usize,
        /// The first of them.
        first: Vec<Conflict>,
    },
    /// Both trades and quotes of one symbol.
    #[error(
        "there are trades and quotes of {symbol} {timeframe}, which would be one series of bars; choose `prices: trades` or \
         `prices: mids`"
    )]
    TwoPrices {
        /// Whose bars.
        symbol: Symbol,
        /// Of which length.
        timeframe: Timeframe,
    },
    /// Another process writes into the layout.
    #[error("another process is ingesting into {}; wait until it has ended", .into.display())]
    Locked {
        /// The layout.
        into: PathBuf,
    },
    /// A file lies where the layout's own files lie.
    #[error("{} {problem}; this folder is kept by `ingest` alone, so move the file away", .path.display())]
    ForeignFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, as a verb phrase.
        problem: &'static str,
    },
    /// A file could not be written; each file of the layout is the old one or the new one, and the same ingest goes on.
    #[error("cannot write {}", .path.display())]
    WriteFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Bars could not be encoded.
    #[error("cannot write {} as parquet", .path.display())]
    WriteParquet {
        /// The file.
        path: PathBuf,
        /// What the writer said.
        #[source]
        source: parquet::errors::ParquetError,
    },
}

/// A bar that is there twice, with different numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Conflict {
    /// When the bar opens.
    pub open_time: Timestamp,
    /// Open, high, low, close and volume of the bar that was there first.
    pub old: [f64; 5],
    /// Of the bar that came later.
    pub new: [f64; 5],
    /// The file that it came from, and its row.
    pub from: String,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { open_time, old, new, from } = self;
        write!(f, "{open_time} has {old:?} (open, high, low, close, volume) and {from} says {new:?}")
    }
}

fn conflicts(first: &[Conflict], count: usize) -> String {
    let mut texts: Vec<String> = first.iter().map(Conflict::to_string).collect();
    if count > first.len() {
        texts.push(format!("and {} more", count - first.len()));
    }
    texts.join("; ")
}

fn each_file(files: &[PassedOver]) -> String {
    if files.is_empty() {
        return "; they hold no file at all".into();
    }
    let mut text: String = files.iter().take(SHOWN).map(|file| format!("\n  {file}")).collect();
    if files.len() > SHOWN {
        text.push_str(&format!("\n  and {} more", files.len() - SHOWN));
    }
    text
}

fn rows_found(path: &Path, finding: &Finding) -> String {
    let first = finding.examples.first().map_or_else(String::new, |example| {
        format!(", first in bar {} at {}: {}", example.row, example.open_time, example.detail)
    });
    format!("{} has {} in {} bars{first}", path.display(), finding.kind.name(), finding.count)
}

/// The rule that mends what was found, if one does.
fn covered_by(kind: FindingKind) -> String {
    let rule = match kind {
        FindingKind::NonFinite
        | FindingKind::OhlcOrder
        | FindingKind::PriceNotPositive
        | FindingKind::NegativeVolume => RepairSpec::DropBadRows,
        FindingKind::Disorder => RepairSpec::SortByTime,
        FindingKind::Duplicate => RepairSpec::KeepLastDuplicate,
        _ => return String::new(),
    };
    format!("; the repair {rule} covers it")
}

fn result_found(finding: &Finding) -> String {
    let first = finding.examples.first().map_or_else(String::new, |example| {
        format!(", first in bar {} at {}: {}", example.row, example.open_time, example.detail)
    });
    format!(
        "{} in {} bars{first}; no repair covers it. Is the timeframe that of these bars? If there are only so few of them, \
         leave the symbol out",
        finding.kind.name(),
        finding.count
    )
}
