//! What can go wrong with a journal before or after a run. While it runs, nothing can: see [`crate::Health`].

use std::io;
use std::path::PathBuf;

/// Why a journal could not be opened or read. Each variant names the operation that failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The file could not be opened for appending.
    #[error("cannot open the journal {}", path.display())]
    Open {
        /// The journal.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Another process is writing to it.
    #[error("the journal {} is being written by another process", path.display())]
    Busy {
        /// The journal.
        path: PathBuf,
    },
    /// The file could not be read.
    #[error("cannot read the journal {}", path.display())]
    Read {
        /// The journal.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A torn last line could not be cut off.
    #[error("cannot cut the torn last line off the journal {}", path.display())]
    CutTornLine {
        /// The journal.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A finished line is not a record.
    #[error("line {line} of the journal {} is not a record", path.display())]
    Line {
        /// The journal.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What the parser said.
        #[source]
        source: serde_json::Error,
    },
    /// A line was written by another version.
    #[error(
        "line {line} of the journal {} has schema {found}; this version reads schema {}",
        path.display(),
        crate::SCHEMA
    )]
    Schema {
        /// The journal.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// The schema found.
        found: u64,
    },
    /// Sequence numbers do not grow: two journals were mixed, or lines were moved.
    #[error(
        "line {line} of the journal {} has sequence number {found} after {previous}; they must grow",
        path.display()
    )]
    Sequence {
        /// The journal.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// The number of the line before.
        previous: u64,
        /// The number found.
        found: u64,
    },
}
