//! How far a sink has come with a run, and what it must know again after a restart: one small file in the run's folder.

#[cfg(test)]
mod tests;

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The version of the files that this crate writes and reads.
const SCHEMA: u64 = 1;

/// How far a sink has come: `tracking/<sink>.cursor` in the run's folder.
///
/// The file is replaced as a whole, after the sink has acknowledged and never before: a kill between the two makes the same
/// records come again, which every sink bears. What the disk refuses stays in memory, for the same reason.
#[derive(Debug)]
pub struct Cursor {
    path: PathBuf,
    saved: Saved,
    last_error: Option<String>,
    notes: Vec<String>,
    /// Held as long as this process speaks for the sink.
    _lock: File,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Saved {
    schema: u64,
    acknowledged: Option<u64>,
    #[serde(default)]
    memory: Map<String, Value>,
}

impl Cursor {
    /// The cursor of `sink` for the run in `folder`; a new one begins before the first record. One that cannot be
    /// understood is set aside as `<sink>.cursor.damaged`, and everything is sent again.
    pub(crate) fn open(folder: &Path, sink: &str) -> io::Result<Self> {
        let folder = folder.join("tracking");
        fs::create_dir_all(&folder)?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(folder.join(format!("{sink}.lock")))?;
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => {
                let message = "another process is sending this run there";
                return Err(io::Error::new(ErrorKind::WouldBlock, message));
            }
            // A file system without locks still gets a cursor.
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        let path = folder.join(format!("{sink}.cursor"));
        let new = Saved { schema: SCHEMA, acknowledged: None, memory: Map::new() };
        let saved = match fs::read(&path) {
            Ok(bytes) => match serde_json::from_slice::<Saved>(&bytes) {
                Ok(saved) if saved.schema == SCHEMA => saved,
                _ => {
                    fs::rename(&path, folder.join(format!("{sink}.cursor.damaged")))?;
                    new
                }
            },
            Err(error) if error.kind() == ErrorKind::NotFound => new,
            Err(error) => return Err(error),
        };
        Ok(Self { path, saved, last_error: None, notes: Vec::new(), _lock: lock })
    }

    /// The last record that the sink has acknowledged.
    #[must_use]
    pub const fn acknowledged(&self) -> Option<u64> {
        self.saved.acknowledged
    }

    /// What the sink remembers under `key`.
    #[must_use]
    pub fn recall(&self, key: &str) -> Option<&Value> {
        self.saved.memory.get(key)
    }

    /// What the sink remembers under `key`, if it is text.
    #[must_use]
    pub fn recall_text(&self, key: &str) -> Option<&str> {
        self.recall(key).and_then(Value::as_str)
    }

    /// Remembers `value` under `key`, on the disk before this returns if the disk takes it.
    pub fn remember(&mut self, key: &str, value: Value) {
        if self.recall(key) != Some(&value) {
            self.saved.memory.insert(key.into(), value);
            self.save();
        }
    }

    /// Remembers several values with one write of the disk: after a kill all of them are known, or none.
    pub fn remember_all<'a>(&mut self, values: impl IntoIterator<Item = (&'a str, Value)>) {
        for (key, value) in values {
            self.saved.memory.insert(key.into(), value);
        }
        self.save();
    }

    /// Forgets what was remembered under `key`.
    pub fn forget(&mut self, key: &str) {
        if self.saved.memory.remove(key).is_some() {
            self.save();
        }
    }

    /// Goes back to before the first record and forgets everything: the other side has lost the run. Only before the first
    /// record of a process is taken, in [`Sink::open`](crate::Sink::open).
    pub fn start_over(&mut self) {
        self.saved = Saved { schema: SCHEMA, acknowledged: None, memory: Map::new() };
        self.save();
    }

    /// Tells a person something that stops nothing, such as that a value was cut to fit.
    pub fn tell(&mut self, words: impl Into<String>) {
        self.notes.push(words.into());
    }

    /// What is to be told, once.
    pub(crate) fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    pub(crate) fn acknowledge(&mut self, seq: u64) {
        if self.saved.acknowledged.is_none_or(|before| before < seq) {
            self.saved.acknowledged = Some(seq);
            self.save();
        }
    }

    /// What the system said if the file does not hold what this does.
    pub(crate) fn last_error(&self) -> Option<&str> {
        self.last_error.as_deref()
    }

    fn save(&mut self) {
        let written = serde_json::to_vec_pretty(&self.saved).map_err(io::Error::other).and_then(|bytes| {
            let new = self.path.with_extension("cursor.new");
            fs::write(&new, bytes)?;
            fs::rename(&new, &self.path)
        });
        self.last_error = written.err().map(|error| error.to_string());
    }
}
