//! What a journal is written on: a file, or in tests something that fails on purpose.

use std::fs::File;
use std::io::{self, Write};

/// Bytes that grow at the end.
pub(super) trait Medium {
    /// Adds all of `bytes`, or fails with any part of them added.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Forgets everything behind the first `length` bytes.
    fn cut_to(&mut self, length: u64) -> io::Result<()>;

    /// Returns when a power cut can no longer take what was added.
    fn sync(&mut self) -> io::Result<()>;
}

/// A file opened for appending: after a cut, the next write lands at the new end.
impl Medium for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn cut_to(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}
