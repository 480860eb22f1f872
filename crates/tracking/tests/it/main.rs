//! Trackers as others see them: real servers, asked through their own interfaces.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say so and stop")]
#![expect(clippy::print_stdout, reason = "a test says what it skips and what it was told")]
#![expect(clippy::panic, reason = "a test that cannot go on should say why")]

mod mlflow;
#[expect(dead_code, reason = "the tests of the program ask it for more")]
mod mlflow_server;
mod tensorboard;
mod wandb;
mod written_run;
