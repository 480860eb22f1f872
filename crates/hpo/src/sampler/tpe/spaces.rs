//! Which parameters are sampled together.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Distribution, FrozenTrial, SearchSpace};

/// The parameters that are sampled together, kept up as trials finish.
#[derive(Clone, Debug)]
pub(super) enum JointSpaces {
    /// Those that all trials have, with equal distributions. `None` before the first trial.
    Intersection(Option<SearchSpace>),
    /// Parts of which every trial has all or nothing.
    Groups(Groups),
}

/// A partition of the parameters.
#[derive(Clone, Debug, Default)]
pub(super) struct Groups {
    parts: Vec<BTreeSet<String>>,
    /// What each parameter may be, as its latest trial has it, and the number of that trial: ends that were moved count from
    /// then on, in whatever order trials become known.
    latest: BTreeMap<String, (u64, Distribution)>,
}

impl Groups {
    fn take_in(&mut self, trial: &FrozenTrial) {
        let mut rest: BTreeSet<String> = trial.params.keys().cloned().collect();
        let mut next = Vec::with_capacity(self.parts.len() + 2);
        for part in self.parts.drain(..) {
            let (inside, outside): (BTreeSet<String>, BTreeSet<String>) =
                part.into_iter().partition(|name| trial.params.contains_key(name));
            rest.retain(|name| !inside.contains(name));
            next.extend([inside, outside].into_iter().filter(|part| !part.is_empty()));
        }
        next.extend(Some(rest).filter(|part| !part.is_empty()));
        self.parts = next;
        for (name, param) in &trial.params {
            match self.latest.get_mut(name) {
                Some((number, _)) if *number > trial.number => {}
                Some((number, distribution)) => {
                    *number = trial.number;
                    if *distribution != param.distribution {
                        distribution.clone_from(&param.distribution);
                    }
                }
                None => {
                    self.latest.insert(name.clone(), (trial.number, param.distribution.clone()));
                }
            }
        }
    }

    fn spaces(&self) -> impl Iterator<Item = SearchSpace> + '_ {
        let known = |name: &String| Some((name.clone(), self.latest.get(name)?.1.clone()));
        self.parts.iter().map(move |part| part.iter().filter_map(known).collect())
    }
}

impl JointSpaces {
    /// Takes in a finished trial. One without parameters says nothing about them.
    pub(super) fn take_in(&mut self, trial: &FrozenTrial) {
        if trial.params.is_empty() {
            return;
        }
        let all =
            || trial.params.iter().map(|(name, param)| (name.clone(), param.distribution.clone())).collect();
        match self {
            Self::Intersection(space @ None) => *space = Some(all()),
            Self::Intersection(Some(space)) => space.retain(|name, distribution| {
                trial.params.get(name).is_some_and(|param| param.distribution == *distribution)
            }),
            Self::Groups(groups) => groups.take_in(trial),
        }
    }

    /// The parts, each without parameters that can only be one thing.
    pub(super) fn parts(&self) -> Vec<SearchSpace> {
        let open = |part: &SearchSpace| -> SearchSpace {
            let several = part.iter().filter(|(_, distribution)| !distribution.is_single());
            several.map(|(name, distribution)| (name.clone(), distribution.clone())).collect()
        };
        let parts = match self {
            Self::Intersection(space) => space.iter().map(open).collect::<Vec<_>>(),
            Self::Groups(groups) => groups.spaces().map(|part| open(&part)).collect(),
        };
        parts.into_iter().filter(|part| !part.is_empty()).collect()
    }
}
