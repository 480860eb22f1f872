//! What can go wrong between a file and a batch.

use std::fmt::Write as _;
use std::path::PathBuf;

use crate::audit::{AuditReport, Example, Finding};
use crate::label::LabelSpec;
use crate::spec::Symbol;
use crate::split::Split;
use crate::time::{Timeframe, Timestamp};

/// Why bars could not be read, mended or made into samples. Each variant names the operation that failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The source's path leads nowhere.
    #[error("there is no file or folder at {}", .path.display())]
    FindSource {
        /// As configured.
        path: PathBuf,
    },
    /// A folder could not be listed.
    #[error("cannot list the folder {}", .path.display())]
    ListFolder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A folder without a single file of bars.
    #[error(
        "{} holds no file that ends in .{}; expected one per symbol, such as BTCUSDT.{}",
        .path.display(), .endings.join(", ."), .endings.first().unwrap_or(&"parquet")
    )]
    NoFile {
        /// The folder or glob.
        path: PathBuf,
        /// The endings that were looked for.
        endings: Vec<&'static str>,
    },
    /// A glob that cannot be understood.
    #[error("data.source.path {} is no glob", .pattern.display())]
    Glob {
        /// As configured.
        pattern: PathBuf,
        /// What is wrong with it, and where.
        #[source]
        source: glob::PatternError,
    },
    /// A glob that matches nothing.
    #[error("no file matches {}", .pattern.display())]
    NoMatch {
        /// As configured.
        pattern: PathBuf,
    },
    /// A file whose ending does not say how it is written.
    #[error(
        "the ending of {} does not say how it is written; set data.source.format: parquet, csv or tsv",
        .path.display()
    )]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
    /// A folder with files that are written differently.
    #[error(
        "{} holds files of two formats, such as {} and {}; data.source.format says which to read",
        .path.display(), .one.display(), .other.display()
    )]
    MixedFormats {
        /// The folder or glob.
        path: PathBuf,
        /// A file of one format.
        one: PathBuf,
        /// A file of the other.
        other: PathBuf,
    },
    /// Folders for timeframes, none of them for the base.
    #[error(
        "{} has no bars of {timeframe}, the first of data.timeframes; its timeframe=… folders are {}",
        .path.display(), list(.found)
    )]
    FindTimeframe {
        /// The folder or glob.
        path: PathBuf,
        /// The base.
        timeframe: Timeframe,
        /// The timeframes that are there, as they are written.
        found: Vec<String>,
    },
    /// A folder that should name a symbol and does not.
    #[error("the {key}=… folder of {} names no symbol", .path.display())]
    NamelessPartition {
        /// The file below it.
        path: PathBuf,
        /// The key.
        key: String,
    },
    /// Two files with bars of one symbol at the same times.
    #[error(
        "{} and {} both have bars of {symbol} from {first} to {last}; data.repair: [keep_last_duplicate] keeps those of the \
         file whose name comes last",
        .one.display(), .other.display()
    )]
    OverlappingFiles {
        /// Whose bars.
        symbol: Symbol,
        /// The file that begins earlier.
        one: PathBuf,
        /// The other.
        other: PathBuf,
        /// The first bar of the later file.
        first: Timestamp,
        /// The last bar that both may have.
        last: Timestamp,
    },
    /// A file could not be opened.
    #[error("cannot open {}", .path.display())]
    OpenFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A file is not Parquet, is cut short or is damaged.
    #[error("cannot read {} as parquet; it may be cut short or damaged", .path.display())]
    ReadParquet {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        #[source]
        source: parquet::errors::ParquetError,
    },
    /// A file without rows.
    #[error("{} has no rows", .path.display())]
    EmptyFile {
        /// The file.
        path: PathBuf,
    },
    /// A configured column is not in the file.
    #[error(
        "{} has no column {column:?} (data.source.columns.{role}); {}{}",
        .path.display(),
        candidates("its columns are", .nearest),
        if *role == "volume" { ", and if none is a volume, `volume: null` says so" } else { "" }
    )]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// Which of `data.source.columns`.
        role: &'static str,
        /// The name looked for.
        column: String,
        /// The file's columns, the most similar first.
        nearest: Vec<String>,
    },
    /// A file has two columns of one name.
    #[error("{} has two columns {column:?}; which one is data.source.columns.{role}?", .path.display())]
    DoubledColumn {
        /// The file.
        path: PathBuf,
        /// Which of `data.source.columns`.
        role: &'static str,
        /// The name they share.
        column: String,
    },
    /// A column holds something that cannot be what it should be.
    #[error("column {column:?} of {} is {found}; expected {expected}", .path.display())]
    ColumnType {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// Its type in the file.
        found: String,
        /// What it may be, and what to do about it.
        expected: &'static str,
    },
    /// A cell without which a row has no place.
    #[error("row {row} of column {column:?} in {} {problem}", .path.display())]
    Cell {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// The row, counted from 0 over the whole file.
        row: usize,
        /// What is wrong with it, as a verb phrase.
        problem: String,
    },
    /// The bytes of a text could not be had.
    #[error("cannot read {} from line {line} on", .path.display())]
    ReadText {
        /// The file.
        path: PathBuf,
        /// The first line that could not be read, counted from 1.
        line: u64,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A line of a text that is no row of its table.
    #[error("line {line} of {} {problem}", .path.display())]
    TextLine {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// What is wrong with it and what to do, as a verb phrase.
        problem: String,
    },
    /// A cell of a text that is not what it should be.
    #[error("line {line} of {}, column {column:?}: {text:?} {problem}", .path.display())]
    TextCell {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// The column.
        column: String,
        /// What the cell holds, shortened.
        text: String,
        /// What is wrong with it and what to do, as a verb phrase.
        problem: String,
    },
    /// Requested symbols that the source does not have.
    #[error("{origin} has no symbol {}; {}", list(.missing), candidates("it has", .nearest))]
    MissingSymbols {
        /// The source: a path or the built-in market.
        origin: String,
        /// What was asked for and is absent.
        missing: Vec<Symbol>,
        /// The symbols that are there, the most similar first.
        nearest: Vec<String>,
    },
    /// Files without a word on which end of a bar their time stamps name.
    #[error("data.source.stamp is missing; are the times in {} those at which bars open or close?", .path.display())]
    MissingStamp {
        /// The source.
        path: PathBuf,
    },
    /// The audit found errors that no named repair covers.
    #[error("the audit found {}", audit_errors(.report))]
    Audit {
        /// Everything it found.
        report: Box<AuditReport>,
    },
    /// Bars of one timeframe cannot be made from bars of another.
    #[error("{to} bars cannot be made from {from} bars: {to} is not a multiple of {from}")]
    Resample {
        /// The timeframe at hand.
        from: Timeframe,
        /// The timeframe asked for.
        to: Timeframe,
    },
    /// A file could not be written; the one before it, if any, is as it was.
    #[error("cannot write {}", .path.display())]
    WriteFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Bars could not be encoded as Parquet.
    #[error("cannot write {} as parquet", .path.display())]
    WriteParquet {
        /// The file.
        path: PathBuf,
        /// What the writer said.
        #[source]
        source: parquet::errors::ParquetError,
    },
    /// Bars that were handed over are not what [`Bars`](crate::Bars) promises.
    #[error("row {row} of the bars of {symbol} {problem}")]
    UseBars {
        /// Whose bars.
        symbol: Symbol,
        /// The first such row.
        row: usize,
        /// What is wrong with it, as a verb phrase.
        problem: &'static str,
    },
    /// Bars that were handed over have another timeframe than the base.
    #[error("the bars of {symbol} are {found} bars; the first of data.timeframes is {expected}")]
    BaseTimeframe {
        /// Whose bars.
        symbol: Symbol,
        /// Their timeframe.
        found: Timeframe,
        /// The base timeframe.
        expected: Timeframe,
    },
    /// A symbol was handed over twice, or out of order.
    #[error("symbols must be in ascending order, each once; {symbol} is not above the one before it")]
    OrderSymbols {
        /// The second of the two.
        symbol: Symbol,
    },
    /// No bar opens where the stride lets a decision fall, such as where the market is shut at midnight.
    #[error(
        "none of {bars} bars opens on the grid of data.stride, every {stride} bars of {timeframe} from 1970-01-01T00:00:00Z; \
         data.stride: 1 decides on every bar, whatever the market's hours"
    )]
    FindDecisions {
        /// Base bars of all symbols.
        bars: usize,
        /// `data.stride`.
        stride: usize,
        /// The base timeframe.
        timeframe: Timeframe,
    },
    /// There are more samples than ids.
    #[error("{samples} samples are more than 32 bits can count; raise data.stride or choose fewer symbols")]
    CountSamples {
        /// Samples of all symbols.
        samples: usize,
    },
    /// No bar has a full window in every timeframe.
    #[error(
        "none of {bars} bars, {on_grid} of them on the grid of data.stride: {stride}, has a full window of usable bars in \
         every timeframe; the longest window needs {longest} bars of {timeframe} without a gap above data.max_gap"
    )]
    FindWindows {
        /// Base bars of all symbols.
        bars: usize,
        /// Those of them on which the stride lets a decision fall.
        on_grid: usize,
        /// `data.stride`.
        stride: usize,
        /// `data.sequence_length` of the timeframe whose window spans the most time, warm-up included.
        longest: usize,
        /// That timeframe.
        timeframe: Timeframe,
    },
    /// A block of the split has no sample left.
    #[error(
        "the {split} split is empty: {decisions} decision times are too few for data.split and the labels' horizons"
    )]
    EmptySplit {
        /// The block.
        split: Split,
        /// Decision times of all blocks together.
        decisions: usize,
    },
    /// A block of a fold has no sample left.
    #[error(
        "the {split} block of fold {fold} is empty: {decisions} decision times are too few for walk_forward and the labels' \
         horizons; take fewer folds, or a smaller share elsewhere"
    )]
    EmptyFold {
        /// Which fold, counted from 1.
        fold: usize,
        /// The block.
        split: Split,
        /// Decision times of all folds together.
        decisions: usize,
    },
    /// A label with a horizon of no bars.
    #[error("a label needs a horizon of at least one bar; {label} has none")]
    LabelHorizon {
        /// The label.
        label: LabelSpec,
    },
    /// No sample has this label early enough, so its scale or its classes cannot be fitted.
    #[error("no sample has a label {label} that ends by the last train decision")]
    FitLabel {
        /// The label.
        label: LabelSpec,
    },
    /// What was fitted earlier does not belong to these inputs and labels.
    #[error("what was fitted earlier does not belong here: {problem}")]
    ApplyFitted {
        /// What differs.
        problem: &'static str,
    },
    /// What a leak check speaks of could not be written down.
    #[error("cannot write down what the leak check speaks of")]
    Describe {
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A timeframe, label or sample that does not exist was asked for.
    #[error("there is no {what} {index}; there are {count}")]
    Lookup {
        /// `timeframe`, `label` or `sample`.
        what: &'static str,
        /// The one asked for.
        index: usize,
        /// How many there are; they count from 0.
        count: usize,
    },
    /// A sample that is not learned from was to be augmented.
    #[error("sample {sample} is not a train sample; only train samples are augmented")]
    AugmentSample {
        /// The sample.
        sample: u32,
    },
    /// A buffer to fill has the wrong length.
    #[error("a buffer for {expected} numbers was expected and one for {found} was given")]
    BufferLength {
        /// Numbers to write.
        expected: usize,
        /// Length of the buffer.
        found: usize,
    },
}

/// The first error of each kind and symbol, with its rows and what would cover it.
fn audit_errors(report: &AuditReport) -> String {
    let mut texts: Vec<String> =
        report.errors().take(SHOWN).map(|(symbol, finding)| audit_error(symbol, finding)).collect();
    let more = report.errors().count().saturating_sub(SHOWN);
    if more > 0 {
        texts.push(format!("and {more} more kinds of errors in other symbols"));
    }
    texts.join("; ")
}

fn audit_error(symbol: &Symbol, finding: &Finding) -> String {
    let Finding { kind, count, examples } = finding;
    let (name, remedy) = (kind.name(), kind.remedy());
    let first = examples.first().map_or(String::new(), |example| {
        let Example { row, open_time, detail } = example;
        format!(", first in row {row} at {open_time}: {detail}")
    });
    format!("{name} in {count} rows of {symbol}{first} ({remedy})")
}

/// How many names a message shows before it says how many more there are.
const SHOWN: usize = 5;

fn candidates(verb: &str, names: &[String]) -> String {
    if names.is_empty() {
        return format!("{verb} none");
    }
    let mut text = format!("{verb} {}", list(names.iter().take(SHOWN)));
    if names.len() > SHOWN {
        let _ = write!(text, " and {} more", names.len() - SHOWN); // writing to a String cannot fail
    }
    text
}

fn list<T: std::fmt::Display>(names: impl IntoIterator<Item = T>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| name.to_string()).collect();
    names.join(", ")
}
