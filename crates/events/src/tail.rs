//! Reading a journal while it is written.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::record::parse_line;
use crate::{JournalError, Record};

/// Bytes that are read at a time: some hundreds of steps. A longer line is read whole.
const CHUNK: usize = 64 * 1024;

/// Reads the records of a journal one after another, and goes on where it was once there are more. It takes no lock, and
/// holds one chunk of the file at a time, however long the journal is.
///
/// Only finished lines are read. A half line is left where it is and looked at again: its writer may still be at it, or
/// may cut it off and write something else in its place.
#[derive(Debug)]
pub struct Tail {
    path: PathBuf,
    file: Option<File>,
    /// Bytes of the lines that were read.
    offset: u64,
    /// Lines that were read.
    lines: usize,
    previous: Option<u64>,
    ready: VecDeque<Record>,
}

impl Tail {
    /// Before the first record of the journal at `path`, which need not be there yet.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        Self { path: path.into(), file: None, offset: 0, lines: 0, previous: None, ready: VecDeque::new() }
    }

    /// The next record; `None` when there is none yet.
    ///
    /// # Errors
    /// When the file cannot be read, a finished line is not a record of [`SCHEMA`](crate::SCHEMA), or sequence numbers do
    /// not grow. The next call tries again at the same place.
    pub fn next_record(&mut self) -> Result<Option<Record>, JournalError> {
        if self.ready.is_empty() {
            // A line that is cut off and written anew between two reads looks like none; on a second look it is whole.
            let read = self.read_chunk().or_else(|_| self.read_chunk());
            // What lies before a bad line comes first.
            if self.ready.is_empty() {
                read?;
            }
        }
        Ok(self.ready.pop_front())
    }

    fn read_chunk(&mut self) -> Result<(), JournalError> {
        let read = |source| JournalError::Read { path: self.path.clone(), source };
        if self.file.is_none() {
            match File::open(&self.path) {
                Ok(file) => self.file = Some(file),
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(read(error)),
            }
        }
        let Some(file) = &self.file else { return Ok(()) };
        let bytes = finished_lines(file, self.offset).map_err(read)?;
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let record = parse_line(line, self.lines + 1, &self.path)?;
            if let Some(previous) = self.previous
                && record.seq <= previous
            {
                let (path, line, found) = (self.path.clone(), self.lines + 1, record.seq);
                return Err(JournalError::Sequence { path, line, previous, found });
            }
            self.previous = Some(record.seq);
            self.lines += 1;
            self.offset += line.len() as u64;
            self.ready.push_back(record);
        }
        Ok(())
    }
}

/// A chunk of `file` from `offset`, up to and with its last line break; empty where no line is finished.
fn finished_lines(file: &File, offset: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let held = bytes.len();
        bytes.resize(held + CHUNK, 0);
        let read = read_up_to(file, &mut bytes[held..], offset + held as u64)?;
        bytes.truncate(held + read);
        if let Some(end) = bytes[held..].iter().rposition(|byte| *byte == b'\n') {
            bytes.truncate(held + end + 1);
            return Ok(bytes);
        }
        if read < CHUNK {
            return Ok(Vec::new());
        }
    }
}

/// Fills `buffer` as far as the file goes.
fn read_up_to(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
