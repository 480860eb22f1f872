//! One process at a time in a layout, and a place for files that are not finished.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::error::IngestError;

/// Held by the one process that may write. The system lets go of it when that process ends, however it ends.
const LOCK: &str = ".ingest.lock";
/// Where files are made before they come to their place.
const STAGING: &str = ".ingest";

/// The right to write into a layout.
pub(super) struct Exclusive {
    staging: PathBuf,
    _lock: File,
}

impl Exclusive {
    /// Makes the folder of the layout if need be, locks it, and clears away what a killed process has left.
    pub(super) fn acquire(into: &Path) -> Result<Self, IngestError> {
        let write_error = |path: &Path, source| IngestError::WriteFile { path: path.into(), source };
        fs::create_dir_all(into).map_err(|source| write_error(into, source))?;
        let path = into.join(LOCK);
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let lock = lock.map_err(|source| write_error(&path, source))?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => IngestError::Locked { into: into.into() },
            TryLockError::Error(source) => write_error(&path, source),
        })?;
        let staging = into.join(STAGING);
        remove_if_there(&staging).map_err(|source| write_error(&staging, source))?;
        fs::create_dir(&staging).map_err(|source| write_error(&staging, source))?;
        Ok(Self { staging, _lock: lock })
    }

    /// A folder on the file system of the layout that is removed in the end.
    pub(super) fn staging(&self) -> &Path {
        &self.staging
    }
}

impl Drop for Exclusive {
    fn drop(&mut self) {
        let _ = remove_if_there(&self.staging); // what is left is cleared away by whoever comes next
    }
}

fn remove_if_there(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
