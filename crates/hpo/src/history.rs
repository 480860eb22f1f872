//! The trials of a study as one worker knows them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::{FrozenTrial, TrialId, TrialState};

/// Tells histories of one process apart; what the numbers are means nothing.
static NEXT_LINE: AtomicU64 = AtomicU64::new(0);

/// The trials of a study in the order of their numbers. Finished ones never change, so they are shared and not copied.
#[derive(Debug)]
pub struct History {
    trials: Vec<Arc<FrozenTrial>>,
    /// Where the finished ones are in `trials`, in the order in which they became known.
    finished: Vec<usize>,
    /// The numbers of the others.
    unfinished: BTreeSet<u64>,
    last_id: Option<TrialId>,
    line: u64,
    version: u64,
}

impl Default for History {
    fn default() -> Self {
        Self {
            trials: Vec::new(),
            finished: Vec::new(),
            unfinished: BTreeSet::new(),
            last_id: None,
            line: NEXT_LINE.fetch_add(1, Ordering::Relaxed),
            version: 0,
        }
    }
}

impl Clone for History {
    /// A copy that goes its own way, so it has a line of its own.
    fn clone(&self) -> Self {
        Self { line: NEXT_LINE.fetch_add(1, Ordering::Relaxed), ..self.fork() }
    }
}

impl History {
    /// All trials, in the order of their numbers.
    #[must_use]
    pub fn trials(&self) -> &[Arc<FrozenTrial>] {
        &self.trials
    }

    /// The trial of that number.
    #[must_use]
    pub fn trial(&self, number: u64) -> Option<&Arc<FrozenTrial>> {
        self.place(number).ok().map(|place| &self.trials[place])
    }

    /// The trials in `state`, in the order of their numbers.
    pub fn in_state(&self, state: TrialState) -> impl Iterator<Item = &Arc<FrozenTrial>> {
        self.trials.iter().filter(move |trial| trial.state == state)
    }

    /// The trials that are not finished, in the order of their numbers.
    pub fn unfinished(&self) -> impl Iterator<Item = &Arc<FrozenTrial>> {
        self.unfinished.iter().filter_map(|number| self.trial(*number))
    }

    /// How many trials are finished, failed ones among them.
    #[must_use]
    pub fn finished_count(&self) -> usize {
        self.finished.len()
    }

    /// The finished trials in the order in which they became known here, from the `from`th on: what a sampler has yet to take
    /// in, if it keeps to one [`History::line`].
    pub fn finished_since(&self, from: usize) -> impl Iterator<Item = &Arc<FrozenTrial>> {
        self.finished.get(from..).unwrap_or_default().iter().map(|place| &self.trials[*place])
    }

    /// Which history this is. Within one line, equal [versions](History::version) mean equal trials, and a larger version has
    /// the finished trials of a smaller one, in the same order, and more.
    #[must_use]
    pub const fn line(&self) -> u64 {
        self.line
    }

    /// Grows whenever a trial is added or replaced.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// What a storage must be asked again: the largest id that is known, and the known trials that are not finished.
    #[must_use]
    pub fn open_ends(&self) -> (Option<TrialId>, Vec<TrialId>) {
        (self.last_id, self.unfinished().map(|trial| trial.id).collect())
    }

    /// Takes in trials that are new or have changed. A finished trial never changes: one that is known as finished is left as
    /// it is.
    pub fn take_in(&mut self, trials: impl IntoIterator<Item = Arc<FrozenTrial>>) {
        for trial in trials {
            let place = match self.place(trial.number) {
                Ok(place) => {
                    if self.trials[place].state.is_finished() || self.trials[place] == trial {
                        continue;
                    }
                    place
                }
                Err(place) => {
                    // Numbers come in their order but for trials that became visible late.
                    if place < self.trials.len() {
                        self.finished
                            .iter_mut()
                            .filter(|known| **known >= place)
                            .for_each(|known| *known += 1);
                    }
                    self.trials.insert(place, Arc::clone(&trial));
                    place
                }
            };
            if trial.state.is_finished() {
                self.unfinished.remove(&trial.number);
                self.finished.push(place);
            } else {
                self.unfinished.insert(trial.number);
            }
            self.last_id = self.last_id.max(Some(trial.id));
            self.trials[place] = trial;
            self.version += 1;
        }
    }

    /// A copy of the same line. Only one of the two may take in trials.
    pub(crate) fn fork(&self) -> Self {
        Self {
            trials: self.trials.clone(),
            finished: self.finished.clone(),
            unfinished: self.unfinished.clone(),
            last_id: self.last_id,
            line: self.line,
            version: self.version,
        }
    }

    fn place(&self, number: u64) -> Result<usize, usize> {
        // Numbers have no gaps in a whole history, so the first guess is nearly always right.
        let guess = number as usize;
        if self.trials.get(guess).is_some_and(|trial| trial.number == number) {
            return Ok(guess);
        }
        self.trials.binary_search_by_key(&number, |trial| trial.number)
    }
}
