//! Where studies are remembered. One trait for a process's memory, a file and a database server.
//!
//! Its calls are as coarse as a trial's life needs, so that each is one transaction.

#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod assembly;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) mod check;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) mod encoding;
mod open;
#[cfg(feature = "sqlite")]
mod time;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) mod version;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::{
    Attributes, Direction, FrozenTrial, HpoError, Param, RawJson, StudyId, StudyRecord, Timestamp, TrialId,
    TrialState,
};

#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) use assembly::{Assembly, Author, TrialRow, read_attribute};
pub use open::{StorageOptions, open_storage, without_password};
#[cfg(feature = "sqlite")]
pub(crate) use time::read_time;

/// A trial that is to be.
#[derive(Clone, Debug, PartialEq)]
pub struct NewTrial {
    /// `Running` for the worker that makes it, `Waiting` for a queued one, or finished for one that is imported.
    pub state: TrialState,
    /// One per objective if it is complete.
    pub values: Option<Vec<f64>>,
    /// What it was given.
    pub params: BTreeMap<String, Param>,
    /// What it reported.
    pub intermediate: BTreeMap<i64, f64>,
    /// What users noted.
    pub user_attributes: Attributes,
    /// What samplers, pruners and tools noted, `fixed_params` of a queued trial among it.
    pub system_attributes: Attributes,
}

impl NewTrial {
    /// A trial of which nothing is known yet.
    #[must_use]
    pub fn in_state(state: TrialState) -> Self {
        Self {
            state,
            values: None,
            params: BTreeMap::new(),
            intermediate: BTreeMap::new(),
            user_attributes: Attributes::new(),
            system_attributes: Attributes::new(),
        }
    }

    /// It as a storage holds it from now on.
    pub(crate) fn frozen(
        &self,
        id: TrialId,
        number: u64,
        started: Option<Timestamp>,
        completed: Option<Timestamp>,
    ) -> FrozenTrial {
        let Self { state, values, params, intermediate, user_attributes, system_attributes } = self.clone();
        FrozenTrial {
            id,
            number,
            state,
            values,
            params,
            intermediate,
            user_attributes,
            system_attributes,
            started,
            completed,
        }
    }

    /// Whether a study of that many `objectives` can have it.
    ///
    /// # Errors
    /// [`HpoError::Values`] if its values do not fit its state.
    pub fn check(&self, objectives: usize) -> Result<(), HpoError> {
        check_end(self.state, self.values.as_deref(), objectives)
    }
}

/// Whether a trial of a study of that many `objectives` can be in `state` with these `values`: one per objective and no NaN
/// if it is complete, none or as many if it was pruned, none otherwise.
///
/// # Errors
/// [`HpoError::Values`] if they do not fit.
pub fn check_end(state: TrialState, values: Option<&[f64]>, objectives: usize) -> Result<(), HpoError> {
    let count = values.map(<[f64]>::len);
    let fits = match state {
        TrialState::Complete => count == Some(objectives),
        TrialState::Pruned => count.is_none_or(|count| count == objectives),
        TrialState::Waiting | TrialState::Running | TrialState::Fail => count.is_none(),
    };
    if fits && !values.unwrap_or_default().iter().any(|value| value.is_nan()) {
        return Ok(());
    }
    Err(HpoError::Values { state, values: values.map(<[f64]>::to_vec).unwrap_or_default(), objectives })
}

/// One thing that changes on an unfinished trial.
#[derive(Clone, Debug, PartialEq)]
pub enum TrialChange {
    /// A parameter was chosen.
    Param {
        /// Its name.
        name: String,
        /// What it could be and is.
        param: Param,
    },
    /// A value was reported; the first one of a step stays.
    Report {
        /// The step.
        step: i64,
        /// Any float.
        value: f64,
    },
    /// A user's note.
    UserAttribute {
        /// Its name.
        key: String,
        /// Its value.
        value: RawJson,
    },
    /// A note of a sampler, pruner or tool.
    SystemAttribute {
        /// Its name.
        key: String,
        /// Its value.
        value: RawJson,
    },
}

/// Where studies are remembered.
///
/// Every call is atomic, and what it wrote is there for other processes when it returns. Ids of trials become visible in their
/// order within a study, numbers are unique and without gaps, finished trials never change. A storage that lies on another
/// machine waits while that machine is away, and says so only after its own limit.
pub trait Storage: Send + Sync {
    /// Makes a study.
    ///
    /// # Errors
    /// [`HpoError::StudyExists`] if there is one of that name.
    fn create_study(&self, name: &str, directions: &[Direction]) -> Result<StudyId, HpoError>;

    /// All studies, in the order of their ids.
    ///
    /// # Errors
    /// What the storage says.
    fn studies(&self) -> Result<Vec<StudyRecord>, HpoError>;

    /// The study of that name.
    ///
    /// # Errors
    /// [`HpoError::UnknownStudy`] if there is none.
    fn study(&self, name: &str) -> Result<StudyRecord, HpoError>;

    /// Forgets a study and all that belongs to it.
    ///
    /// # Errors
    /// What the storage says.
    fn delete_study(&self, study: StudyId) -> Result<(), HpoError>;

    /// Notes something on a study, in place of what stood under that key.
    ///
    /// # Errors
    /// What the storage says.
    fn set_study_user_attribute(&self, study: StudyId, key: &str, value: &RawJson) -> Result<(), HpoError>;

    /// The same for samplers, pruners and tools.
    ///
    /// # Errors
    /// What the storage says.
    fn set_study_system_attribute(&self, study: StudyId, key: &str, value: &RawJson) -> Result<(), HpoError>;

    /// Makes a trial and gives it the study's next number.
    ///
    /// # Errors
    /// What the storage says; a finished trial whose values do not fit its state.
    fn create_trial(&self, study: StudyId, trial: &NewTrial) -> Result<Arc<FrozenTrial>, HpoError>;

    /// Takes the first queued trial, by number: it is running afterwards, and nobody else gets it.
    ///
    /// # Errors
    /// What the storage says.
    fn claim_waiting(&self, study: StudyId) -> Result<Option<Arc<FrozenTrial>>, HpoError>;

    /// Changes a trial that is not finished.
    ///
    /// # Errors
    /// [`HpoError::TrialFinished`] if it is.
    fn change_trial(&self, trial: TrialId, changes: &[TrialChange]) -> Result<(), HpoError>;

    /// Changes a running trial for the last time and finishes it.
    ///
    /// # Errors
    /// [`HpoError::TrialFinished`] if it is already.
    fn finish_trial(
        &self,
        trial: TrialId,
        changes: &[TrialChange],
        state: TrialState,
        values: Option<&[f64]>,
    ) -> Result<(), HpoError>;

    /// The trials with ids after `after`, and those of `again`, in the order of their numbers.
    ///
    /// # Errors
    /// What the storage says; a row that cannot be read, named by its table and id.
    fn trials(
        &self,
        study: StudyId,
        after: Option<TrialId>,
        again: &[TrialId],
    ) -> Result<Vec<Arc<FrozenTrial>>, HpoError>;

    /// Says that the worker of a running trial is alive, by the storage's clock.
    ///
    /// # Errors
    /// What the storage says.
    fn beat(&self, trial: TrialId) -> Result<(), HpoError>;

    /// Running trials whose last beat is older than `grace`, by the storage's clock. Those that never beat are not among them.
    ///
    /// # Errors
    /// What the storage says.
    fn stale_trials(&self, study: StudyId, grace: Duration) -> Result<Vec<TrialId>, HpoError>;
}
