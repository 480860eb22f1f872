//! `cargo xtask train`: from a bare checkout to a trained model in one command.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, Result};
use cargo_metadata::Message;

use crate::libtorch::{self, Request};
use crate::workspace::{self, Workspace};

/// Lay out libtorch if there is none, build the `tapeline` binary, and run `tapeline train`.
#[derive(clap::Args)]
pub(crate) struct Train {
    #[command(flatten)]
    libtorch: Request,
    /// Passed on to `tapeline train`
    #[arg(last = true, value_name = "ARGS")]
    arguments: Vec<OsString>,
}

impl Train {
    /// Does not return when all goes well: this process becomes `tapeline`, so signals reach it directly.
    pub(crate) fn run(self, workspace: &Workspace) -> Result<ExitCode> {
        libtorch::ensure(workspace, &self.libtorch)?;
        let Some(binary) = build_binary(workspace)? else { return Ok(ExitCode::FAILURE) };
        let mut tapeline = Command::new(&binary);
        workspace::forget_cargo_run(&mut tapeline);
        let failure = tapeline.arg("train").args(self.arguments).exec();
        Err(failure).with_context(|| format!("cannot start {}", binary.display()))
    }
}

/// Builds the `tapeline` binary and says where it is; `None` when it does not compile, which cargo has then explained.
pub(crate) fn build_binary(workspace: &Workspace) -> Result<Option<PathBuf>> {
    let mut cargo = workspace
        .cargo()
        .args(["build", "--package", "tapeline", "--bin", "tapeline"])
        .args(["--message-format", "json-render-diagnostics"])
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start cargo")?;
    let output = cargo.stdout.take().context("cargo's output is not piped")?;
    let mut binary = None;
    for message in Message::parse_stream(std::io::BufReader::new(output)) {
        if let Message::CompilerArtifact(artifact) = message.context("cannot read cargo's messages")?
            && artifact.target.name == "tapeline"
            && let Some(executable) = artifact.executable
        {
            binary = Some(executable.into_std_path_buf());
        }
    }
    if !cargo.wait().context("cannot wait for cargo")?.success() {
        return Ok(None);
    }
    binary.context("cargo built no executable named `tapeline`").map(Some)
}
