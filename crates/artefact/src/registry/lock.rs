//! One change at a time: an advisory lock that the system lets go of when its process ends, however it ends.

use std::fs::{self, File};
use std::path::Path;

use crate::verified_folder::{FolderError, io_error};

const LOCK: &str = ".lock";

/// Held while a model is changed.
#[must_use]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Waits until nobody else changes the model in `folder`, which is made if need be.
    pub(super) fn take(folder: &Path) -> Result<Self, FolderError> {
        fs::create_dir_all(folder).map_err(io_error("create", folder))?;
        let path = folder.join(LOCK);
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(io_error("open", &path))?;
        file.lock().map_err(io_error("lock", &path))?;
        Ok(Self { _file: file })
    }
}
