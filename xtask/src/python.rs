//! A Python of our own, for what has to be compared with the real PyTorch.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::libtorch::LIBTORCH_VERSION;
use crate::workspace::{self, Workspace};

/// The Python of a virtual environment under `target/<name>` with PyTorch and `packages`, made on the first call.
pub(crate) fn with_torch(workspace: &Workspace, name: &str, packages: &[&str]) -> Result<PathBuf> {
    let folder = workspace.metadata()?.target_directory.into_std_path_buf().join(name).join("venv");
    let python = folder.join("bin/python");
    let finished = folder.join("torch-version");
    if fs::read_to_string(&finished).is_ok_and(|version| version.trim() == LIBTORCH_VERSION) {
        return Ok(python);
    }
    eprintln!("{name}: installing torch {LIBTORCH_VERSION} into {} (once)", folder.display());
    succeed(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    succeed(
        Command::new(&python)
            .args(["-m", "pip", "install", "--disable-pip-version-check", "--quiet"])
            .arg(format!("torch=={LIBTORCH_VERSION}"))
            .args(packages),
    )?;
    fs::write(&finished, LIBTORCH_VERSION).with_context(|| format!("cannot write {}", finished.display()))?;
    Ok(python)
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
