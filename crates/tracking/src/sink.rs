//! What a tracker is to the pump.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use tapeline_events::Record;

use crate::Cursor;

/// A record on its way to a sink.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// What the journal says.
    pub record: Record,
    /// Whether it says again what an earlier record said, because the run was resumed from before it
    /// ([`tapeline_events::Repeats`]). The numbers are the same; who cannot take back what it wrote passes it over.
    pub repeated: bool,
    /// Updates done when it happened, also where the event itself does not say so.
    pub step: u64,
}

impl Told {
    /// When it was recorded.
    pub(crate) fn at(&self) -> Result<Timestamp, SinkFault> {
        self.record.at.parse().map_err(|error: jiff::Error| {
            let message = format!("record {} has no time that can be read", self.record.seq);
            SinkFault::lasting(message).because(error)
        })
    }
}

/// A file of the run, for sinks that keep files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFile {
    /// Its name below the run's folder, with `/` between folders, such as `artefact/model.safetensors`.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
}

/// A tracker. It lives on a thread of its own, where it may wait, and may fail in any call: the pump tells the fault once,
/// waits a while and calls again. A call that is repeated after a fault must not double what the first try achieved.
pub trait Sink: Send {
    /// Its name: that of its section under `tracking:`, of its files in the run's folder, and for `replay --sink`.
    fn name(&self) -> &'static str;

    /// Gets ready, such as by finding or making the run on a server. Called before anything else, and until it succeeds.
    /// What it must know again after a restart belongs into the cursor at once ([`Cursor::remember`]).
    ///
    /// # Errors
    /// When it cannot; it is called again.
    fn open(&mut self, _cursor: &mut Cursor) -> Result<(), SinkFault> {
        Ok(())
    }

    /// Takes records, in the order of the journal: never empty, without gaps between calls, and beginning behind what was
    /// acknowledged last. Returns the number of the last record that it will never need again: at least the first one's;
    /// where it is not the last one's, the rest is given again, with what came since.
    ///
    /// # Errors
    /// When not even the first could be kept for good; the same records are given again.
    fn take(&mut self, told: &[Told], cursor: &mut Cursor) -> Result<u64, SinkFault>;

    /// Takes the files of the run, once its journal has come to an end for now. A run that is resumed or evaluated later
    /// is finished again.
    ///
    /// # Errors
    /// When it cannot; it is called again.
    fn finish(&mut self, _files: &[RunFile], _cursor: &mut Cursor) -> Result<(), SinkFault> {
        Ok(())
    }
}

/// Why a sink could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct SinkFault {
    message: String,
    lasting: bool,
    after: Option<Duration>,
    #[source]
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl SinkFault {
    /// Something that may be over in a while: nobody answers, a disk is full.
    #[must_use]
    pub fn passing(message: impl Into<String>) -> Self {
        Self { message: message.into(), lasting: false, after: None, source: None }
    }

    /// Something that waiting does not mend: wrong credentials, a request that the other side calls wrong. The sink is not
    /// called again in this process.
    #[must_use]
    pub fn lasting(message: impl Into<String>) -> Self {
        Self { message: message.into(), lasting: true, after: None, source: None }
    }

    /// With the cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// With the time that the other side asks to wait.
    #[must_use]
    pub const fn after(mut self, wait: Option<Duration>) -> Self {
        self.after = wait;
        self
    }

    /// Whether waiting does not mend it.
    #[must_use]
    pub const fn is_lasting(&self) -> bool {
        self.lasting
    }

    /// How long the other side asks to wait.
    #[must_use]
    pub const fn wait(&self) -> Option<Duration> {
        self.after
    }

    /// The fault and its causes on one line.
    #[must_use]
    pub fn in_words(&self) -> String {
        let mut words = self.message.clone();
        let mut cause = self.source();
        while let Some(error) = cause {
            words.push_str(": ");
            words.push_str(&error.to_string());
            cause = error.source();
        }
        words
    }
}
