//! `cargo xtask hpo`: from a bare checkout to a tuned model in one command.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};

use crate::libtorch::{self, Request};
use crate::train::build_binary;
use crate::workspace::{self, Workspace};

/// Lay out libtorch if there is none, build the `tapeline` binary, and run `tapeline hpo run`.
#[derive(clap::Args)]
pub(crate) struct Hpo {
    #[command(flatten)]
    libtorch: Request,
    /// Passed on to `tapeline hpo run`, or to another verb of `tapeline hpo` that they begin with
    #[arg(last = true, value_name = "ARGS")]
    arguments: Vec<OsString>,
}

impl Hpo {
    /// Does not return when all goes well: this process becomes `tapeline`, so signals reach it directly.
    pub(crate) fn run(self, workspace: &Workspace) -> Result<ExitCode> {
        libtorch::ensure(workspace, &self.libtorch)?;
        let Some(binary) = build_binary(workspace)? else { return Ok(ExitCode::FAILURE) };
        let mut tapeline = Command::new(&binary);
        workspace::forget_cargo_run(&mut tapeline);
        tapeline.arg("hpo");
        let names_verb =
            self.arguments.first().is_some_and(|first| !first.to_string_lossy().starts_with('-'));
        if !names_verb {
            tapeline.arg("run");
        }
        let failure = tapeline.args(self.arguments).exec();
        Err(failure).with_context(|| format!("cannot start {}", binary.display()))
    }
}
