//! A Python of our own, for what has to be compared with the real PyTorch.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::libtorch::LIBTORCH_VERSION;
use crate::workspace::{self, Workspace};

/// As [`with`], with the PyTorch whose libtorch this release is built against besides.
pub(crate) fn with_torch(workspace: &Workspace, name: &str, packages: &[&str]) -> Result<PathBuf> {
    let torch = format!("torch=={LIBTORCH_VERSION}");
    with(workspace, name, &[&[torch.as_str()], packages].concat())
}

/// The Python of a virtual environment under `target/<name>` with `packages`, made on the first call and again whenever they
/// change.
pub(crate) fn with(workspace: &Workspace, name: &str, packages: &[&str]) -> Result<PathBuf> {
    let folder = workspace.metadata()?.target_directory.into_std_path_buf().join(name).join("venv");
    let python = folder.join("bin/python");
    let finished = folder.join("packages");
    let wanted = packages.join(" ");
    if fs::read_to_string(&finished).is_ok_and(|found| found == wanted) {
        return Ok(python);
    }
    eprintln!("{name}: installing {wanted} into {} (once)", folder.display());
    succeed(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    succeed(
        Command::new(&python)
            .args(["-m", "pip", "install", "--disable-pip-version-check", "--quiet"])
            .args(packages),
    )?;
    fs::write(&finished, wanted).with_context(|| format!("cannot write {}", finished.display()))?;
    Ok(python)
}

fn succeed(command: &mut Command) -> Result<()> {
    let status = workspace::run(command)?;
    ensure!(status.success(), "{} failed ({status})", command.get_program().display());
    Ok(())
}
