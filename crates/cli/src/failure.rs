//! How a command fails, and the exit code that says so.

use std::fmt::Write as _;

use tapeline_artefact::RegistryError;
use tapeline_data_pipeline::{DataError, IngestError};
use tapeline_trainer::TrainError;

/// The command did what it should.
pub(crate) const DONE: i32 = 0;
/// Something failed that the input is not to blame for.
pub(crate) const FAILED: i32 = 1;
/// The input or the configuration is wrong.
pub(crate) const BAD_INPUT: i32 = 2;
/// A signal came; what was done is saved.
pub(crate) const INTERRUPTED: i32 = 130;

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct Failure {
    code: i32,
    cause: anyhow::Error,
}

impl Failure {
    /// The input is wrong.
    pub(crate) fn bad_input(cause: impl Into<anyhow::Error>) -> Self {
        Self { code: BAD_INPUT, cause: cause.into() }
    }

    /// Anything else.
    pub(crate) fn failed(cause: impl Into<anyhow::Error>) -> Self {
        Self { code: FAILED, cause: cause.into() }
    }

    /// What the process exits with.
    pub(crate) const fn code(&self) -> i32 {
        self.code
    }

    /// The error and its causes, one a line.
    pub(crate) fn message(&self) -> String {
        let mut causes = self.cause.chain();
        let mut text = causes.next().map(ToString::to_string).unwrap_or_default();
        for cause in causes {
            let _ = write!(text, "\n  because {cause}"); // writing to a String cannot fail
        }
        text
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message())
    }
}

/// An error among others, where it passes through what knows no exit codes.
impl std::error::Error for Failure {}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Self {
        match error {
            DataError::WriteFile { .. } | DataError::WriteParquet { .. } => Self::failed(error),
            _ => Self::bad_input(error),
        }
    }
}

impl From<IngestError> for Failure {
    fn from(error: IngestError) -> Self {
        match error {
            IngestError::Read(error) => error.into(),
            IngestError::Locked { .. } | IngestError::WriteFile { .. } | IngestError::WriteParquet { .. } => {
                Self::failed(error)
            }
            _ => Self::bad_input(error),
        }
    }
}

impl From<TrainError> for Failure {
    fn from(error: TrainError) -> Self {
        match error {
            TrainError::EmptySpan { .. }
            | TrainError::UnknownMetric { .. }
            | TrainError::UndefinedMetric { .. }
            | TrainError::CurriculumLabel { .. }
            | TrainError::Precision { .. }
            | TrainError::NoSuchPart { .. }
            | TrainError::LrFind { .. }
            | TrainError::Lineage { .. }
            | TrainError::NoCheckpoint { .. } => Self::bad_input(error),
            _ => Self::failed(error),
        }
    }
}

impl From<RegistryError> for Failure {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Refused { .. } | RegistryError::Folder(_) => Self::failed(error),
            _ => Self::bad_input(error),
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::failed(error)
    }
}
