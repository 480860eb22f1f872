//! The journal: an observer that appends every event to a file and is never the reason that a run stops.

mod backlog;
mod medium;
#[cfg(test)]
mod tests;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::Path;

use serde::Serialize;

use crate::record::{self, SCHEMA};
use crate::{Event, JournalError, Observer};
use backlog::Backlog;
use medium::Medium;

/// Records that are kept in memory while the disk refuses them: hours of training, some tens of megabytes.
const BACKLOG_RECORDS: usize = 100_000;

/// An append-only file of [`crate::Record`]s, one JSON object per line.
///
/// Every record is handed to the system in one write, so a kill loses at most the line being written, and the next
/// [`Journal::open`] cuts that line off. Records that a power cut must not lose are also synced to the disk: the ends of
/// epochs, checkpoints, interruptions, scores, openings of the test span and the end of the run. Steps in between are not,
/// because a resumed run repeats those that lie behind its checkpoint.
///
/// A write that fails (a full disk) stops nothing: its half line is cut off, the record waits in memory, and the next event
/// tries again, oldest first. Past 100,000 waiting records the oldest are dropped and counted. [`Journal::health`] tells.
pub struct Journal {
    medium: Box<dyn Medium + Send>,
    clock: Box<dyn FnMut() -> String + Send>,
    next_seq: u64,
    /// Bytes of finished lines.
    bytes: u64,
    /// Whether half a line may lie behind `bytes`.
    torn: bool,
    /// Whether a record that must survive a power cut has been written since the last sync.
    sync_due: bool,
    backlog: Backlog,
    written: u64,
    last_error: Option<String>,
}

/// A journal ready for the next event, and what had to be done to it.
#[must_use]
pub struct Opened {
    /// The journal.
    pub journal: Journal,
    /// The half line that was cut off, if a kill or a power cut left one.
    pub torn: Option<TornLine>,
}

/// A last line without its line break, cut off when the journal was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TornLine {
    /// Its line number, counted from 1.
    pub line: usize,
    /// How many bytes of it there were.
    pub bytes: u64,
}

/// How a journal fares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Records handed to the system since the journal was opened.
    pub written: u64,
    /// Records waiting in memory; lost if the process ends now.
    pub waiting: usize,
    /// Records given up because too many were waiting.
    pub dropped: u64,
    /// What the system said about the latest failed write or sync, even if a later one succeeded.
    pub last_error: Option<String>,
}

impl Health {
    /// True when every record has been handed to the system.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.waiting == 0 && self.dropped == 0
    }
}

/// A [`crate::Record`] that borrows its event.
#[derive(Serialize)]
struct Line<'a> {
    schema: u64,
    seq: u64,
    at: &'a str,
    #[serde(flatten)]
    event: &'a Event,
}

impl Journal {
    /// Opens the journal at `path` for appending, or makes it, and locks it until it is dropped. Sequence numbers go on
    /// where they were; a torn last line is cut off and told. `clock` gives the time of each record, RFC 3339.
    ///
    /// # Errors
    /// When the file cannot be opened, read or mended, is being written by another process, or holds a finished line that
    /// is not a record.
    pub fn open(path: &Path, clock: impl FnMut() -> String + Send + 'static) -> Result<Opened, JournalError> {
        let open = |source| JournalError::Open { path: path.into(), source };
        let file = OpenOptions::new().append(true).create(true).open(path).map_err(open)?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => return Err(JournalError::Busy { path: path.into() }),
            // A file system without locks still gets a journal.
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        let bytes = fs::read(path).map_err(|source| JournalError::Read { path: path.into(), source })?;
        let finished = record::parse(&bytes, path)?;
        let torn = (finished.torn_bytes > 0)
            .then(|| TornLine { line: finished.records.len() + 1, bytes: finished.torn_bytes });
        if torn.is_some() {
            file.set_len(finished.bytes)
                .map_err(|source| JournalError::CutTornLine { path: path.into(), source })?;
        }
        if bytes.is_empty() {
            sync_folder_of(path);
        }
        let next_seq = finished.records.last().map_or(0, |last| last.seq + 1);
        let journal = Self::on(Box::new(file), next_seq, finished.bytes, BACKLOG_RECORDS, Box::new(clock));
        Ok(Opened { journal, torn })
    }

    fn on(
        medium: Box<dyn Medium + Send>,
        next_seq: u64,
        bytes: u64,
        backlog_records: usize,
        clock: Box<dyn FnMut() -> String + Send>,
    ) -> Self {
        Self {
            medium,
            clock,
            next_seq,
            bytes,
            torn: false,
            sync_due: false,
            backlog: Backlog::with_room_for(backlog_records),
            written: 0,
            last_error: None,
        }
    }

    /// Records `event` with the clock's time. What the disk refuses waits in memory.
    pub fn append(&mut self, event: &Event) {
        let at = (self.clock)();
        let seq = self.next_seq;
        self.next_seq += 1;
        let mut line = Vec::with_capacity(256);
        if let Err(error) = serde_json::to_writer(&mut line, &Line { schema: SCHEMA, seq, at: &at, event }) {
            // No event holds a map with keys that are not strings, the one thing that JSON refuses.
            self.last_error = Some(error.to_string());
            return;
        }
        line.push(b'\n');
        self.backlog.push(line);
        self.sync_due |= must_survive_power_cut(event);
        self.write_waiting();
    }

    /// How the journal fares.
    #[must_use]
    pub fn health(&self) -> Health {
        Health {
            written: self.written,
            waiting: self.backlog.len(),
            dropped: self.backlog.dropped(),
            last_error: self.last_error.clone(),
        }
    }

    /// Writes what waits, oldest first, until the medium refuses.
    fn write_waiting(&mut self) {
        if self.torn && !self.cut_half_line() {
            return;
        }
        while let Some(line) = self.backlog.oldest() {
            let length = line.len() as u64;
            if let Err(error) = self.medium.append(line) {
                self.last_error = Some(error.to_string());
                self.torn = true;
                self.cut_half_line();
                return;
            }
            self.bytes += length;
            self.written += 1;
            self.backlog.pop();
        }
        if self.sync_due {
            // One try: after a failed sync the system may already have given the pages up, so a second tells nothing.
            self.sync_due = false;
            if let Err(error) = self.medium.sync() {
                self.last_error = Some(error.to_string());
            }
        }
    }

    /// Cuts back to the last finished line. False if that failed too, and is to be tried before the next write.
    fn cut_half_line(&mut self) -> bool {
        match self.medium.cut_to(self.bytes) {
            Ok(()) => self.torn = false,
            Err(error) => self.last_error = Some(error.to_string()),
        }
        !self.torn
    }
}

impl Observer for Journal {
    fn observe(&mut self, event: &Event) {
        self.append(event);
    }
}

const fn must_survive_power_cut(event: &Event) -> bool {
    match event {
        Event::RunStarted { .. }
        | Event::EpochEnded { .. }
        | Event::CheckpointSaved { .. }
        | Event::EarlyStopped { .. }
        | Event::Interrupted { .. }
        | Event::TestSpanOpened { .. }
        | Event::Scored { .. }
        | Event::TargetsChecked { .. }
        | Event::RunEnded { .. } => true,
        Event::CheckpointDamaged { .. }
        | Event::ResumedFrom { .. }
        | Event::EpochStarted { .. }
        | Event::Step { .. }
        | Event::GuardTripped { .. }
        | Event::StepTimes { .. }
        | Event::Histograms { .. }
        | Event::CheckpointFailed { .. }
        | Event::System { .. }
        | Event::Warning { .. } => false,
    }
}

/// Makes a new file's name survive a power cut.
fn sync_folder_of(path: &Path) {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Not every system can sync a folder; where it cannot, the file's name is as safe as that system makes it.
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
}
