//! Pythons with Optuna, set up once under cargo's folder for the files of tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use tapeline_hpo::JsonValue;

/// A Python with one version of Optuna.
pub(crate) struct Python {
    program: PathBuf,
}

/// Which Optuna.
#[derive(Clone, Copy)]
pub(crate) enum Optuna {
    V5,
    V4,
}

impl Optuna {
    const fn packages(self) -> &'static [&'static str] {
        match self {
            Self::V5 => &["optuna==5.0.0", "optuna-dashboard==0.21.0", "psycopg[binary]==3.3.6"],
            Self::V4 => &["optuna==4.9.0"],
        }
    }

    /// A Python that has it; `None`, with a printed reason, where the user cannot set one up.
    pub(crate) fn python(self) -> Option<Python> {
        // One at a time: tests run side by side.
        static SETTING_UP: Mutex<()> = Mutex::new(());
        let _alone = SETTING_UP.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match set_up(self.packages()) {
            Ok(program) => Some(Python { program }),
            Err(reason) => {
                assert!(
                    std::env::var_os("CI").is_none(),
                    "a Python with Optuna is part of the tests in CI: {reason}"
                );
                println!("skipped: no Python with Optuna can be set up here: {reason}");
                None
            }
        }
    }
}

fn set_up(packages: &[&str]) -> Result<PathBuf, String> {
    let name = packages[0].replace("==", "-");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-venv"));
    let (python, finished) = (folder.join("bin/python"), folder.join("packages"));
    let wanted = packages.join(" ");
    if fs::read_to_string(&finished).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    succeed(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    let pip = ["-m", "pip", "install", "--disable-pip-version-check", "--quiet", "--only-binary", ":all:"];
    succeed(Command::new(&python).args(pip).args(packages))?;
    fs::write(&finished, wanted).map_err(|error| error.to_string())?;
    Ok(python)
}

fn succeed(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr))),
    }
}

impl Python {
    /// `optuna_peer.py` with these arguments, to be started.
    pub(crate) fn peer(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/optuna_peer.py");
        command
            .arg(script)
            .args(arguments)
            .env("TZ", "UTC")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::null());
        command
    }

    /// What it says, as JSON.
    pub(crate) fn ask(&self, arguments: &[&str]) -> JsonValue {
        let said = succeed(&mut self.peer(arguments)).unwrap_or_else(|error| panic!("{error}"));
        JsonValue::parse(said.trim()).unwrap_or_else(|fault| panic!("{fault}: {said}"))
    }

    /// Lets it do something about which it says nothing.
    pub(crate) fn tell(&self, arguments: &[&str]) {
        succeed(&mut self.peer(arguments)).unwrap_or_else(|error| panic!("{error}"));
    }
}
