//! What the crate promises, seen from outside.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should say so and stop")]

mod baselines;
mod coverage;
mod golden;
mod invariants;
mod noise;
mod refusals;
mod undefined;
