//! `cargo xtask bench`: ours against its peers, in turn, each time as a fresh process, on this machine.

mod contest;
mod hpo;
mod train;
mod windows;

use std::process::ExitCode;

use anyhow::Result;

use crate::workspace::Workspace;

/// Measure against the peers under `benches/peers`, as ratios within one run.
///
/// Leave the machine alone meanwhile: two threads are measured. Uses the Python named by TAPELINE_PYTHON when it is set (it
/// needs torch, lightning and numpy), else a virtual environment that it makes under `target/bench` (several GB, once).
#[derive(clap::Args)]
pub(crate) struct Bench {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    Hpo(hpo::Hpo),
    Train(train::Train),
    Windows(windows::Windows),
}

impl Bench {
    pub(crate) fn run(self, workspace: &Workspace) -> Result<ExitCode> {
        match self.what {
            What::Hpo(bench) => bench.run(workspace),
            What::Train(bench) => bench.run(workspace),
            What::Windows(bench) => bench.run(workspace),
        }
    }
}
