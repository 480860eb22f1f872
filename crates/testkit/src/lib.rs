//! For tests only: close-enough asserts, and the programs of others that a result is held against.
//!
//! No crate may depend on it outside its tests, and it knows no type of theirs, but slices of numbers, paths and addresses.
//!
//! ```
//! use tapeline_testkit::assert_close;
//!
//! assert_close(&[0.1_f32 + 0.2], &[0.3_f32], 1e-6);
//! ```
//!
//! # What it does not do
//! - Choose a tolerance: each test states its own, with the reason where it is not obvious.
//! - Compare text, files or structures: `assert_eq!` does.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a part of tests: it starts processes, says why it skips, and fails"
)]

mod close;
mod postgres;
mod python;

pub use close::{Difference, assert_close, largest_difference};
pub use postgres::PostgresServer;
pub use python::{output_of, python_with};
