//! `cargo xtask mutants`: does each guard bark? Every patch under `tests/mutants` breaks one invariant on purpose, in a
//! copy of the tree, and the test that it names must then fail.

mod patch;
mod tree;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::{Context as _, Result, bail, ensure};

use crate::libtorch::{self, Request};
use crate::workspace::Workspace;
use patch::Patch;
use tree::Tree;

/// What a test binary prints last when a test of it failed. A build error or a crash of cargo does not.
const TEST_FAILED: &str = "test result: FAILED";
/// What it prints first when it found something to run.
const NOTHING_RAN: &str = "running 0 tests";

/// Break each invariant on purpose, in a copy of the tree, and check that its test notices.
///
/// A patch under `tests/mutants` opens with `# invariant: …` and `# test: cargo test …`. Each is applied alone. The
/// copy and its own build stay under `target/mutants` for the next time.
#[derive(clap::Args)]
pub(crate) struct Mutants {
    #[command(flatten)]
    libtorch: Request,
    /// Only these (file names without `.patch`)
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

/// What became of a mutant.
enum Fate {
    /// Its test failed, as it should.
    Killed,
    /// Its test passed: the invariant is not guarded.
    Survived,
    /// It proves nothing.
    Invalid(String),
}

impl Mutants {
    pub(crate) fn run(self, workspace: &Workspace) -> Result<ExitCode> {
        let patches = self.patches(&workspace.root().join("tests/mutants"))?;
        libtorch::ensure(workspace, &self.libtorch)?;
        let tree = Tree::make(workspace)?;
        let unmutated = baseline(&tree, &patches)?;
        let mut rows = Vec::new();
        for patch in &patches {
            eprintln!("mutants: {} ({})", patch.name, patch.test_line());
            let fate = match &unmutated[patch.test.as_slice()] {
                Some(fault) => Fate::Invalid(fault.clone()),
                None => fate(&tree, patch)?,
            };
            rows.push((patch, fate));
        }
        tree.restore()?;
        print_table(&rows);
        let all_killed = rows.iter().all(|(_, fate)| matches!(fate, Fate::Killed));
        Ok(if all_killed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn patches(&self, folder: &Path) -> Result<Vec<Patch>> {
        let mut patches = Vec::new();
        for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
            let path = entry.with_context(|| format!("cannot list {}", folder.display()))?.path();
            if path.extension().is_some_and(|extension| extension == "patch") {
                patches.push(Patch::read(&path)?);
            }
        }
        patches.sort_by(|one, other| one.name.cmp(&other.name));
        if let Some(unknown) = self.names.iter().find(|name| patches.iter().all(|patch| patch.name != **name))
        {
            bail!("there is no mutant `{unknown}` in {}", folder.display());
        }
        patches.retain(|patch| self.names.is_empty() || self.names.contains(&patch.name));
        ensure!(!patches.is_empty(), "there are no mutants in {}", folder.display());
        Ok(patches)
    }
}

/// Runs each test once without a mutant: a test that fails by itself, or is not there, proves nothing.
fn baseline<'a>(tree: &Tree, patches: &'a [Patch]) -> Result<BTreeMap<&'a [String], Option<String>>> {
    let mut faults = BTreeMap::new();
    for patch in patches {
        if faults.contains_key(patch.test.as_slice()) {
            continue;
        }
        eprintln!("mutants: without a mutant ({})", patch.test_line());
        let log = tree.log(&format!("{}.baseline", patch.name));
        let (status, output) = run(&mut tree.cargo(&patch.test), &log)?;
        let ran = output.lines().any(|line| line.starts_with("running ") && line != NOTHING_RAN);
        let fault = if !status.success() {
            Some(format!("its test fails without it, see {}", log.display()))
        } else if !ran {
            Some("its test names nothing that runs".to_owned())
        } else {
            None
        };
        faults.insert(patch.test.as_slice(), fault);
    }
    Ok(faults)
}

fn fate(tree: &Tree, patch: &Patch) -> Result<Fate> {
    tree.restore()?;
    if let Err(error) = tree.apply(&patch.path) {
        return Ok(Fate::Invalid(format!("{error:#}")));
    }
    let log = tree.log(&patch.name);
    let (compiled, _) = run(&mut tree.cargo(&patch.compile()), &log)?;
    if !compiled.success() {
        return Ok(Fate::Invalid(format!("it does not compile, see {}", log.display())));
    }
    let (tested, output) = run(&mut tree.cargo(&patch.test), &log)?;
    Ok(judge(tested.success(), &output).unwrap_or_else(|| {
        Fate::Invalid(format!("cargo ended with {tested} and no test failed, see {}", log.display()))
    }))
}

/// Killed only by a test that failed; neither by a signal nor by a build error.
fn judge(success: bool, output: &str) -> Option<Fate> {
    if success {
        Some(Fate::Survived)
    } else if output.lines().any(|line| line.starts_with(TEST_FAILED)) {
        Some(Fate::Killed)
    } else {
        None
    }
}

/// Runs `command` with all its output in the file `log`, and returns that output.
fn run(command: &mut Command, log: &Path) -> Result<(ExitStatus, String)> {
    let context = || format!("cannot write {}", log.display());
    let file = File::create(log).with_context(context)?;
    let status = command
        .stdout(file.try_clone().with_context(context)?)
        .stderr(file)
        .status()
        .context("cannot start cargo")?;
    let output = fs::read(log).with_context(context)?;
    Ok((status, String::from_utf8_lossy(&output).into_owned()))
}

fn print_table(rows: &[(&Patch, Fate)]) {
    println!("| mutant | invariant | test | fate |\n|---|---|---|---|");
    for (patch, fate) in rows {
        let fate = match fate {
            Fate::Killed => "killed",
            Fate::Survived => "SURVIVED",
            Fate::Invalid(reason) => &format!("INVALID: {reason}"),
        };
        println!("| {} | {} | `{}` | {fate} |", patch.name, patch.invariant, patch.test_line());
    }
}

#[cfg(test)]
mod tests {
    use super::{Fate, judge};

    #[test]
    fn only_a_failed_test_kills() {
        let failed = "running 1 test\ntest result: FAILED. 0 passed; 1 failed; 0 ignored";
        assert!(matches!(judge(false, failed), Some(Fate::Killed)));
        assert!(matches!(judge(true, "test result: ok. 1 passed; 0 failed"), Some(Fate::Survived)));
        assert!(judge(false, "error: could not compile `tapeline-trainer`").is_none());
        assert!(judge(false, "running 1 test\nprocess didn't exit successfully (signal: 9)").is_none());
    }
}
