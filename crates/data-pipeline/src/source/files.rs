//! Which files a path stands for, how they are written and whose bars they hold.

mod partition;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::spec::{FormatSpec, SourceSpec, Symbol};
use crate::time::Timeframe;
use partition::Partitions;

/// A file to read.
#[derive(Clone, Debug)]
pub(super) struct SourceFile {
    pub(super) path: PathBuf,
    pub(super) kind: FileKind,
    /// Whose bars it holds; `None` where a column says it.
    pub(super) symbol: Option<Symbol>,
}

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileKind {
    Parquet,
    Text { delimiter: u8 },
}

/// The files that `path`, which is that of `spec`, stands for, in the order of their names.
///
/// A folder stands for the files directly in it and below its `key=value` folders; hidden ones are left out, as are files
/// whose ending is no known one. A glob stands for what matches it.
pub(super) fn find(
    spec: &SourceSpec,
    path: &Path,
    timeframe: Timeframe,
) -> Result<Vec<SourceFile>, DataError> {
    let (found, named) = list(path)?;
    let written = with_kinds(spec, path, found, named)?;
    let mut other_timeframes = BTreeSet::new();
    let mut files = Vec::with_capacity(written.len());
    for (path, kind) in written {
        let partitions = Partitions::of(&path);
        if let Some(other) = partitions.other_timeframe(timeframe) {
            other_timeframes.insert(other.to_owned());
            continue;
        }
        let symbol = match partitions.symbol(spec.columns.symbol.as_deref(), &path)? {
            Some(symbol) => Some(symbol),
            None if spec.columns.symbol.is_some() => None,
            None => Some(Symbol::new(path.file_stem().unwrap_or_default().to_string_lossy())),
        };
        files.push(SourceFile { path, kind, symbol });
    }
    if files.is_empty() {
        let found = other_timeframes.into_iter().collect();
        return Err(DataError::FindTimeframe { path: path.into(), timeframe, found });
    }
    Ok(files)
}

/// Was every file named by the user, in so many words or by a glob?
type Named = bool;

/// All files that `path` stands for, sorted.
fn list(path: &Path) -> Result<(Vec<PathBuf>, Named), DataError> {
    let mut files = Vec::new();
    if path.is_file() {
        return Ok((vec![path.into()], true));
    }
    if path.is_dir() {
        walk(path, &mut files)?;
        files.sort();
        return Ok((files, false));
    }
    for entry in matches(path)? {
        if entry.is_dir() {
            walk(&entry, &mut files)?;
        } else {
            files.push(entry);
        }
    }
    if files.is_empty() {
        return Err(DataError::NoMatch { pattern: path.into() });
    }
    files.sort();
    files.dedup();
    Ok((files, true))
}

/// The files and folders that the glob `path` matches; hidden ones only where it names the dot.
///
/// # Errors
/// A path that leads nowhere and is no glob, a glob that cannot be read, and one that matches nothing.
pub(crate) fn matches(path: &Path) -> Result<Vec<PathBuf>, DataError> {
    let pattern = path.to_str().filter(|text| text.contains(['*', '?', '[']));
    let Some(pattern) = pattern else { return Err(DataError::FindSource { path: path.into() }) };
    let options = glob::MatchOptions { require_literal_leading_dot: true, ..glob::MatchOptions::new() };
    let matches = glob::glob_with(pattern, options);
    let matches = matches.map_err(|source| DataError::Glob { pattern: path.into(), source })?;
    let found: Result<Vec<PathBuf>, _> = matches.collect();
    let found = found.map_err(|error| {
        let path = error.path().into();
        DataError::ListFolder { path, source: error.into() }
    })?;
    if found.is_empty() { Err(DataError::NoMatch { pattern: path.into() }) } else { Ok(found) }
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), DataError> {
    let list_error = |source| DataError::ListFolder { path: folder.into(), source };
    for entry in std::fs::read_dir(folder).map_err(list_error)? {
        let path = entry.map_err(list_error)?.path();
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        if name.starts_with(b".") {
            continue;
        }
        // A link that leads nowhere is left for the reader to name.
        if path.is_file() || !path.exists() {
            files.push(path);
        } else if name.contains(&b'=') && path.is_dir() {
            walk(&path, files)?;
        }
    }
    Ok(())
}

/// The files that are read, with how they are written.
fn with_kinds(
    spec: &SourceSpec,
    path: &Path,
    found: Vec<PathBuf>,
    named: Named,
) -> Result<Vec<(PathBuf, FileKind)>, DataError> {
    let delimiter =
        spec.text.as_ref().and_then(|text| text.delimiter).and_then(|delimiter| u8::try_from(delimiter).ok());
    let csv = FileKind::Text { delimiter: delimiter.unwrap_or(b',') };
    let tsv = FileKind::Text { delimiter: delimiter.unwrap_or(b'\t') };
    let (declared, endings): (Option<FileKind>, &[&str]) = match spec.format {
        FormatSpec::Auto => (None, &["parquet", "csv", "tsv"]),
        FormatSpec::Parquet => (Some(FileKind::Parquet), &["parquet"]),
        FormatSpec::Csv => (Some(csv), &["csv", "txt"]),
        FormatSpec::Tsv => (Some(tsv), &["tsv", "txt"]),
    };
    let by_ending = |path: &Path| match path.extension().and_then(OsStr::to_str)? {
        "parquet" => Some(FileKind::Parquet),
        "csv" => Some(csv),
        "tsv" => Some(tsv),
        _ => None,
    };
    let is_known =
        |path: &Path| path.extension().is_some_and(|ending| endings.iter().any(|known| ending == *known));
    let kind = |path: PathBuf| {
        let kind = match declared {
            Some(kind) => (named || is_known(&path)).then_some(kind),
            None => by_ending(&path),
        }?;
        Some((path, kind))
    };
    let is_one_file = named && found == [path];
    let files: Vec<(PathBuf, FileKind)> = found.into_iter().filter_map(kind).collect();
    let Some((first, kind)) = files.first() else {
        let (path, endings) = (path.into(), endings.to_vec());
        return Err(if is_one_file {
            DataError::UnknownFormat { path }
        } else {
            DataError::NoFile { path, endings }
        });
    };
    match files.iter().find(|(_, other)| other != kind) {
        Some((other, _)) => {
            Err(DataError::MixedFormats { path: path.into(), one: first.clone(), other: other.clone() })
        }
        None => Ok(files),
    }
}
