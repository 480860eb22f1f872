//! Samplers as a user writes them.

use garde::{Error, Path, Report};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tpe::{CANDIDATES, STARTUP_TRIALS};
use super::{
    AutoSampler, CmaEsSpec, GridSpec, Kernels, Nsga2Spec, QmcSampler, QmcSpec, RandomSampler, Sampler,
    TpeSampler,
};
use crate::SearchSpace;

/// Who proposes parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SamplerSpec {
    /// What suits the space and the number of trials.
    Auto(NothingToSet),
    /// The tree-structured Parzen estimator.
    Tpe(TpeSpec),
    /// At random.
    Random(NothingToSet),
    /// Points that fill the space evenly.
    Qmc(QmcSpec),
    /// Every combination of some values.
    Grid(GridSpec),
    /// An evolution strategy that learns the shape of the valley.
    CmaEs(CmaEsSpec),
    /// A genetic algorithm for several objectives.
    #[serde(rename = "nsga2")]
    Nsga2(Nsga2Spec),
}

impl Default for SamplerSpec {
    fn default() -> Self {
        Self::Auto(NothingToSet {})
    }
}

/// Nothing to set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NothingToSet {}

/// The tree-structured Parzen estimator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TpeSpec {
    /// Which parameters a kernel spans.
    pub kernels: Kernels,
    /// Whether running trials count as bad ones, so that nobody tries the same at the same time.
    pub constant_liar: bool,
    /// Trials that are drawn at random first.
    pub startup_trials: usize,
    /// Draws of which the best is taken, at least 1.
    pub candidates: usize,
}

impl Default for TpeSpec {
    fn default() -> Self {
        Self {
            kernels: Kernels::Auto,
            constant_liar: true,
            startup_trials: STARTUP_TRIALS,
            candidates: CANDIDATES,
        }
    }
}

impl TpeSpec {
    /// The sampler that this describes.
    ///
    /// # Errors
    /// Every fault, with its path relative to the sampler's section.
    pub fn check(&self) -> Result<TpeSampler, Report> {
        if self.candidates == 0 {
            let mut report = Report::new();
            report.append(
                Path::new("candidates"),
                Error::new("must be at least 1: the best of none cannot be taken"),
            );
            return Err(report);
        }
        let mut sampler = TpeSampler::with_kernels(self.kernels);
        sampler.constant_liar = self.constant_liar;
        sampler.startup_trials = self.startup_trials;
        sampler.candidates = self.candidates;
        Ok(sampler)
    }
}

impl SamplerSpec {
    /// The sampler that this describes, for the parameters of `space`.
    ///
    /// # Errors
    /// Every fault, with its path relative to the sampler's section.
    pub fn check(&self, space: &SearchSpace) -> Result<Box<dyn Sampler>, Report> {
        Ok(match self {
            Self::Auto(_) => Box::new(AutoSampler::default()),
            Self::Tpe(spec) => Box::new(spec.check()?),
            Self::Random(_) => Box::new(RandomSampler),
            Self::Qmc(spec) => Box::new(QmcSampler::new(*spec, Some(space.clone()))),
            Self::Grid(spec) => Box::new(spec.check(space)?),
            Self::CmaEs(spec) => Box::new(spec.check()?),
            Self::Nsga2(spec) => Box::new(spec.check()?),
        })
    }
}
