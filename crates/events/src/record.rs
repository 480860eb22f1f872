//! One line of a journal, and reading them all.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{Event, JournalError};

/// The version of the lines that this crate writes and reads.
pub const SCHEMA: u64 = 1;

/// One line of a journal: an event, its place and its time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The version of this line; [`SCHEMA`].
    pub schema: u64,
    /// Grows by one per event from 0, over resumptions too. A gap says that records were lost (a disk that stayed full).
    pub seq: u64,
    /// When it was recorded, RFC 3339, by the clock that the caller gave.
    pub at: String,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// The finished lines of a journal, and how many bytes they take.
pub(crate) struct Finished {
    pub(crate) records: Vec<Record>,
    /// Bytes up to and with the last line break. What lies behind is torn.
    pub(crate) bytes: u64,
    /// Bytes behind the last line break.
    pub(crate) torn_bytes: u64,
}

/// Reads all records of the journal at `path`. A last line without its line break is what a kill in mid-write leaves; it
/// is passed over. Any other line that is not a record is an error that names it.
///
/// # Errors
/// When the file cannot be read, a finished line is not a record of [`SCHEMA`], or sequence numbers do not grow.
pub fn read(path: &Path) -> Result<Vec<Record>, JournalError> {
    let bytes = fs::read(path).map_err(|source| JournalError::Read { path: path.into(), source })?;
    parse(&bytes, path).map(|finished| finished.records)
}

pub(crate) fn parse(bytes: &[u8], path: &Path) -> Result<Finished, JournalError> {
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    let (finished, torn) = bytes.split_at(end);
    let mut records: Vec<Record> = Vec::new();
    for (index, line) in finished.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let record = parse_line(line, index + 1, path)?;
        if let Some(previous) = records.last().map(|previous| previous.seq)
            && record.seq <= previous
        {
            return Err(JournalError::Sequence {
                path: path.into(),
                line: index + 1,
                previous,
                found: record.seq,
            });
        }
        records.push(record);
    }
    Ok(Finished { records, bytes: finished.len() as u64, torn_bytes: torn.len() as u64 })
}

pub(crate) fn parse_line(text: &[u8], line: usize, path: &Path) -> Result<Record, JournalError> {
    /// What every version of a line has.
    #[derive(Deserialize)]
    struct Version {
        schema: u64,
    }

    // The version is judged first: a newer line may hold kinds that do not parse here.
    let not_a_record = |source| JournalError::Line { path: path.into(), line, source };
    let Version { schema: found } = serde_json::from_slice(text).map_err(not_a_record)?;
    if found != SCHEMA {
        return Err(JournalError::Schema { path: path.into(), line, found });
    }
    serde_json::from_slice(text).map_err(not_a_record)
}
