//! Which files the inputs stand for.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::IngestError;
use crate::error::DataError;
use crate::source::files::matches;

/// A file to look at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Input {
    pub(super) path: PathBuf,
    /// Was it asked for by its name, or found in a folder or by a glob?
    pub(super) named: bool,
}

/// Every file of `inputs`, each once, sorted by path. Folders stand for all below them, hidden ones left out.
pub(super) fn files(inputs: &[PathBuf]) -> Result<Vec<Input>, IngestError> {
    let mut files = Vec::new();
    for input in inputs {
        if input.is_dir() {
            walk(input, &mut files)?;
        } else if input.is_file() {
            files.push(Input { path: input.clone(), named: true });
        } else {
            for path in matches(input)? {
                if path.is_dir() {
                    walk(&path, &mut files)?;
                } else {
                    files.push(Input { path, named: false });
                }
            }
        }
    }
    // Of one path, the one that was named comes last and stays.
    files.sort();
    files.reverse();
    files.dedup_by(|one, other| one.path == other.path);
    files.reverse();
    Ok(files)
}

fn walk(folder: &Path, files: &mut Vec<Input>) -> Result<(), IngestError> {
    let list_error = |source| DataError::ListFolder { path: folder.into(), source };
    for entry in fs::read_dir(folder).map_err(list_error)? {
        let path = entry.map_err(list_error)?.path();
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if hidden {
            continue;
        }
        if path.is_dir() {
            walk(&path, files)?;
        } else {
            files.push(Input { path, named: false });
        }
    }
    Ok(())
}
