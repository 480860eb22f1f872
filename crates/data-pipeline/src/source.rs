//! Bars as their source has them: nothing sorted, filled or mended.

mod cell;
mod folder;
mod nearest;
mod parquet;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rayon::prelude::*;

use crate::bar::Bars;
use crate::error::DataError;
use crate::resample::resample;
use crate::spec::{SourceSpec, Symbol, SymbolsSpec};
use crate::synthetic::built_in_market;
use crate::time::Timeframe;
use parquet::ReadPlan;

pub use write::write_parquet;

/// What messages call the built-in market.
const BUILT_IN_MARKET: &str = "the built-in market";

/// The bars of `spec`, one [`Bars`] per requested symbol, sorted by symbol; rows in the order of the source, faults and
/// all. Symbols that are not asked for are not read.
///
/// A path is a folder with one `SYMBOL.parquet` per symbol, or one such file, or, with `columns.symbol`, files that hold
/// several symbols. Times may be Arrow timestamps of any unit, with a zone or without one (then UTC), or dates (00:00
/// UTC). With `stamp: open` a bar ends one timeframe later: a daily bar at its date + 24 h, which is late rather than
/// early for markets that close before midnight UTC. There is no session calendar. An empty price or volume becomes NaN,
/// which the audit reports.
///
/// The built-in market has bars of one minute; a longer `timeframe` is resampled from them.
///
/// # Errors
/// A path, file, column, cell or symbol that is missing or cannot be understood; each names itself and what to do.
pub fn read_bars(spec: &SourceSpec, timeframe: Timeframe) -> Result<Vec<Bars>, DataError> {
    match &spec.path {
        Some(path) => read_files(spec, path, timeframe),
        None => read_market(spec, timeframe),
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

fn read_files(spec: &SourceSpec, path: &Path, timeframe: Timeframe) -> Result<Vec<Bars>, DataError> {
    let stamp = spec.stamp.ok_or_else(|| DataError::MissingStamp { path: path.into() })?;
    let plan = ReadPlan { columns: &spec.columns, stamp, timeframe, publication_lag: spec.publication_lag };
    let files = folder::parquet_files(path)?;
    let origin = path.display().to_string();
    if spec.columns.symbol.is_some() {
        let only = match &spec.symbols {
            SymbolsSpec::All => None,
            SymbolsSpec::Only(symbols) => Some(symbols.iter().cloned().collect()),
        };
        let mut seen = BTreeSet::new();
        let mut found = BTreeMap::new();
        for file in files.values() {
            plan.read_several(file, only.as_ref(), &mut seen, &mut found)?;
        }
        requested(&spec.symbols, &seen, &origin)?;
        return Ok(found.into_values().collect());
    }
    let wanted = requested(&spec.symbols, &files.keys().cloned().collect(), &origin)?;
    let files: Vec<_> = files.into_iter().filter(|(symbol, _)| wanted.contains(symbol)).collect();
    let read: Vec<Result<Bars, DataError>> =
        files.par_iter().map(|(symbol, file)| plan.read_one(file, symbol.clone())).collect();
    read.into_iter().collect()
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
            let nearest = nearest::by_similarity(first.as_str(), exist.iter().map(Symbol::to_string));
            Err(DataError::MissingSymbols { origin: origin.into(), missing, nearest })
        }
    }
}
