//! Trials by generation.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{FrozenTrial, StudyView, TrialState};

/// The complete trials of a study by the generation that is noted on them. Kept up as trials finish.
///
/// A generation is closed by its first trials to be complete, by the storage's clock, or by number where there is none. What
/// comes later is left out, so that a slow worker holds up nobody and all workers agree.
#[derive(Debug)]
pub(super) struct Generations {
    /// The system attribute that holds the generation.
    key: &'static str,
    /// Where trials without the note belong, if anywhere.
    unmarked: Option<u32>,
    /// The history it was computed from, and how many of its finished trials are in it.
    line: u64,
    taken_in: usize,
    members: BTreeMap<u32, Vec<Arc<FrozenTrial>>>,
}

impl Generations {
    pub(super) const fn new(key: &'static str, unmarked: Option<u32>, line: u64) -> Self {
        Self { key, unmarked, line, taken_in: 0, members: BTreeMap::new() }
    }

    /// Whether it was computed from an earlier state of this history.
    pub(super) fn precedes(&self, view: StudyView<'_>) -> bool {
        self.line == view.history.line() && self.taken_in <= view.history.finished_count()
    }

    /// Takes in what has finished since the last time, and returns the earliest generation that has changed, `u32::MAX` if
    /// none. `counts` says which complete trials are members at all.
    pub(super) fn take_in(&mut self, view: StudyView<'_>, counts: impl Fn(&FrozenTrial) -> bool) -> u32 {
        let mut earliest = u32::MAX;
        for trial in view.history.finished_since(self.taken_in) {
            if trial.state != TrialState::Complete || !counts(trial) {
                continue;
            }
            let generation = match trial.system_attributes.get(self.key) {
                Some(noted) => noted.as_str().parse().ok(),
                None => self.unmarked,
            };
            let Some(generation) = generation else { continue };
            earliest = earliest.min(generation);
            let order = |trial: &FrozenTrial| (trial.completed.is_none(), trial.completed, trial.number);
            let members = self.members.entry(generation).or_default();
            let place = members.partition_point(|earlier| order(earlier) < order(trial));
            members.insert(place, Arc::clone(trial));
        }
        self.taken_in = view.history.finished_count();
        earliest
    }

    /// The `size` members that close a generation; `None` as long as there are fewer.
    pub(super) fn closed(&self, generation: usize, size: usize) -> Option<&[Arc<FrozenTrial>]> {
        self.members.get(&u32::try_from(generation).ok()?)?.get(..size)
    }
}

/// The numbers of trials, by which a closed generation is known again.
pub(super) fn numbers(trials: &[Arc<FrozenTrial>]) -> Vec<u64> {
    trials.iter().map(|trial| trial.number).collect()
}
