//! Search without knowing what is searched. It owns the space of parameters, the samplers that propose, the pruners that give
//! up early, and the studies that remember, in a schema that Optuna's tools open.
//!
//! It must never print, read a clock or the environment, or know what an objective computes. It depends on no sibling and not
//! on libtorch: any function can be tuned with it.

mod attribute;
mod distribution;
mod error;
mod feasibility;
mod history;
pub mod pareto;
pub mod pruner;
mod random;
mod sampler;
mod storage;
mod study_record;
mod trial_record;

pub use attribute::{Attributes, RawJson};
pub use distribution::{
    CategoricalDistribution, Choice, Distribution, FloatDistribution, IntDistribution, SearchSpace,
};
pub use error::HpoError;
pub use feasibility::{best_trial, violation};
pub use history::History;
pub use pruner::{NopPruner, Pruner, PrunerSpec};
pub use random::TrialRandom;
pub use sampler::Sampler;
pub use storage::{NewTrial, Storage, TrialChange};
pub use study_record::{Direction, StudyId, StudyRecord, StudyView};
pub use trial_record::{FrozenTrial, Param, Timestamp, TrialId, TrialState};
