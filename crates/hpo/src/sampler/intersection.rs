//! The parameters that every trial has.

use crate::{SearchSpace, StudyView, TrialState};

/// The parameters that all complete trials of a study have, with equal distributions. Kept up as trials finish. Pruned trials do
/// not count: they may have been given up before they asked for everything.
#[derive(Debug, Default)]
pub(super) struct Intersection {
    /// The history it was computed from, and how many of its finished trials are in it.
    line: u64,
    taken_in: usize,
    /// `None` before the first such trial.
    space: Option<SearchSpace>,
}

impl Intersection {
    /// The parameters as of now; none before the first trial that counts.
    pub(super) fn of(&mut self, view: StudyView<'_>) -> SearchSpace {
        if self.line != view.history.line() || self.taken_in > view.history.finished_count() {
            *self = Self { line: view.history.line(), ..Self::default() };
        }
        for trial in view.history.finished_since(self.taken_in) {
            // One without parameters says nothing about them.
            if trial.state != TrialState::Complete || trial.params.is_empty() {
                continue;
            }
            match &mut self.space {
                None => {
                    let params = trial.params.iter();
                    self.space = Some(
                        params.map(|(name, param)| (name.clone(), param.distribution.clone())).collect(),
                    );
                }
                Some(space) => space.retain(|name, distribution| {
                    trial.params.get(name).is_some_and(|param| param.distribution == *distribution)
                }),
            }
        }
        self.taken_in = view.history.finished_count();
        self.space.clone().unwrap_or_default()
    }
}
