//! Which parameters are sampled together.

use crate::{FrozenTrial, SearchSpace};

/// The parameters that are sampled together, kept up as trials finish.
#[derive(Clone, Debug)]
pub(super) enum JointSpaces {
    /// Those that all trials have, with equal distributions. `None` before the first trial.
    Intersection(Option<SearchSpace>),
    /// A partition: of each part, every trial has all or nothing.
    Groups(Vec<SearchSpace>),
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
            Self::Groups(parts) => {
                let mut rest: SearchSpace = all();
                let mut next = Vec::with_capacity(parts.len() + 2);
                for part in parts.drain(..) {
                    let (inside, outside): (SearchSpace, SearchSpace) =
                        part.into_iter().partition(|(name, _)| trial.params.contains_key(name));
                    rest.retain(|name, _| !inside.contains_key(name));
                    next.extend([inside, outside].into_iter().filter(|part| !part.is_empty()));
                }
                next.extend(Some(rest).filter(|part| !part.is_empty()));
                *parts = next;
            }
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
            Self::Groups(parts) => parts.iter().map(open).collect(),
        };
        parts.into_iter().filter(|part| !part.is_empty()).collect()
    }
}
