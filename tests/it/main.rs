//! The program `tapeline` from outside: words in, files and an exit code out. Every test works in a folder of its own, on
//! a market of two symbols and three days, in one thread.
#![expect(clippy::print_stdout, reason = "a test says what it skips")]
#![expect(clippy::panic, reason = "a test that cannot go on should say why")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say so and stop")]
#![expect(clippy::disallowed_methods, reason = "a test starts processes and hands them their environment")]

mod bad_input;
mod chaos;
mod consumer;
mod damage;
mod disk;
mod evaluate;
mod evidence;
mod exactness;
mod extract;
mod full_disk;
mod gone_reader;
mod hpo;
mod ingest;
mod kill;
mod looking;
mod lost_trials;
mod mlflow;
#[path = "../../crates/tracking/tests/it/mlflow_server.rs"]
#[expect(dead_code, reason = "the tests of `tracking` do more with it")]
mod mlflow_server;
mod pandas;
mod precision;
mod program;
mod real_bars;
mod registry;
mod screen;
mod several;
mod signal;
mod small_run;
mod targets;
mod train;
mod workers;
