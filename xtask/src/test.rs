//! `cargo xtask test`: every test, with nothing to install first.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;

use crate::libtorch::{self, Request};
use crate::workspace::{self, Workspace};

/// Lay out libtorch if there is none, then run every test of the workspace.
#[derive(clap::Args)]
pub(crate) struct Test {
    #[command(flatten)]
    libtorch: Request,
    /// Passed on to `cargo test --workspace`
    #[arg(last = true, value_name = "ARGS")]
    arguments: Vec<OsString>,
}

impl Test {
    pub(crate) fn run(self, workspace: &Workspace) -> Result<ExitCode> {
        libtorch::ensure(workspace, &self.libtorch)?;
        let mut cargo = workspace.cargo();
        let status = workspace::run(cargo.args(["test", "--workspace"]).args(self.arguments))?;
        Ok(workspace::exit_code(status))
    }
}
