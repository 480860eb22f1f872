//! `cargo xtask parity`: the same networks in the real PyTorch, compared number by number.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, ensure};

use crate::libtorch::{self, LIBTORCH_VERSION, Request};
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
            None => python_with_torch(workspace)?,
        };
        // The script calls cargo, which must then see what a plain `cargo build` sees.
        let mut command = workspace.command(&python);
        let status = workspace::run(command.env_remove("LIBTORCH").arg(script).args(self.arguments))?;
        Ok(workspace::exit_code(status))
    }
}

/// The Python of a virtual environment that holds what the script imports, made on the first call.
fn python_with_torch(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.metadata()?.target_directory.into_std_path_buf().join("parity/venv");
    let python = folder.join("bin/python");
    let finished = folder.join("torch-version");
    if fs::read_to_string(&finished).is_ok_and(|version| version.trim() == LIBTORCH_VERSION) {
        return Ok(python);
    }
    eprintln!("parity: installing torch {LIBTORCH_VERSION} into {} (once)", folder.display());
    succeed(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    succeed(
        Command::new(&python)
            .args(["-m", "pip", "install", "--disable-pip-version-check", "--quiet"])
            .arg(format!("torch=={LIBTORCH_VERSION}"))
            .args(["numpy", "safetensors"]),
    )?;
    fs::write(&finished, LIBTORCH_VERSION).with_context(|| format!("cannot write {}", finished.display()))?;
    Ok(python)
}

fn succeed(command: &mut Command) -> Result<()> {
    let status = workspace::run(command)?;
    ensure!(status.success(), "{} failed ({status})", command.get_program().display());
    Ok(())
}
