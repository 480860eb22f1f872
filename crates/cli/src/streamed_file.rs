//! A file that is written bit by bit beside its place and moved there once it is whole. Until then whoever looks sees the old
//! one or none; whoever gives up leaves nothing.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// A file that is not in its place yet.
pub(crate) struct StreamedFile {
    file: File,
    partial: PathBuf,
    path: PathBuf,
    finished: bool,
}

impl StreamedFile {
    /// Begins to write the file that will be at `path`. What a killed process has left of it is written over; one that is
    /// still at it is not disturbed.
    pub(crate) fn begin(path: &Path) -> anyhow::Result<Self> {
        let name = path.file_name().with_context(|| format!("{} names no file", path.display()))?;
        if path.is_dir() {
            bail!("{} is a folder; name a file", path.display());
        }
        let partial = path.with_file_name(format!(".{}.partial", name.to_string_lossy()));
        let context = || format!("cannot write {}", partial.display());
        let file = File::options().create(true).truncate(false).write(true).open(&partial);
        let file = file.with_context(context)?;
        let busy = || format!("{} is being written by another process", path.display());
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => bail!(busy()),
            locked => locked.with_context(context)?,
        }
        // Whoever had it may have moved it into its place before the lock was free.
        if !is_still_at(&file, &partial).with_context(context)? {
            bail!(busy());
        }
        file.set_len(0).with_context(context)?;
        Ok(Self { file, partial, path: path.into(), finished: false })
    }

    /// Moves the file into its place, once the disk has all of it.
    pub(crate) fn finish(mut self) -> anyhow::Result<()> {
        let context = || format!("cannot write {}", self.path.display());
        self.file.sync_all().with_context(context)?;
        fs::rename(&self.partial, &self.path).with_context(context)?;
        self.finished = true;
        let parent = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let folder = File::open(parent.unwrap_or(Path::new("."))).with_context(context)?;
        folder.sync_all().with_context(context)
    }
}

/// True while `path` names the very file that is open.
fn is_still_at(file: &File, path: &Path) -> io::Result<bool> {
    let (open, named) = (file.metadata()?, fs::metadata(path)?);
    Ok((open.dev(), open.ino()) == (named.dev(), named.ino()))
}

impl Write for StreamedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for StreamedFile {
    fn drop(&mut self) {
        if !self.finished {
            // There is no one left to tell; the next attempt writes over it.
            let _ = fs::remove_file(&self.partial);
        }
    }
}
