//! The workshop: finds or lays out libtorch, then builds, checks, trains and measures.
//!
//! It never depends on libtorch or on a crate of this workspace, so that it builds in seconds on a bare machine.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program at the edge: it talks to a person, to the environment and to the clock"
)]

mod bench;
mod ci;
mod doctor;
mod gpu_bundle;
mod hpo;
mod layers;
mod libtorch;
mod mutants;
mod parity;
mod python;
mod screenshots;
mod soak;
mod test;
mod tidy;
mod train;
mod workspace;

use std::process::ExitCode;

use clap::Parser;

use crate::libtorch::preflight::Unsupported;
use crate::workspace::Workspace;

/// Exit code for a machine on which nothing here can work.
const EXIT_UNSUPPORTED: u8 = 2;

/// Tapeline's workshop: finds or lays out libtorch, then builds, checks, trains and measures.
#[derive(Parser)]
#[command(bin_name = "cargo xtask", disable_help_subcommand = true)]
enum Task {
    Train(train::Train),
    Hpo(hpo::Hpo),
    Test(test::Test),
    Doctor(doctor::Doctor),
    Libtorch(libtorch::command::Libtorch),
    Ci(ci::Ci),
    Tidy(tidy::Tidy),
    Layers(layers::Layers),
    Mutants(mutants::Mutants),
    Parity(parity::Parity),
    Soak(soak::Soak),
    Screenshots(screenshots::Screenshots),
    GpuBundle(gpu_bundle::GpuBundle),
    Bench(bench::Bench),
}

impl Task {
    fn run(self, workspace: &Workspace) -> anyhow::Result<ExitCode> {
        match self {
            Self::Train(task) => task.run(workspace),
            Self::Hpo(task) => task.run(workspace),
            Self::Test(task) => task.run(workspace),
            Self::Doctor(task) => task.run(workspace),
            Self::Libtorch(task) => task.run(workspace),
            Self::Ci(task) => task.run(workspace),
            Self::Tidy(task) => task.run(workspace),
            Self::Layers(task) => task.run(workspace),
            Self::Mutants(task) => task.run(workspace),
            Self::Parity(task) => task.run(workspace),
            Self::Soak(task) => task.run(workspace),
            Self::Screenshots(task) => task.run(workspace),
            Self::GpuBundle(task) => task.run(workspace),
            Self::Bench(task) => task.run(workspace),
        }
    }
}

fn main() -> ExitCode {
    let task = Task::parse();
    let outcome = Workspace::find().and_then(|workspace| task.run(&workspace));
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            if error.is::<Unsupported>() { ExitCode::from(EXIT_UNSUPPORTED) } else { ExitCode::FAILURE }
        }
    }
}
