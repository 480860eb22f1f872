//! The tree-structured Parzen estimator: draws from where good trials are, and takes what is least like the others.
//!
//! Bergstra et al., "Algorithms for hyper-parameter optimization", 2011; Watanabe, "Tree-structured Parzen estimator:
//! understanding its algorithm components and their roles for better empirical performance", 2023. Counts, weights and widths
//! are those of Optuna 5.0, to which they are equal to 10⁻¹⁰ on the same trials.

mod axis;
mod mixture;
mod model;
mod spaces;
mod split;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use model::Model;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use spaces::{Groups, JointSpaces};
use split::Ranking;

use super::{JointSample, Sampler, uniform};
use crate::{
    Distribution, FrozenTrial, History, HpoError, SearchSpace, StudyView, TrialRandom, TrialState, joint,
};

/// Trials that are drawn at random first, so that there is something to tell apart.
pub(super) const STARTUP_TRIALS: usize = 10;

/// Draws of which the best is taken.
pub(super) const CANDIDATES: usize = 24;

/// Which parameters a kernel spans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kernels {
    /// All that every trial has, with one objective; each its own, with several. What Optuna 5.0 does.
    #[default]
    Auto,
    /// All that every trial has: what goes well together is told from what does not.
    Joint,
    /// All that are always there together: a space with conditions is divided into parts, and each has kernels of its own.
    Groups,
    /// Each parameter alone, whatever the others are.
    Single,
}

/// The tree-structured Parzen estimator.
#[derive(Clone, Debug)]
pub struct TpeSampler {
    /// Which parameters a kernel spans.
    pub kernels: Kernels,
    /// Whether running trials count as bad ones, so that nobody tries the same at the same time.
    pub constant_liar: bool,
    /// Trials that are drawn at random first.
    pub startup_trials: usize,
    /// Draws of which the best is taken.
    pub candidates: usize,
    known: Option<Known>,
}

impl Default for TpeSampler {
    fn default() -> Self {
        Self {
            kernels: Kernels::Auto,
            constant_liar: true,
            startup_trials: STARTUP_TRIALS,
            candidates: CANDIDATES,
            known: None,
        }
    }
}

/// What was computed from a history.
#[derive(Clone, Debug)]
struct Known {
    line: u64,
    finished: usize,
    ranking: Ranking,
    spaces: JointSpaces,
    good: Vec<u64>,
    models: Vec<Model>,
}

impl Known {
    fn new(line: u64, view: StudyView<'_>, kernels: Kernels) -> Self {
        let spaces = match kernels {
            Kernels::Groups => JointSpaces::Groups(Groups::default()),
            Kernels::Auto | Kernels::Joint | Kernels::Single => JointSpaces::Intersection(None),
        };
        Self {
            line,
            finished: 0,
            ranking: Ranking::new(&view.study.directions),
            spaces,
            good: Vec::new(),
            models: Vec::new(),
        }
    }

    fn update(&mut self, history: &History, objectives: usize) {
        for trial in history.finished_since(self.finished) {
            if Ranking::counts(trial, objectives) {
                self.ranking.take_in(trial);
                self.spaces.take_in(trial);
            }
        }
        if history.finished_count() > self.finished {
            self.good = self.ranking.below();
        }
        self.finished = history.finished_count();
    }
}

impl TpeSampler {
    /// One that is as usual but for what a kernel spans.
    #[must_use]
    pub fn with_kernels(kernels: Kernels) -> Self {
        Self { kernels, ..Self::default() }
    }

    /// Does `work` with what is known of the history. A history that was left behind is taken in anew, for this once.
    fn with_known<R>(&mut self, view: StudyView<'_>, work: impl FnOnce(&Self, &mut Known) -> R) -> R {
        let (line, finished) = (view.history.line(), view.history.finished_count());
        let kept = self.known.take();
        let goes_on = |known: &Known| known.line == line && known.finished <= finished;
        let (mut known, left) = match kept {
            Some(known) if goes_on(&known) => (known, None),
            left => (Known::new(line, view, self.kernels), left.filter(|known| known.line == line)),
        };
        known.update(view.history, view.study.directions.len());
        let result = work(self, &mut known);
        self.known = left.or(Some(known));
        result
    }

    /// How many trials say something, and into how many parts the space falls of which every trial has all or nothing.
    pub(super) fn outline(&mut self, view: StudyView<'_>) -> (usize, usize) {
        self.with_known(view, |_, known| (known.ranking.len(), known.spaces.parts().len()))
    }

    fn spans_one(&self, view: StudyView<'_>) -> bool {
        match self.kernels {
            Kernels::Single => true,
            Kernels::Auto => view.study.directions.len() > 1,
            Kernels::Joint | Kernels::Groups => false,
        }
    }

    fn propose(
        &self,
        known: &mut Known,
        view: StudyView<'_>,
        trial: &FrozenTrial,
        space: SearchSpace,
        random: &mut TrialRandom,
    ) -> Vec<f64> {
        let objectives = view.study.directions.len();
        let place = known.models.iter().position(|model| model.space == space).unwrap_or_else(|| {
            // Of a space whose ends have moved, only the latest is kept.
            known.models.retain(|model| !model.space.keys().eq(space.keys()));
            known.models.push(Model::new(space, objectives > 1));
            known.models.len() - 1
        });
        let model = &mut known.models[place];
        let running = if self.constant_liar {
            let others = view
                .history
                .unfinished()
                .filter(|other| other.state == TrialState::Running && other.number != trial.number);
            others.filter_map(|other| Some((other.number, model.places_of_running(other)?))).collect()
        } else {
            Vec::new()
        };
        model.update(view.history, &known.good, objectives, running);
        model.propose(self.candidates, random)
    }
}

impl Sampler for TpeSampler {
    fn name(&self) -> &'static str {
        "tpe"
    }

    fn joint_space(&mut self, view: StudyView<'_>, _: &FrozenTrial) -> SearchSpace {
        self.with_known(view, |_, known| known.spaces.parts().into_iter().flatten().collect())
    }

    fn sample_joint(
        &mut self,
        view: StudyView<'_>,
        trial: &FrozenTrial,
        space: &SearchSpace,
        random: &mut TrialRandom,
    ) -> Result<JointSample, HpoError> {
        let spans_one = self.spans_one(view);
        let values: BTreeMap<String, f64> = self.with_known(view, |this, known| {
            if known.ranking.len() < this.startup_trials {
                return space.iter().map(|(name, may_be)| (name.clone(), uniform(may_be, random))).collect();
            }
            let parts = if spans_one {
                space
                    .iter()
                    .map(|(name, may_be)| SearchSpace::from([(name.clone(), may_be.clone())]))
                    .collect()
            } else {
                known.spaces.parts()
            };
            let mut values = BTreeMap::new();
            for part in parts {
                let names: Vec<String> = part.keys().cloned().collect();
                values.extend(names.into_iter().zip(this.propose(known, view, trial, part, random)));
            }
            values
        });
        let attributes = if self.constant_liar { joint::note(space, &values) } else { BTreeMap::new() };
        Ok(JointSample { values, attributes })
    }

    fn sample_alone(
        &mut self,
        view: StudyView<'_>,
        trial: &FrozenTrial,
        name: &str,
        distribution: &Distribution,
        random: &mut TrialRandom,
    ) -> Result<f64, HpoError> {
        Ok(self.with_known(view, |this, known| {
            if known.ranking.len() < this.startup_trials {
                return uniform(distribution, random);
            }
            let space = SearchSpace::from([(name.to_owned(), distribution.clone())]);
            this.propose(known, view, trial, space, random)[0]
        }))
    }
}
