//! `cargo xtask screenshots`: a real run, seen on its own screen, in MLflow and in TensorBoard, as pictures.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, ensure};

use crate::libtorch::{self, Request};
use crate::python;
use crate::workspace::{self, Workspace};

/// Each tracker in an environment of its own: their packages do not agree with one another.
const SHOOTING: [&str; 2] = ["selenium==4.36.0", "pyte==0.8.2"];
const MLFLOW: [&str; 1] = ["mlflow==3.17.2"];
const TENSORBOARD: [&str; 2] = ["tensorboard==2.21.0", "setuptools==80.9.0"];

/// Train a real run and take pictures of its screen, of MLflow and of TensorBoard.
///
/// They are written under `target/screenshots`. Needs Chromium and its driver (Debian: `chromium chromium-driver`), and
/// Python 3 with venv; the servers are installed on the first call, started on loopback and stopped again.
#[derive(clap::Args)]
pub(crate) struct Screenshots {
    #[command(flatten)]
    libtorch: Request,
    /// Passed on to `scripts/screenshots.py`
    #[arg(last = true, value_name = "ARGS")]
    arguments: Vec<OsString>,
}

impl Screenshots {
    pub(crate) fn run(self, workspace: &Workspace) -> Result<ExitCode> {
        libtorch::ensure(workspace, &self.libtorch)?;
        let target = workspace.metadata()?.target_directory.into_std_path_buf();
        let status = workspace::run(workspace.cargo().args(["build", "--release", "--package", "tapeline"]))?;
        ensure!(status.success(), "tapeline could not be built");
        let shooting = python::with(workspace, "screenshots/shooting", &SHOOTING)?;
        let mlflow = python::with(workspace, "screenshots/mlflow", &MLFLOW)?;
        let tensorboard = python::with(workspace, "screenshots/tensorboard", &TENSORBOARD)?;
        let mut command = workspace.command(&shooting);
        command.arg(Path::new("scripts/screenshots.py"));
        command.arg("--tapeline").arg(target.join("release/tapeline"));
        command.arg("--mlflow").arg(mlflow).arg("--tensorboard").arg(tensorboard);
        command.arg("--out").arg(target.join("screenshots"));
        let status = workspace::run(command.args(self.arguments))?;
        Ok(workspace::exit_code(status))
    }
}
