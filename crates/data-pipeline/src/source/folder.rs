//! Which files a path stands for.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::spec::Symbol;

/// The Parquet files of `path`, by stem: those directly in a folder (hidden ones left out), or the file itself.
pub(super) fn parquet_files(path: &Path) -> Result<BTreeMap<Symbol, PathBuf>, DataError> {
    if path.is_file() {
        return Ok(BTreeMap::from([(stem(path), path.to_owned())]));
    }
    if !path.exists() {
        return Err(DataError::FindSource { path: path.into() });
    }
    let list_error = |source| DataError::ListFolder { path: path.into(), source };
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(path).map_err(list_error)? {
        let file = entry.map_err(list_error)?.path();
        if is_parquet(&file) && file.is_file() {
            files.insert(stem(&file), file);
        }
    }
    if files.is_empty() { Err(DataError::NoParquetFile { path: path.into() }) } else { Ok(files) }
}

fn is_parquet(file: &Path) -> bool {
    let hidden = file.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    !hidden && file.extension() == Some(OsStr::new("parquet"))
}

fn stem(file: &Path) -> Symbol {
    Symbol::new(file.file_stem().unwrap_or_default().to_string_lossy())
}
