//! Bars as their source has them: nothing sorted, filled or mended.

mod cell;
pub(crate) mod files;
mod join;
mod note;
mod parquet;
pub(crate) mod plan;
pub(crate) mod stamp;
pub(crate) mod text;
pub(crate) mod text_file;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::bar::Bars;
use crate::error::DataError;
use crate::nearest::by_similarity;
use crate::resample::resample;
use crate::spec::{SourceSpec, Symbol, SymbolsSpec};
use crate::synthetic::built_in_market;
use crate::time::Timeframe;
use files::{FileKind, SourceFile};
use plan::{Gathered, ReadPlan};

pub(crate) use join::Overlap;
pub use note::SourceNote;
pub(crate) use write::columns as bar_columns;
pub use write::write_parquet;

/// What messages call the built-in market.
const BUILT_IN_MARKET: &str = "the built-in market";

/// The bars of `spec`, one [`Bars`] per requested symbol, sorted by symbol; rows in the order of the source, faults and
/// all. Symbols that are not asked for are not read, nor are bars that open outside of `start` and `end`: what is kept in
/// memory grows with the bars that are asked for, not with the files.
///
/// A path is a file named for its symbol, a folder of such files, a folder of `timeframe=5m/symbol=BTCUSDT` folders, a glob
/// such as `bars/**/*.csv`, or, with `columns.symbol`, files that hold several symbols. `timeframe=…` folders of another
/// timeframe are passed over: longer bars are made from the base, so that all agree to the last bit. Several files of one
/// symbol are put together in the order of time, and must not overlap.
///
/// Parquet: times may be Arrow timestamps of any unit, with a zone or without one (then UTC), or dates (00:00 UTC). CSV and
/// TSV: as `text` declares. With `stamp: open` a bar ends one timeframe later: a daily bar at its date + 24 h, which is
/// late rather than early for markets that close before midnight UTC. There is no session calendar. An empty price or
/// volume becomes NaN, which the audit reports. Times before 1900 or after 2200, and times that only make sense in another
/// unit, are errors.
///
/// The built-in market has bars of one minute; a longer `timeframe` is resampled from them.
///
/// # Errors
/// A path, file, line, column, cell or symbol that is missing or cannot be understood; each names itself and what to do.
pub fn read_bars(spec: &SourceSpec, timeframe: Timeframe) -> Result<Vec<Bars>, DataError> {
    let source = read(spec, timeframe, Overlap::Refuse)?;
    Ok(source.into_iter().map(|(bars, _)| bars).collect())
}

/// As [`read_bars`], with what had to be decided about each symbol's bars.
pub(crate) fn read(
    spec: &SourceSpec,
    timeframe: Timeframe,
    overlap: Overlap,
) -> Result<Vec<(Bars, Vec<SourceNote>)>, DataError> {
    match &spec.path {
        Some(path) => read_files(spec, path, timeframe, overlap),
        None => Ok(read_market(spec, timeframe)?.into_iter().map(|bars| (bars, Vec::new())).collect()),
    }
}

fn read_market(spec: &SourceSpec, timeframe: Timeframe) -> Result<Vec<Bars>, DataError> {
    let market = built_in_market(&spec.synthetic.clone().unwrap_or_default(), spec.publication_lag);
    let by_symbol: BTreeMap<Symbol, Bars> =
        market.into_iter().map(|bars| (bars.symbol.clone(), bars)).collect();
    let names = by_symbol.keys().cloned().collect();
    let wanted = requested(&spec.symbols, &names, BUILT_IN_MARKET)?;
    let wanted = by_symbol.into_iter().filter(|(symbol, _)| wanted.contains(symbol));
    wanted.map(|(_, bars)| resample(&bars, timeframe)).collect()
}

fn read_files(
    spec: &SourceSpec,
    path: &Path,
    timeframe: Timeframe,
    overlap: Overlap,
) -> Result<Vec<(Bars, Vec<SourceNote>)>, DataError> {
    let stamp = spec.stamp.ok_or_else(|| DataError::MissingStamp { path: path.into() })?;
    let plan = ReadPlan { spec, stamp, timeframe };
    let mut files = files::find(spec, path, timeframe)?;
    let origin = path.display().to_string();
    let only: Option<BTreeSet<Symbol>> = match &spec.symbols {
        SymbolsSpec::All => None,
        SymbolsSpec::Only(symbols) => Some(symbols.iter().cloned().collect()),
    };
    let mut seen: BTreeSet<Symbol> = files.iter().filter_map(|file| file.symbol.clone()).collect();
    let all_named = files.iter().all(|file| file.symbol.is_some());
    if all_named {
        requested(&spec.symbols, &seen, &origin)?;
    }
    let is_wanted = |symbol: &Symbol| only.as_ref().is_none_or(|only| only.contains(symbol));
    files.retain(|file| file.symbol.as_ref().is_none_or(is_wanted));
    let read: Vec<Result<Gathered<'_>, DataError>> =
        files.par_iter().map(|file| read_file(&plan, file, only.as_ref())).collect();
    let mut parts: BTreeMap<Symbol, Parts> = BTreeMap::new();
    for (file, gathered) in files.iter().zip(read) {
        let gathered = gathered?;
        seen.extend(gathered.seen());
        for (symbol, (bars, notes)) in gathered.finish() {
            let parts = parts.entry(symbol).or_default();
            parts.bars.push((file.path.clone(), bars));
            parts.notes.extend(notes);
        }
    }
    if !all_named && only.as_ref().is_some_and(|only| !only.is_subset(&seen)) {
        seen.extend(passed_over(&files, spec)?);
        requested(&spec.symbols, &seen, &origin)?;
    }
    let mut joined = Vec::with_capacity(parts.len());
    for Parts { bars, notes } in parts.into_values() {
        let Some(bars) = join::join(bars, overlap)? else { continue };
        let no_volume = spec.columns.volume.is_none().then_some(SourceNote::NoVolume);
        joined.push((bars, no_volume.into_iter().chain(SourceNote::added(&notes)).collect()));
    }
    Ok(joined)
}

/// What the files hold of one symbol.
#[derive(Default)]
struct Parts {
    bars: Vec<(PathBuf, Bars)>,
    notes: Vec<SourceNote>,
}

fn read_file<'a>(
    plan: &ReadPlan<'_>,
    file: &SourceFile,
    only: Option<&'a BTreeSet<Symbol>>,
) -> Result<Gathered<'a>, DataError> {
    let symbol = file.symbol.as_ref();
    match file.kind {
        FileKind::Parquet => parquet::read(plan, &file.path, symbol, only),
        FileKind::Text { delimiter } => text_file::read(plan, &file.path, delimiter, symbol, only),
    }
}

/// Every symbol of the files with a symbol column, those among it whose rows were passed over unread.
fn passed_over(files: &[SourceFile], spec: &SourceSpec) -> Result<BTreeSet<Symbol>, DataError> {
    let mut symbols = BTreeSet::new();
    for file in files.iter().filter(|file| file.kind == FileKind::Parquet && file.symbol.is_none()) {
        if let Some(column) = &spec.columns.symbol {
            symbols.extend(parquet::symbols(&file.path, column)?);
        }
    }
    Ok(symbols)
}

/// The symbols to read out of those that `exist`.
fn requested(
    spec: &SymbolsSpec,
    exist: &BTreeSet<Symbol>,
    origin: &str,
) -> Result<BTreeSet<Symbol>, DataError> {
    let SymbolsSpec::Only(wanted) = spec else { return Ok(exist.clone()) };
    let missing: Vec<Symbol> = wanted.iter().filter(|symbol| !exist.contains(symbol)).cloned().collect();
    match missing.first() {
        None => Ok(wanted.iter().cloned().collect()),
        Some(first) => {
            let nearest = by_similarity(first.as_str(), exist.iter().map(Symbol::to_string));
            Err(DataError::MissingSymbols { origin: origin.into(), missing, nearest })
        }
    }
}
