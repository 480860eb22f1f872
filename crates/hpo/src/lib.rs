//! Search without knowing what is searched. It owns the space of parameters, the samplers that propose, the pruners that give
//! up early, and the studies that remember, in a schema that Optuna's tools open.
//!
//! It must never print, read a clock (but to see how long a server is waited for) or the environment, or know what an
//! objective computes. It depends on no sibling and not on libtorch: any function can be tuned with it.
//!
//! The main verb is: ask for parameters, tell what came of them.
//!
//! ```
//! use tapeline_hpo::{FloatDistribution, HpoError, Study};
//!
//! let study = Study::minimize("valley").seed(7).create()?;
//! study.optimize(200, |trial| {
//!     let x = trial.suggest_float("x", -10.0..=10.0)?;
//!     let rate = trial.suggest_float("rate", FloatDistribution::log(1e-5, 1e-1))?;
//!     let layers = trial.suggest_int("layers", 1..=4)?;
//!     Ok::<_, HpoError>((x - 2.0).powi(2) + (rate.log10() + 3.0).abs() + layers as f64)
//! })?;
//! let best = study.best_trial()?.expect("one of them is complete");
//! assert!(best.values.as_ref().is_some_and(|values| values[0] < 3.0));
//! # Ok::<(), HpoError>(())
//! ```
//!
//! It does not start processes, train networks, draw pictures or say what a good value is.

mod attribute;
mod choice;
#[cfg(any(test, feature = "contract-tests"))]
pub mod contract;
mod distribution;
mod error;
mod feasibility;
mod history;
pub mod importance;
mod joint;
mod json;
mod memory;
mod outcome;
pub mod pareto;
#[cfg(feature = "postgres")]
mod postgres;
pub mod pruner;
mod random;
pub mod sampler;
mod search;
mod seen;
mod space;
#[cfg(feature = "sqlite")]
mod sqlite;
mod storage;
mod study;
mod study_record;
mod trial;
mod trial_record;

pub use attribute::{Attributes, RawJson};
pub use choice::Choice;
pub use distribution::{
    CategoricalDistribution, Distribution, FloatDistribution, IntDistribution, SearchSpace,
};
pub use error::{HpoError, RowFault};
pub use feasibility::{best_trial, violation};
pub use history::History;
pub use json::{JsonFault, JsonValue};
pub use memory::MemoryStorage;
pub use outcome::Outcome;
#[cfg(feature = "postgres")]
pub use postgres::{PostgresOptions, PostgresStorage};
pub use pruner::{NopPruner, Pruner, PrunerSpec};
pub use random::TrialRandom;
pub use sampler::{
    AutoSampler, CmaEsSampler, CmaEsSpec, GridSampler, GridSpec, JointSample, Kernels, NothingToSet,
    Nsga2Sampler, Nsga2Spec, QmcSampler, QmcSpec, RandomSampler, Sampler, SamplerSpec, TpeSampler, TpeSpec,
};
pub use space::{ParamSpec, Space, SpaceBuilder, SpaceSpec};
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteJournal, SqliteOptions, SqliteStorage};
pub use storage::{
    NewTrial, Storage, StorageOptions, TrialChange, check_end, open_storage, without_password,
};
pub use study::{Heartbeat, Study, StudyOptions};
pub use study_record::{Direction, StudyId, StudyRecord, StudyView};
pub use trial::Trial;
pub use trial_record::{FrozenTrial, Param, Timestamp, TrialId, TrialState};
