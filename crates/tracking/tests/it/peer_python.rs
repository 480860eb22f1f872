//! Pythons with the packages of others, each set up once under cargo's folder for the files of tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A Python with `packages`; `None`, with the reason printed, where none can be set up and nobody insists.
pub(crate) fn with(packages: &[&str]) -> Option<PathBuf> {
    match set_up(packages) {
        Ok(python) => Some(python),
        Err(reason) if std::env::var_os("CI").is_none() => {
            println!("skipped: no Python with {} can be set up here: {reason}", packages.join(", "));
            None
        }
        Err(reason) => panic!("a Python with {} is part of the tests in CI: {reason}", packages.join(", ")),
    }
}

fn set_up(packages: &[&str]) -> Result<PathBuf, String> {
    let name = packages[0].split('=').next().unwrap_or_default();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-venv"));
    let (python, finished) = (folder.join("bin/python"), folder.join("packages"));
    let wanted = packages.join(" ");
    // Tests run side by side; one of them sets it up.
    let lock = fs::File::create(folder.with_extension("lock")).map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    if fs::read_to_string(&finished).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    succeed(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    let pip = ["-m", "pip", "install", "--disable-pip-version-check", "--quiet", "--only-binary", ":all:"];
    succeed(Command::new(&python).args(pip).args(packages))?;
    fs::write(&finished, wanted).map_err(|error| error.to_string())?;
    Ok(python)
}

/// What `command` printed, or what it complained about.
pub(crate) fn succeed(command: &mut Command) -> Result<String, String> {
    let output =
        command.env_remove("LD_LIBRARY_PATH").output().map_err(|error| format!("{command:?}: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr))),
    }
}
