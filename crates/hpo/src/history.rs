//! The trials of a study as one worker knows them.

use std::sync::Arc;

use crate::{FrozenTrial, TrialId, TrialState};

/// The trials of a study in the order of their numbers. Finished ones never change, so they are shared and not copied.
#[derive(Clone, Debug, Default)]
pub struct History {
    trials: Vec<Arc<FrozenTrial>>,
    /// Counts the trials that were added or replaced: equal counts of one history mean equal trials.
    version: u64,
}

impl History {
    /// All trials, in the order of their numbers.
    #[must_use]
    pub fn trials(&self) -> &[Arc<FrozenTrial>] {
        &self.trials
    }

    /// The trials in `state`, in the order of their numbers.
    pub fn in_state(&self, state: TrialState) -> impl Iterator<Item = &Arc<FrozenTrial>> {
        self.trials.iter().filter(move |trial| trial.state == state)
    }

    /// Changes whenever a trial is added or replaced.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// What a storage must be asked again: the largest id that is known, and the known trials that are not finished.
    #[must_use]
    pub fn open_ends(&self) -> (Option<TrialId>, Vec<TrialId>) {
        let unfinished = self.trials.iter().filter(|trial| !trial.state.is_finished());
        (self.trials.iter().map(|trial| trial.id).max(), unfinished.map(|trial| trial.id).collect())
    }

    /// Takes in trials that are new or have changed.
    pub fn take_in(&mut self, trials: impl IntoIterator<Item = Arc<FrozenTrial>>) {
        for trial in trials {
            self.version += 1;
            match self.trials.binary_search_by_key(&trial.number, |known| known.number) {
                Ok(place) => self.trials[place] = trial,
                Err(place) => self.trials.insert(place, trial),
            }
        }
    }
}
