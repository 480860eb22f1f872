//! A search over configurations: studies that remember, workers that train trials, and what came of it. Everything that
//! knows both the tuner and the trainer is here.

mod attribute;
mod crew;
mod deflation;
mod looks;
mod objective;
mod plan;
mod prepared;
mod progress;
mod standing;
#[cfg(test)]
mod tests;
mod worker;

pub(crate) use attribute::{FAIL_REASON, RUN};
pub(crate) use crew::{Crew, CrewPlan};
pub(crate) use deflation::Deflated;
pub(crate) use looks::Looks;
pub(crate) use plan::Plan;
pub(crate) use progress::Board;
pub(crate) use standing::Standing;
pub(crate) use worker::{OnSignal, Orders, Worker};
