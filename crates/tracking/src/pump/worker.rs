//! One sink's thread: read, hand over, note how far it came, wait.

use std::io::ErrorKind;
use std::path::Path;

use tapeline_events::{Repeats, Tail};

use super::{News, Pace, Seat, Tell};
use crate::backoff::Backoff;
use crate::{Cursor, Sink, SinkFault, Told};

pub(super) struct Worker {
    sink: Box<dyn Sink>,
    opened: bool,
    tail: Tail,
    repeats: Repeats,
    /// Updates done, as the journal told last.
    step: u64,
    /// Read and not yet acknowledged.
    batch: Vec<Told>,
    seat: Seat,
    pace: Pace,
    backoff: Backoff,
    /// Whether the cursor on the disk is behind, and that was told.
    unsaved: bool,
    tell: Tell,
}

/// What a round came to.
enum Round {
    Moved,
    NothingNew,
    Complete,
}

impl Worker {
    pub(super) fn new(sink: Box<dyn Sink>, journal: &Path, seat: Seat, pace: Pace, tell: Tell) -> Self {
        // Sinks of one run do not wait in step either.
        let backoff =
            Backoff::new(pace.first_wait, pace.longest_wait, pace.seed ^ ((seat.index as u64) << 32));
        let (tail, repeats, batch) = (Tail::of(journal), Repeats::default(), Vec::new());
        Self { sink, opened: false, tail, repeats, step: 0, batch, seat, pace, backoff, unsaved: false, tell }
    }

    /// Works until the sink has everything, is given up, or nobody needs it any longer.
    pub(super) fn run(mut self, folder: &Path) {
        let mut cursor: Option<Cursor> = None;
        let mut failures_since_end = 0;
        loop {
            let files = self.seat.files();
            let ended = files.is_some();
            let round = match &mut cursor {
                Some(cursor) => {
                    let round = self.round(files.as_deref(), cursor);
                    self.tell_notes(cursor);
                    round
                }
                none => self.open_cursor(folder).map(|opened| {
                    *none = Some(opened);
                    Round::Moved
                }),
            };
            let goes_on = match round {
                Ok(Round::Complete) => {
                    self.seat.update(|standing| standing.complete = true);
                    self.recover();
                    false
                }
                Ok(Round::Moved) => {
                    self.recover();
                    self.seat.wait(std::time::Duration::ZERO, ended)
                }
                Ok(Round::NothingNew) => self.seat.wait(self.pace.poll, ended),
                Err(fault) => {
                    failures_since_end += u32::from(ended);
                    self.fail(&fault, ended, failures_since_end)
                }
            };
            if !goes_on {
                return;
            }
        }
    }

    fn open_cursor(&mut self, folder: &Path) -> Result<Cursor, SinkFault> {
        let cursor = Cursor::open(folder, self.sink.name()).map_err(|error| match error.kind() {
            ErrorKind::WouldBlock => SinkFault::lasting("it is busy").because(error),
            _ => SinkFault::passing("its cursor cannot be opened").because(error),
        })?;
        self.seat.update(|standing| standing.acknowledged = cursor.acknowledged());
        Ok(cursor)
    }

    fn round(&mut self, files: Option<&[crate::RunFile]>, cursor: &mut Cursor) -> Result<Round, SinkFault> {
        if !self.opened {
            self.sink.open(cursor)?;
            self.opened = true;
        }
        self.fill(cursor)?;
        if let Some(first) = self.batch.first() {
            let first = first.record.seq;
            let acknowledged = self.sink.take(&self.batch, cursor)?;
            if acknowledged < first {
                return Err(SinkFault::passing("it took nothing"));
            }
            // Behind the acknowledgement and never before it: a kill in between makes the records come again.
            cursor.acknowledge(acknowledged);
            self.batch.retain(|told| told.record.seq > acknowledged);
            self.seat.update(|standing| standing.acknowledged = Some(acknowledged));
            return Ok(Round::Moved);
        }
        let Some(files) = files else { return Ok(Round::NothingNew) };
        self.sink.finish(files, cursor)?;
        Ok(Round::Complete)
    }

    /// Reads on, as far as the batch has room. The journal is always read from its beginning, to know what is repeated.
    fn fill(&mut self, cursor: &Cursor) -> Result<(), SinkFault> {
        while self.batch.len() < self.pace.batch {
            let record = self.tail.next_record();
            let record =
                record.map_err(|error| SinkFault::lasting("the journal cannot be read").because(error))?;
            let Some(record) = record else { break };
            let repeated = self.repeats.hear(&record.event);
            self.step = record.event.step().unwrap_or(self.step);
            if cursor.acknowledged().is_none_or(|acknowledged| record.seq > acknowledged) {
                self.batch.push(Told { record, repeated, step: self.step });
            }
        }
        Ok(())
    }

    fn recover(&mut self) {
        if self.backoff.failures() > 0 {
            self.backoff.succeeded();
            self.seat.update(|standing| standing.fault = None);
            (self.tell)(self.sink.name(), &News::Recovered);
        }
    }

    /// Tells the first of a row of failures and waits. False when the sink is given up.
    fn fail(&mut self, fault: &SinkFault, ended: bool, failures_since_end: u32) -> bool {
        let words = fault.in_words();
        let given_up = fault.is_lasting() || failures_since_end >= self.pace.last_tries;
        self.seat.update(|standing| standing.fault = Some(words.clone()));
        if given_up {
            (self.tell)(self.sink.name(), &News::GivenUp(words));
            return false;
        }
        if self.backoff.failures() == 0 {
            (self.tell)(self.sink.name(), &News::Failed(words));
        }
        let wait = self.backoff.failed(fault.wait());
        self.seat.wait(wait, ended)
    }

    fn tell_notes(&mut self, cursor: &mut Cursor) {
        let unsaved = cursor.last_error();
        if let Some(error) = unsaved.filter(|_| !self.unsaved) {
            let words = format!("how far it came cannot be noted, and it may get everything again: {error}");
            (self.tell)(self.sink.name(), &News::Note(words));
        }
        self.unsaved = unsaved.is_some();
        for note in cursor.take_notes() {
            (self.tell)(self.sink.name(), &News::Note(note));
        }
    }
}
