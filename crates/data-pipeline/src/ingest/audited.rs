//! `audit.json`: what was found in every partition, and in which bytes it was found.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::container::hash;
use super::error::IngestError;
use super::layout::{Series, percent_decoded};
use super::partition::{self, Partition};
use crate::audit::{AuditReport, SymbolAudit, audit};
use crate::error::DataError;
use crate::spec::Symbol;

/// Its name, directly in the layout's folder.
pub(super) const AUDIT: &str = "audit.json";

/// The audit of every partition, sorted by timeframe and symbol.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Audited {
    partitions: Vec<AuditedPartition>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AuditedPartition {
    /// The files that were audited, with the BLAKE3 hash of their bytes.
    files: BTreeMap<String, String>,
    audit: SymbolAudit,
}

/// Brings `audit.json` up to date and returns what it says. Partitions whose files are still those that were audited
/// are not read again; those in `fresh` have been audited just now.
pub(super) fn update(
    into: &Path,
    staging: &Path,
    fresh: &BTreeMap<Series, SymbolAudit>,
) -> Result<AuditReport, IngestError> {
    let path = into.join(AUDIT);
    let before = fs::read(&path).unwrap_or_default();
    // An audit that cannot be read is made again.
    let known: Audited = serde_json::from_slice(&before).unwrap_or_default();
    let known: BTreeMap<Series, AuditedPartition> =
        known.partitions.into_iter().map(|known| (series_of(&known.audit), known)).collect();
    let mut audited = Audited::default();
    for series in all_series(into)? {
        let mut files = BTreeMap::new();
        for (period, path) in partition::files(&into.join(series.folder()))? {
            files.insert(period.file_name(), hash(&path)?);
        }
        let audit = match (fresh.get(&series), known.get(&series)) {
            (Some(audit), _) => audit.clone(),
            (None, Some(known)) if known.files == files => known.audit.clone(),
            _ => audit_of(into, &series)?,
        };
        audited.partitions.push(AuditedPartition { files, audit });
    }
    let mut json = serde_json::to_vec_pretty(&audited).unwrap_or_default();
    json.push(b'\n');
    if json != before {
        replace(&path, &staging.join(AUDIT), &json)
            .map_err(|source| IngestError::WriteFile { path, source })?;
    }
    Ok(AuditReport { symbols: audited.partitions.into_iter().map(|partition| partition.audit).collect() })
}

fn audit_of(into: &Path, series: &Series) -> Result<SymbolAudit, IngestError> {
    let partition = Partition::read(into, series)?;
    Ok(audit(&[partition.bars]).symbols.remove(0))
}

fn series_of(audit: &SymbolAudit) -> Series {
    Series { timeframe: audit.timeframe, symbol: audit.symbol.clone() }
}

fn replace(path: &Path, partial: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(partial)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(partial, path)?;
    path.parent().map_or(Ok(()), sync_folder)
}

/// Makes names in `folder` last.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Every partition below `into` that has a file, sorted.
fn all_series(into: &Path) -> Result<Vec<Series>, IngestError> {
    let mut found = Vec::new();
    for (timeframe, folder) in folders(into, "timeframe=")? {
        for (symbol, folder) in folders(&folder, "symbol=")? {
            let (Ok(timeframe), Some(symbol)) = (timeframe.parse(), percent_decoded(&symbol)) else {
                let problem = "is no partition of bars";
                return Err(IngestError::ForeignFile { path: folder, problem });
            };
            if !partition::files(&folder)?.is_empty() {
                found.push(Series { timeframe, symbol: Symbol::new(symbol) });
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The folders in `folder` whose name begins with `prefix`, by the rest of it.
fn folders(folder: &Path, prefix: &str) -> Result<Vec<(String, PathBuf)>, IngestError> {
    let list_error = |source| DataError::ListFolder { path: folder.into(), source };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(list_error)? {
        let path = entry.map_err(list_error)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if let Some(value) = name.strip_prefix(prefix).filter(|_| path.is_dir()) {
            found.push((value.to_owned(), path.clone()));
        }
    }
    Ok(found)
}
