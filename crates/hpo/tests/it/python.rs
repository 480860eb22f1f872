//! Pythons with Optuna, set up once under cargo's folder for the files of tests.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tapeline_hpo::JsonValue;
use tapeline_testkit::{output_of, python_with};

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
        let program = python_with(Path::new(env!("CARGO_TARGET_TMPDIR")), self.packages())?;
        Some(Python { program })
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

    /// What it says; an error is how it failed.
    pub(crate) fn try_ask(&self, arguments: &[&str]) -> Result<String, String> {
        output_of(&mut self.peer(arguments))
    }

    /// What it says, as JSON.
    pub(crate) fn ask(&self, arguments: &[&str]) -> JsonValue {
        let said = self.try_ask(arguments).unwrap_or_else(|error| panic!("{error}"));
        JsonValue::parse(said.trim()).unwrap_or_else(|fault| panic!("{fault}: {said}"))
    }

    /// Lets it do something about which it says nothing.
    pub(crate) fn tell(&self, arguments: &[&str]) {
        output_of(&mut self.peer(arguments)).unwrap_or_else(|error| panic!("{error}"));
    }
}
