//! The `tapeline` command: words in, exit code out. The only place that reads the clock, the environment and the terminal,
//! and the only one that stitches the libraries together.
#![expect(clippy::disallowed_methods, reason = "the clock, the environment and the exit are the binary's")]

#[macro_use]
mod say;

mod asked;
mod board;
mod clock;
mod command;
mod config;
mod failure;
mod family;
mod feature_file;
mod forecast;
mod host;
mod list_file;
mod openings;
mod pictures;
mod predictions;
mod preparation;
mod progress;
mod report;
mod run_folder;
mod score_table;
mod scrape;
mod screen;
mod seen;
mod signal;
mod streamed_file;
mod summary;
mod targets;
mod trackers;
mod tuning;
mod watch;

use clap::Parser;

fn main() {
    tapeline_torch_ext::keep_freed_memory();
    listen_to_log();
    let code = match command::run(&command::Command::parse()) {
        Ok(failure::DONE) if say::results_were_lost() => {
            eprintln!("error: the results could not be written to standard output");
            failure::FAILED
        }
        Ok(code) => code,
        Err(failure) => {
            eprintln!("error: {}", failure.message());
            failure.code()
        }
    };
    std::process::exit(code);
}

/// `TAPELINE_LOG=debug` (or any filter of `tracing`) shows on standard error what the program is busy with.
fn listen_to_log() {
    if let Ok(filter) = tracing_subscriber::EnvFilter::try_from_env("TAPELINE_LOG") {
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    }
}
