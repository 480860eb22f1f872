//! Those who are measured, and what they said.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::libtorch::{self, Request};
use crate::python;
use crate::workspace::{self, Workspace};

/// Our environment for a peer: what `keep_freed_memory` sets inside our own process.
const OUR_ALLOCATOR: [(&str, &str); 3] = [
    ("MALLOC_MMAP_THRESHOLD_", "1073741824"),
    ("MALLOC_TRIM_THRESHOLD_", "2147483647"),
    ("MALLOC_TOP_PAD_", "67108864"),
];

/// What a program said, by name, once for each round.
#[derive(Default)]
pub(super) struct Figures(BTreeMap<String, Vec<f64>>);

/// One of those who are measured.
pub(super) struct Contestant {
    pub(super) name: &'static str,
    program: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(&'static str, &'static str)>,
    pub(super) figures: Figures,
}

/// The median of some figures and the interval that they lie in.
pub(super) struct Spread {
    pub(super) median: f64,
    pub(super) least: f64,
    pub(super) most: f64,
}

impl Spread {
    fn of(mut figures: Vec<f64>) -> Option<Self> {
        figures.sort_by(f64::total_cmp);
        Some(Self {
            median: *figures.get(figures.len() / 2)?,
            least: *figures.first()?,
            most: *figures.last()?,
        })
    }
}

impl Figures {
    fn add(&mut self, line: &Value) {
        for (name, value) in line.as_object().into_iter().flatten() {
            if let Some(value) = value.as_f64() {
                self.0.entry(name.clone()).or_default().push(value);
            }
        }
    }

    /// What was said about `name`.
    pub(super) fn spread(&self, name: &str) -> Option<Spread> {
        Spread::of(self.0.get(name)?.clone())
    }

    /// What was said about `name`, as a share of what another said about it in the same round.
    pub(super) fn ratio(&self, name: &str, other: &Self) -> Option<Spread> {
        let pairs = self.0.get(name)?.iter().zip(other.0.get(name)?);
        Spread::of(pairs.map(|(one, other)| one / other).collect())
    }

    /// The medians over all rounds.
    pub(super) fn median(&self, name: &str) -> f64 {
        self.spread(name).map_or(f64::NAN, |spread| spread.median)
    }
}

impl Contestant {
    pub(super) fn new<A: Into<OsString>>(
        name: &'static str,
        program: &Path,
        arguments: impl IntoIterator<Item = A>,
    ) -> Self {
        Self {
            name,
            program: program.into(),
            arguments: arguments.into_iter().map(Into::into).collect(),
            environment: Vec::new(),
            figures: Figures::default(),
        }
    }

    /// The same with our allocator's settings.
    pub(super) fn with_our_environment(mut self) -> Self {
        self.environment = OUR_ALLOCATOR.to_vec();
        self
    }

    /// Runs it once and notes its figures, with `first_step_s`: from its start as a process to its first step.
    pub(super) fn compete(&mut self, workspace: &Workspace) -> Result<()> {
        let begin = Instant::now();
        let mut child = workspace
            .command(&self.program)
            .args(&self.arguments)
            .envs(self.environment.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", self.program.display()))?;
        let output = child.stdout.take().context("its output is not piped")?;
        for line in BufReader::new(output).lines() {
            let Ok(mut line) = serde_json::from_str::<Value>(&line.context("cannot read its output")?) else {
                continue;
            };
            if line.get("same").and_then(Value::as_bool) == Some(false) {
                bail!("{} gathers other windows than we do", self.name);
            }
            if line.get("first_step").is_some() {
                line = serde_json::json!({ "first_step_from_start_s": begin.elapsed().as_secs_f64() });
            }
            self.figures.add(&line);
        }
        let status = child.wait().context("cannot wait for it")?;
        ensure!(status.success(), "{} failed ({status}): {:?}", self.name, self.arguments);
        Ok(())
    }
}

/// Every contestant once in each round, one after the other, so that what the machine does meanwhile meets all alike.
pub(super) fn compete(workspace: &Workspace, rounds: usize, contestants: &mut [Contestant]) -> Result<()> {
    for round in 1..=rounds {
        for contestant in &mut *contestants {
            eprintln!("round {round} of {rounds}: {}", contestant.name);
            contestant.compete(workspace)?;
        }
    }
    Ok(())
}

/// Builds the program `measure` and says where it is.
pub(super) fn build_measure(workspace: &Workspace) -> Result<PathBuf> {
    libtorch::ensure(workspace, &Request::default())?;
    let mut cargo = workspace.cargo();
    // With the features of the whole workspace, so that what the tests have compiled serves here too.
    let status = workspace::run(cargo.args(["build", "--workspace", "--bin", "measure"]))?;
    ensure!(status.success(), "the program to be measured does not compile");
    Ok(workspace.metadata()?.target_directory.into_std_path_buf().join("debug/measure"))
}

/// The peers' Python.
pub(super) fn peers_python(workspace: &Workspace) -> Result<PathBuf> {
    match env::var_os("TAPELINE_PYTHON") {
        Some(python) => Ok(PathBuf::from(python)),
        None => python::with_torch(workspace, "bench", &["numpy", "lightning"]),
    }
}

/// Runs `program` for what it leaves behind.
pub(super) fn prepare(program: &Path, arguments: &[&str]) -> Result<()> {
    let status = workspace::run(Command::new(program).args(arguments))?;
    ensure!(status.success(), "{} {} failed ({status})", program.display(), arguments.join(" "));
    Ok(())
}
