//! `cargo xtask parity`: the same networks in the real PyTorch, compared number by number.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, ensure};

use crate::libtorch::{self, Request};
use crate::python;
use crate::workspace::{self, Workspace};

/// Compare our networks with PyTorch itself (`scripts/parity.py`).
///
/// Uses the Python named by TAPELINE_PYTHON when it is set (it needs torch, numpy and safetensors), else a virtual
/// environment that it makes under `target/parity` (several GB, once).
#[derive(clap::Args)]
pub(crate) struct Parity {
    #[command(flatten)]
    libtorch: Request,
    /// Passed on to `scripts/parity.py`
    #[arg(last = true, value_name = "ARGS")]
    arguments: Vec<OsString>,
}

impl Parity {
    pub(crate) fn run(self, workspace: &Workspace) -> Result<ExitCode> {
        let script = Path::new("scripts/parity.py");
        ensure!(workspace.root().join(script).exists(), "there is no {}", script.display());
        libtorch::ensure(workspace, &self.libtorch)?;
        let python = match env::var_os("TAPELINE_PYTHON") {
            Some(python) => PathBuf::from(python),
            None => python::with_torch(workspace, "parity", &["numpy", "safetensors"])?,
        };
        // The script calls cargo, which must then see what a plain `cargo build` sees.
        let mut command = workspace.command(&python);
        let status = workspace::run(command.env_remove("LIBTORCH").arg(script).args(self.arguments))?;
        Ok(workspace::exit_code(status))
    }
}
