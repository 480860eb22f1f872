//! The packages of others, in virtual environments set up once for all tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The interpreter of a virtual environment with exactly `packages` (`name==version`), made on the first call in a folder of
/// its own under `folder`, which is a test's `CARGO_TARGET_TMPDIR`. Test programs and threads that ask at the same time wait
/// for each other.
///
/// `None`, with the reason printed, where it cannot be made and nobody insists.
///
/// # Panics
/// When it cannot be made and the variable `CI` is set: there these tests are never skipped.
#[must_use]
pub fn python_with(folder: &Path, packages: &[&str]) -> Option<PathBuf> {
    match set_up(folder, packages) {
        Ok(python) => Some(python),
        Err(reason) if std::env::var_os("CI").is_none() => {
            println!("skipped: no Python with {} can be set up here: {reason}", packages.join(", "));
            None
        }
        Err(reason) => panic!("a Python with {} is part of the tests in CI: {reason}", packages.join(", ")),
    }
}

fn set_up(folder: &Path, packages: &[&str]) -> Result<PathBuf, String> {
    let name = packages.first().ok_or("no package was named")?.replace("==", "-");
    let folder = folder.join(format!("{name}-venv"));
    let (python, finished) = (folder.join("bin/python"), folder.join("packages"));
    let wanted = packages.join(" ");
    let lock = folder.with_extension("lock");
    let lock = fs::File::create(&lock).map_err(|error| format!("{}: {error}", lock.display()))?;
    lock.lock().map_err(|error| error.to_string())?;
    if fs::read_to_string(&finished).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    output_of(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    let pip = ["-m", "pip", "install", "--disable-pip-version-check", "--quiet", "--only-binary", ":all:"];
    // An index that does not answer for a minute is asked again.
    let patience = ["--retries", "6", "--timeout", "60"];
    output_of(Command::new(&python).args(pip).args(patience).args(packages))?;
    fs::write(&finished, wanted).map_err(|error| format!("{}: {error}", finished.display()))?;
    Ok(python)
}

/// What a program printed, started without our `LD_LIBRARY_PATH`: that is for libtorch, which a Python brings itself.
///
/// # Errors
/// The command and what it complained about, when it could not be started or failed.
pub fn output_of(command: &mut Command) -> Result<String, String> {
    let output =
        command.env_remove("LD_LIBRARY_PATH").output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!(
        "{command:?} ended with {}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr).trim()
    ))
}
