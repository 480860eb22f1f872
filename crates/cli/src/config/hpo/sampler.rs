//! Who proposes values, as a user writes it.

use garde::{Error, Path, Report};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tapeline_hpo::{
    CmaEsSpec, GridSpec, Kernels, Nsga2Spec, QmcSampler, QmcSpec, RandomSampler, Sampler, SearchSpace, Space,
    TpeSampler,
};

/// Who proposes values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum SamplerSpec {
    /// What suits most searches: the tree-structured Parzen estimator.
    Auto(AutoSpec),
    /// The tree-structured Parzen estimator: from where good trials are, what is least like the others.
    Tpe(TpeSpec),
    /// Every value at random.
    Random(RandomSpec),
    /// An evolution strategy for numbers; categories are drawn at random.
    CmaEs(CmaEsSpec),
    /// Points that fill the space evenly.
    Qmc(QmcSpec),
    /// Every combination once.
    Grid(GridSpec),
    /// A genetic algorithm, for several objectives.
    Nsga2(Nsga2Spec),
}

/// Nothing to set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AutoSpec {}

/// Nothing to set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RandomSpec {}

/// The numbers of the tree-structured Parzen estimator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TpeSpec {
    /// Which values are looked at together.
    pub(crate) kernels: KernelsSpec,
    /// Whether running trials count as bad ones, so that nobody tries the same at the same time.
    pub(crate) constant_liar: bool,
    /// Trials that are drawn at random first.
    pub(crate) startup_trials: usize,
    /// Draws of which the best is taken.
    pub(crate) candidates: usize,
}

impl Default for TpeSpec {
    fn default() -> Self {
        let usual = TpeSampler::default();
        Self {
            kernels: KernelsSpec::Auto,
            constant_liar: usual.constant_liar,
            startup_trials: usual.startup_trials,
            candidates: usual.candidates,
        }
    }
}

/// Which values are looked at together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum KernelsSpec {
    /// All that every trial has, with one objective; each its own, with several.
    #[default]
    Auto,
    /// All that every trial has.
    Joint,
    /// All that are always there together, for a space with conditions.
    Groups,
    /// Each alone.
    Single,
}

impl Default for SamplerSpec {
    fn default() -> Self {
        Self::Auto(AutoSpec {})
    }
}

impl SamplerSpec {
    /// The sampler that this describes, over `space`.
    ///
    /// # Errors
    /// Every fault, with its path relative to the section.
    pub(crate) fn check(&self, space: &Space) -> Result<Box<dyn Sampler>, Report> {
        let declared = || -> SearchSpace {
            let all = space.names();
            all.filter_map(|name| Some((name.to_owned(), space.distribution(name)?.clone()))).collect()
        };
        Ok(match self {
            Self::Auto(AutoSpec {}) => Box::new(TpeSampler::default()),
            Self::Tpe(spec) => Box::new(spec.check()?),
            Self::Random(RandomSpec {}) => Box::new(RandomSampler),
            Self::CmaEs(spec) => Box::new(spec.check()?),
            Self::Qmc(spec) => Box::new(QmcSampler::new(*spec, Some(declared()))),
            Self::Grid(spec) => Box::new(spec.check(&declared())?),
            Self::Nsga2(spec) => Box::new(spec.check()?),
        })
    }
}

impl TpeSpec {
    fn check(self) -> Result<TpeSampler, Report> {
        let mut report = Report::new();
        if self.candidates == 0 {
            report.append(Path::new("candidates"), Error::new("0 is too few; give at least 1"));
        }
        if !report.is_empty() {
            return Err(report);
        }
        let mut sampler = TpeSampler::with_kernels(match self.kernels {
            KernelsSpec::Auto => Kernels::Auto,
            KernelsSpec::Joint => Kernels::Joint,
            KernelsSpec::Groups => Kernels::Groups,
            KernelsSpec::Single => Kernels::Single,
        });
        sampler.constant_liar = self.constant_liar;
        sampler.startup_trials = self.startup_trials;
        sampler.candidates = self.candidates;
        Ok(sampler)
    }
}
