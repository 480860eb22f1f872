//! What can go wrong.

use crate::{StudyId, TrialId, TrialState};

/// What can go wrong in a search.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HpoError {
    /// A study of this name is there already.
    #[error("there is a study named {name:?} already; open it instead, or choose another name")]
    StudyExists {
        /// The name.
        name: String,
    },
    /// No study of this name.
    #[error("there is no study named {name:?} in this storage")]
    UnknownStudy {
        /// The name.
        name: String,
    },
    /// No study of this id.
    #[error("there is no study with the id {} in this storage", study.0)]
    UnknownStudyId {
        /// The id.
        study: StudyId,
    },
    /// No trial of this id.
    #[error("there is no trial with the id {} in this storage", trial.0)]
    UnknownTrial {
        /// The id.
        trial: TrialId,
    },
    /// No trial of this number.
    #[error("study {study:?} has no trial {number}")]
    UnknownNumber {
        /// The study's name.
        study: String,
        /// The number.
        number: u64,
    },
    /// A finished trial was to be changed.
    #[error("trial {} is finished and cannot change any more", trial.0)]
    TrialFinished {
        /// Its id.
        trial: TrialId,
    },
    /// Values that a trial of that state cannot have.
    #[error(
        "a trial that is {state:?} cannot have the values {values:?}: {objectives} of them are due if it is complete, none of them NaN, and none if it is not finished or failed"
    )]
    Values {
        /// The state it was to have.
        state: TrialState,
        /// Its values.
        values: Vec<f64>,
        /// How many objectives the study has.
        objectives: usize,
    },
    /// A study's objectives are not what was expected.
    #[error("study {study:?} has {found} objectives, {expected} expected")]
    Objectives {
        /// Its name.
        study: String,
        /// How many it has.
        found: usize,
        /// How many were expected.
        expected: usize,
    },
    /// A study is there, but searches another way.
    #[error(
        "study {name:?} is there with the directions {found:?}, not {expected:?}: open it as it is, or choose another name"
    )]
    Directions {
        /// Its name.
        name: String,
        /// Those that it has.
        found: Vec<crate::Direction>,
        /// Those that were asked for.
        expected: Vec<crate::Direction>,
    },
    /// What a parameter may be makes no sense.
    #[error("parameter {name:?}: {fault}")]
    Distribution {
        /// The parameter.
        name: String,
        /// What is wrong and what to do.
        fault: String,
    },
    /// A parameter changed its kind within a study.
    #[error(
        "parameter {name:?} was {earlier} in trial {number} of this study and is {now} here: kind, log axis and choices must stay, so give one of them another name"
    )]
    Disagrees {
        /// The parameter.
        name: String,
        /// A trial that had it.
        number: u64,
        /// What it was.
        earlier: String,
        /// What it was to be.
        now: String,
    },
    /// A queued trial fixes a parameter to what it cannot be.
    #[error("trial {number} fixes parameter {name:?} to {value}, which is no value of {distribution}")]
    Fixed {
        /// The trial.
        number: u64,
        /// The parameter.
        name: String,
        /// What it was to be.
        value: String,
        /// What it may be.
        distribution: String,
    },
    /// An attribute that means something here cannot be read.
    #[error("attribute {key:?} of trial {number} cannot be read: {value}")]
    Attribute {
        /// The trial.
        number: u64,
        /// Its name.
        key: String,
        /// What stands there.
        value: String,
    },
    /// Declared parameters that make no sense.
    #[error("the search space cannot be used:{}", faults.iter().map(|fault| format!("\n  - {fault}")).collect::<String>())]
    Space {
        /// Every fault.
        faults: Vec<String>,
    },
    /// A sampler cannot search this study.
    #[error("the {sampler} sampler cannot search this study: {fault}")]
    Sampler {
        /// Its name.
        sampler: &'static str,
        /// Why, and what to do.
        fault: String,
    },
    /// A storage could not do what it was asked for.
    #[error("{storage}: cannot {operation}")]
    Storage {
        /// Which storage.
        storage: String,
        /// What was asked of it.
        operation: &'static str,
        /// What its database said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A storage's server did not come back in time.
    #[error("{storage} does not answer; waited {} s for it to {operation}; start its server, or wait longer", waited.as_secs())]
    Away {
        /// Which storage.
        storage: String,
        /// What was asked of it.
        operation: &'static str,
        /// How long it was waited for.
        waited: std::time::Duration,
        /// What was last heard.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Rows that cannot be read.
    #[error("{storage} holds {} that cannot be read:{}", if faults.len() == 1 { "a row".to_owned() } else { format!("{} rows", faults.len()) }, list_rows(faults))]
    Rows {
        /// Which storage.
        storage: String,
        /// Every one of them.
        faults: Vec<RowFault>,
    },
    /// Tables that are not those of the schema.
    #[error("{storage} cannot be used: {fault}")]
    Schema {
        /// Which storage.
        storage: String,
        /// What was found and what to do.
        fault: String,
    },
    /// An address that names no storage.
    #[error("{url:?} names no storage: {fault}")]
    Url {
        /// The address, without a password.
        url: String,
        /// What is wrong and what to do.
        fault: String,
    },
    /// Something that the schema cannot hold.
    #[error("cannot store {what}: {fault}")]
    Unstorable {
        /// What it is.
        what: String,
        /// Why, and what to do.
        fault: String,
    },
}

/// A row that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowFault {
    /// Its table.
    pub table: &'static str,
    /// The value of its primary key.
    pub row: i64,
    /// What is wrong and what to do.
    pub fault: String,
}

impl RowFault {
    /// A study that nobody can say what is better in.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(crate) fn study_without_directions(study: StudyId) -> Self {
        let fault =
            "it has no rows in study_directions: write one for each objective, counted from 0".to_owned();
        Self { table: "studies", row: study.0, fault }
    }
}

/// More are counted and not listed.
const LISTED_ROWS: usize = 20;

fn list_rows(faults: &[RowFault]) -> String {
    let listed = faults.iter().take(LISTED_ROWS);
    let mut lines: String =
        listed.map(|RowFault { table, row, fault }| format!("\n  - row {row} of {table}: {fault}")).collect();
    if faults.len() > LISTED_ROWS {
        lines.push_str(&format!("\n  - and {} more", faults.len() - LISTED_ROWS));
    }
    lines
}
