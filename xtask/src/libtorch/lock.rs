//! One process at a time lays out libtorch.

#[cfg(test)]
mod tests;

use std::fs::{File, TryLockError};
use std::path::Path;

use anyhow::{Context as _, Result};

/// Holds the lock until it is dropped, or until the process ends in whatever way.
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock at `path`; when another has it, calls `on_wait` once and waits.
    pub(super) fn acquire(path: &Path, on_wait: impl FnOnce()) -> Result<Self> {
        let context = || format!("cannot lock {}", path.display());
        let file = File::options().create(true).append(true).open(path).with_context(context)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                on_wait();
                file.lock().with_context(context)?;
            }
            Err(TryLockError::Error(error)) => return Err(error).with_context(context),
        }
        Ok(Self { _file: file })
    }
}
