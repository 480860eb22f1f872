//! What can go wrong.

use crate::TrialId;

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
    /// A finished trial was to be changed.
    #[error("trial {} is finished and cannot change any more", trial.0)]
    TrialFinished {
        /// Its id.
        trial: TrialId,
    },
}
