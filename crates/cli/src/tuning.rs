//! A search over configurations: studies that remember, workers that train trials, and what came of it. Everything that
//! knows both the tuner and the trainer is here.

mod attribute;
mod crew;
mod deflation;
mod looks;
mod lost;
mod objective;
mod part;
mod plan;
mod prepared;
mod progress;
pub(crate) mod retrained;
mod standing;
pub(crate) mod summary;
#[cfg(test)]
mod tests;
mod worker;

pub(crate) use crew::{Crew, CrewPlan};
pub(crate) use deflation::Deflated;
pub(crate) use lost::retire_lost;
pub(crate) use plan::{Plan, STORAGE_VARIABLE, is_same_run, only_study, open_storage};
pub(crate) use progress::{Board, short};
pub(crate) use standing::Standing;
pub(crate) use worker::{OnSignal, Orders, Worker};
