//! A folder that is either all there or not there: written beside its place, hashed, synced, then renamed.
//!
//! Every file's BLAKE3 hash is in `MANIFEST`, one `hash  name` a line. A folder whose files do not match it is refused
//! with the name of the first file that is wrong.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The file that lists the others.
pub const MANIFEST: &str = "MANIFEST";

/// Why a verified folder could not be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// The operating system refused.
    #[error("cannot {operation} {}", path.display())]
    Io {
        /// What was tried.
        operation: &'static str,
        /// On which path.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// The folder has no readable manifest.
    #[error("{} is not a complete folder: {reason}", path.display())]
    Incomplete {
        /// The folder.
        path: PathBuf,
        /// What is missing.
        reason: String,
    },
    /// A file's bytes are not those that were written.
    #[error("{} is damaged: its hash is {found}, the manifest says {expected}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Hash in the manifest.
        expected: String,
        /// Hash of the bytes on disk.
        found: String,
    },
    /// A folder of that name is there already.
    #[error("{} exists already", path.display())]
    Exists {
        /// The folder.
        path: PathBuf,
    },
}

pub(crate) fn io_error(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FolderError {
    let path = path.to_path_buf();
    move |source| FolderError::Io { operation, path, source }
}

/// Writes `files` (name, bytes) and their manifest as the new folder `folder`.
///
/// # Errors
/// [`FolderError::Exists`] if it is there already; [`FolderError::Io`] if the disk refuses, with nothing left behind.
pub fn write_folder(folder: &Path, files: &[(&str, &[u8])]) -> Result<(), FolderError> {
    if folder.exists() {
        return Err(FolderError::Exists { path: folder.into() });
    }
    let parent = folder.parent().unwrap_or_else(|| Path::new("."));
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let staging = parent.join(format!(".{name}.partial"));
    if staging.exists() {
        fs::remove_dir_all(&staging).map_err(io_error("clear", &staging))?;
    }
    let written = stage(&staging, files).and_then(|()| {
        fs::rename(&staging, folder).map_err(io_error("rename", &staging))?;
        sync_folder(parent)
    });
    if written.is_err() {
        // The first error is the one to report; a leftover is cleared by the next write.
        let _ = fs::remove_dir_all(&staging);
    }
    written
}

fn stage(staging: &Path, files: &[(&str, &[u8])]) -> Result<(), FolderError> {
    fs::create_dir_all(staging).map_err(io_error("create", staging))?;
    let mut manifest = String::new();
    for (name, bytes) in files {
        write_synced(&staging.join(name), bytes)?;
        manifest.push_str(&format!("{}  {name}\n", blake3::hash(bytes)));
    }
    write_synced(&staging.join(MANIFEST), manifest.as_bytes())?;
    sync_folder(staging)
}

fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), FolderError> {
    let mut file = File::create(path).map_err(io_error("create", path))?;
    file.write_all(bytes).map_err(io_error("write", path))?;
    file.sync_all().map_err(io_error("sync", path))
}

pub(crate) fn sync_folder(path: &Path) -> Result<(), FolderError> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    File::open(path).and_then(|folder| folder.sync_all()).map_err(io_error("sync", path))
}

/// Reads every file of `folder` and checks it against the manifest.
///
/// # Errors
/// [`FolderError::Incomplete`] or [`FolderError::Damaged`] naming the file; [`FolderError::Io`] if it cannot be read.
pub fn read_folder(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>, FolderError> {
    let incomplete = |reason: String| FolderError::Incomplete { path: folder.into(), reason };
    let path = folder.join(MANIFEST);
    let manifest = fs::read_to_string(&path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => incomplete(format!("it has no {MANIFEST}")),
        _ => FolderError::Io { operation: "read", path: path.clone(), source: error },
    })?;
    let mut files = BTreeMap::new();
    for line in manifest.lines() {
        let (expected, name) =
            line.split_once("  ").ok_or_else(|| incomplete(format!("{MANIFEST} has the line {line:?}")))?;
        let path = folder.join(name);
        let bytes = fs::read(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => incomplete(format!("{name} is missing")),
            _ => FolderError::Io { operation: "read", path: path.clone(), source: error },
        })?;
        let found = blake3::hash(&bytes).to_string();
        if found != expected {
            return Err(FolderError::Damaged { path, expected: expected.into(), found });
        }
        files.insert(name.to_owned(), bytes);
    }
    if files.is_empty() {
        return Err(incomplete(format!("{MANIFEST} lists no file")));
    }
    Ok(files)
}

/// Replaces the file at `path` by `bytes`: afterwards it is the old one or the new one, never half of each.
///
/// # Errors
/// [`FolderError::Io`] if the disk refuses; the old file is then still there.
pub fn replace_file(path: &Path, bytes: &[u8]) -> Result<(), FolderError> {
    let parent = path.parent().unwrap_or_else(|| Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let staging = parent.join(format!(".{name}.partial"));
    write_synced(&staging, bytes)?;
    fs::rename(&staging, path).map_err(io_error("rename", &staging))?;
    sync_folder(parent)
}
