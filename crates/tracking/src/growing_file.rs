//! A file that grows by whole batches, and is as long as its sink remembers.

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

/// A file that grows by whole batches. What a kill or a full disk left of another batch is cut off.
#[derive(Debug)]
pub(crate) struct GrowingFile {
    path: PathBuf,
    file: File,
    bytes: u64,
}

impl GrowingFile {
    /// A new, empty file; the folders above it are made.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        Ok(Self { path: path.into(), file: File::create(path)?, bytes: 0 })
    }

    /// The file of which the first `bytes` count; `None` if it has fewer or is gone.
    pub(crate) fn reopen(path: &Path, bytes: u64) -> io::Result<Option<Self>> {
        let file = match File::options().write(true).open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        if file.metadata()?.len() < bytes {
            return Ok(None);
        }
        file.set_len(bytes)?;
        Ok(Some(Self { path: path.into(), file, bytes }))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// How long it is.
    pub(crate) const fn len(&self) -> u64 {
        self.bytes
    }

    /// Adds `batch`, whole or not at all.
    pub(crate) fn append(&mut self, batch: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.bytes))?;
        if let Err(error) = self.file.write_all(batch) {
            // Should this fail too, the next append writes over it and the next process cuts it off.
            drop(self.file.set_len(self.bytes));
            return Err(error);
        }
        self.bytes += batch.len() as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_remembered_is_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("below/file");
        let mut file = GrowingFile::create(&path).unwrap();
        file.append(b"one").unwrap();
        let remembered = file.len();
        file.append(b"half").unwrap();
        drop(file);
        let mut again = GrowingFile::reopen(&path, remembered).unwrap().unwrap();
        again.append(b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"onetwo");
        assert!(GrowingFile::reopen(&path, 7).unwrap().is_none(), "it is shorter than that");
        assert!(GrowingFile::reopen(&folder.path().join("gone"), 0).unwrap().is_none());
    }
}
