//! The crate as others see it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say so and stop")]

mod audit;
mod augment;
mod batch;
mod check;
mod corpus;
mod difficulty;
mod feature;
mod fold;
mod ingest;
mod label;
mod leak;
mod null;
mod random_market;
mod read;
mod regression;
mod repair;
mod resample;
mod scale;
mod selection;
mod source;
mod split;
mod synthetic;
mod text;
mod tree;
mod window;
