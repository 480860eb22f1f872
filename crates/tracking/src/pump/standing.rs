//! How a sink fares.

/// How far a sink has come, and what keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The sink's name.
    pub sink: &'static str,
    /// The last record that it acknowledged.
    pub acknowledged: Option<u64>,
    /// What keeps it now; `None` when all is well.
    pub fault: Option<String>,
    /// Whether it has everything: each record up to the journal's end, and the run's files.
    pub(super) complete: bool,
    /// Whether its thread has ended.
    pub(super) over: bool,
}

impl Standing {
    pub(super) const fn new(sink: &'static str) -> Self {
        Self { sink, acknowledged: None, fault: None, complete: false, over: false }
    }

    /// True when the sink has everything: each record up to the journal's end, and the run's files.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.complete
    }

    /// True when nothing more will come of it: it has everything, or was given up.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.over
    }
}

/// What a person should know about a sink, told when it begins and not each time.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum News {
    /// It cannot be reached or refuses; it is tried again.
    Failed(String),
    /// It will not be tried again in this process.
    GivenUp(String),
    /// It works again.
    Recovered,
    /// Something that stops nothing.
    Note(String),
}
