//! `cargo xtask ci`: the whole gate, cheapest first, with the time of each step.

mod alone;
mod transcript;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::libtorch::{self, Request};
use crate::workspace::Workspace;
use crate::{layers, tidy};
use transcript::Tally;

/// Everything that must hold before a change is taken: formatting, house rules, layers, licences, lints, each library
/// by itself, docs, tests.
///
/// The cheap steps all run, so that one call names all their faults; what compiles is run only after they pass, and
/// only up to the first that fails. Steps may be named to run them alone.
#[derive(clap::Args)]
pub(crate) struct Ci {
    #[command(flatten)]
    libtorch: Request,
    /// Only these steps
    #[arg(value_enum, value_name = "STEP")]
    steps: Vec<Step>,
}

/// In the order of their cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Step {
    Fmt,
    Tidy,
    Layers,
    Deny,
    Libtorch,
    Clippy,
    Alone,
    Doc,
    Test,
}

/// How a step went.
enum Outcome {
    Passed(String),
    Skipped(&'static str),
    Failed(String),
}

/// A step's name, time and outcome.
type Row = (&'static str, Duration, Outcome);

fn has_failed(rows: &[Row]) -> bool {
    rows.iter().any(|(_, _, outcome)| matches!(outcome, Outcome::Failed(_)))
}

impl Ci {
    pub(crate) fn run(self, workspace: &Workspace) -> Result<ExitCode> {
        let mut rows: Vec<Row> = Vec::new();
        let start = Instant::now();
        for step in <Step as clap::ValueEnum>::value_variants() {
            if !self.steps.is_empty() && !self.steps.contains(step) {
                continue;
            }
            if step.compiles() && has_failed(&rows) {
                break;
            }
            println!("== {}", step.name());
            let begin = Instant::now();
            let outcome = step.run(workspace, &self.libtorch).unwrap_or_else(|error| {
                println!("{error:#}");
                Outcome::Failed(String::new())
            });
            println!("== {}: {} in {}\n", step.name(), outcome.word(), clock(begin.elapsed()));
            rows.push((step.name(), begin.elapsed(), outcome));
        }
        for (name, time, outcome) in &rows {
            println!("{name:<9} {:>6}  {}", clock(*time), outcome.row());
        }
        println!("{:<9} {:>6}", "total", clock(start.elapsed()));
        Ok(if has_failed(&rows) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

impl Step {
    fn name(self) -> &'static str {
        match self {
            Self::Fmt => "fmt",
            Self::Tidy => "tidy",
            Self::Layers => "layers",
            Self::Deny => "deny",
            Self::Libtorch => "libtorch",
            Self::Clippy => "clippy",
            Self::Alone => "alone",
            Self::Doc => "doc",
            Self::Test => "test",
        }
    }

    /// Minutes rather than seconds?
    fn compiles(self) -> bool {
        matches!(self, Self::Libtorch | Self::Clippy | Self::Alone | Self::Doc | Self::Test)
    }

    fn run(self, workspace: &Workspace, request: &Request) -> Result<Outcome> {
        let mut cargo = workspace.cargo();
        match self {
            // Only the names of the files: `cargo fmt --all` mends them better than a person reading differences, and
            // `rustfmt` those that a macro names.
            Self::Fmt => passed(
                cargo
                    .args(["fmt", "--all", "--", "--check", "--files-with-diff"])
                    .args(named_by_macro(workspace)?),
            ),
            Self::Tidy => tidy::check(workspace).map(Outcome::Passed),
            Self::Layers => layers::check(workspace).map(Outcome::Passed),
            Self::Deny => deny(workspace),
            Self::Libtorch => {
                libtorch::ensure(workspace, request)?;
                Ok(Outcome::Passed(String::new()))
            }
            Self::Clippy => {
                passed(cargo.args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
            }
            Self::Alone => alone::check(workspace).map(Outcome::Passed),
            Self::Doc => {
                passed(cargo.env("RUSTDOCFLAGS", "-D warnings").args(["doc", "--workspace", "--no-deps"]))
            }
            // The same cases of every property each time: new ones are for those who work on it.
            Self::Test => {
                test(cargo.env("PROPTEST_RNG_SEED", "1").args(["test", "--workspace", "--no-fail-fast"]))
            }
        }
    }
}

impl Outcome {
    fn word(&self) -> &'static str {
        match self {
            Self::Passed(_) => "passed",
            Self::Skipped(_) => "skipped",
            Self::Failed(_) => "FAILED",
        }
    }

    fn row(&self) -> String {
        let note = match self {
            Self::Passed(note) | Self::Failed(note) => note,
            Self::Skipped(reason) => *reason,
        };
        format!("{:<8} {note}", self.word()).trim_end().to_owned()
    }
}

/// Files that `cargo fmt` does not find, because the list of features declares their modules.
fn named_by_macro(workspace: &Workspace) -> Result<Vec<PathBuf>> {
    let families = Path::new("crates/data-pipeline/src/feature");
    let is_feature = |path: &PathBuf| path.parent().and_then(Path::parent) == Some(families);
    Ok(tidy::files(workspace)?.into_iter().filter(is_feature).collect())
}

fn passed(command: &mut Command) -> Result<Outcome> {
    let status = transcript::run(command, |_| {})?;
    ensure!(status.success(), "ended with {status}");
    Ok(Outcome::Passed(String::new()))
}

/// Doctests are among them.
fn test(command: &mut Command) -> Result<Outcome> {
    let mut tally = Tally::default();
    let status = transcript::run(command, |line| tally.add(line))?;
    let note = tally.to_string();
    Ok(if status.success() && tally.failed == 0 { Outcome::Passed(note) } else { Outcome::Failed(note) })
}

fn deny(workspace: &Workspace) -> Result<Outcome> {
    let installed = workspace
        .cargo()
        .args(["deny", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !installed {
        return Ok(Outcome::Skipped("cargo-deny is not installed (cargo install --locked cargo-deny)"));
    }
    passed(workspace.cargo().args(["deny", "check", "bans", "licenses", "sources"]))
}

/// Minutes and seconds.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs_f64().round() as u64;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}
