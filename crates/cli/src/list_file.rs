//! A list that grows: a line of JSON for each entry, written by many processes side by side.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Where such a list lies.
pub(crate) struct ListFile {
    path: PathBuf,
}

impl ListFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Its entries, in the order they were written. A line that is none was torn by a full disk, and left out.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> anyhow::Result<Vec<T>> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", self.path.display())),
        };
        // A line may be torn in the middle of a character.
        let text = String::from_utf8_lossy(&bytes);
        Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }

    /// Writes one more entry, which is on the disk when this returns.
    pub(crate) fn append(&self, entry: &impl Serialize) -> io::Result<()> {
        let mut file = File::options().read(true).append(true).create(true).open(&self.path)?;
        let mut last = [b'\n'];
        if file.metadata()?.len() > 0 {
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
        }
        // What a full disk tore stays a line of its own.
        let before = if last == [b'\n'] { "" } else { "\n" };
        let line = format!("{before}{}\n", serde_json::to_string(entry)?);
        // One write to a file that is only appended to: those side by side do not cut each other's lines.
        file.write_all(line.as_bytes())?;
        file.sync_all()
    }
}
