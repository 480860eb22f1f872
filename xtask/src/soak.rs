//! `cargo xtask soak`: random runs, killed at random moments and resumed, against the same runs left alone.

mod dice;
mod evidence;
mod run;
mod variant;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use crate::libtorch::{self, Request};
use crate::workspace::{self, Workspace};
use dice::Dice;
use evidence::Evidence;
use run::Run;
use variant::Variant;

/// A kill comes up to this long after the journal tells of its step: into the next step, a save or the scoring.
const LATEST: Duration = Duration::from_millis(40);

/// A run is killed so often at most before it is let go to its end.
const MOST_KILLS_OF_A_RUN: u64 = 3;

/// Train small runs of random configurations, kill them (SIGKILL) at random moments, resume them, and compare every byte
/// with the same run that was left alone.
///
/// Works under `target/soak`, which is emptied first. Runs that differ stay there, and the exit code is 1.
#[derive(clap::Args)]
pub(crate) struct Soak {
    #[command(flatten)]
    libtorch: Request,
    /// Kills in all
    #[arg(long, default_value_t = 200)]
    kills: u64,
    /// Kills of each configuration
    #[arg(long, default_value_t = 10)]
    each: u64,
    /// The same number draws the same configurations and moments
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// What became of the kills of a configuration.
#[derive(Default)]
struct Tally {
    kills: u64,
    runs: u64,
    bytes: usize,
    differing: usize,
}

impl Soak {
    pub(crate) fn run(self, workspace: &Workspace) -> Result<ExitCode> {
        ensure!(self.each > 0, "--each 0 kills nothing; give at least 1");
        let binary = build_binary(workspace, &self.libtorch)?;
        let folder = workspace.root().join("target/soak");
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("cannot empty {}", folder.display()))?;
        }
        let config = workspace.root().join("tests/it/small.yaml");
        let (begin, mut dice, mut sum) = (Instant::now(), Dice::new(self.seed), Tally::default());
        println!("kills   runs  bytes compared  that differ  configuration");
        let mut number = 0;
        while sum.kills < self.kills {
            let variant = Variant::draw(&mut dice);
            let place = Place { binary: &binary, config: &config, folder: folder.join(number.to_string()) };
            let tally = place.soak(&variant, self.each.min(self.kills - sum.kills), &mut dice)?;
            println!("{}  {variant}", tally.row());
            sum.add(&tally);
            number += 1;
        }
        println!("{}  {number} configurations, seed {}, in {:.0?}", sum.row(), self.seed, begin.elapsed());
        Ok(if sum.differing == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Where the runs of a configuration are made.
struct Place<'a> {
    binary: &'a Path,
    config: &'a Path,
    folder: PathBuf,
}

impl Place<'_> {
    fn start(&self, name: &str, variant: &Variant) -> Result<Run> {
        Run::start(self.binary, self.config, &self.folder.join(name), variant.changes())
    }

    /// Kills `kills` times; runs that came out alike are deleted.
    fn soak(&self, variant: &Variant, kills: u64, dice: &mut Dice) -> Result<Tally> {
        let whole = self.start("whole", variant)?;
        let folder = whole.finish().with_context(|| format!("{variant}: the run that is left alone"))?;
        let expected = Evidence::of(&folder)?;
        let steps = evidence::steps(&folder)?;
        let mut tally = Tally::default();
        while tally.kills < kills {
            let name = format!("killed-{}", tally.runs);
            let mut run = self.start(&name, variant)?;
            let often = (1 + dice.below(MOST_KILLS_OF_A_RUN)).min(kills - tally.kills);
            for _ in 0..often {
                run.wait_for_step(1 + dice.below(steps))?;
                std::thread::sleep(Duration::from_micros(dice.below(LATEST.as_micros() as u64)));
                run = run.kill_and_resume()?;
            }
            let folder = run.finish().with_context(|| format!("{variant}: {name}"))?;
            let found = Evidence::of(&folder)?;
            let differences = found.differences(&expected);
            for (file, bytes) in &differences {
                println!("  {}: {file} differs in {bytes} bytes", folder.display());
            }
            if differences.is_empty() {
                fs::remove_dir_all(self.folder.join(&name))
                    .context("cannot delete a run that is done with")?;
            }
            tally.add(&Tally {
                kills: often,
                runs: 1,
                bytes: found.len(),
                differing: differences.iter().map(|(_, bytes)| bytes).sum(),
            });
        }
        if tally.differing == 0 {
            fs::remove_dir_all(&self.folder).context("cannot delete runs that are done with")?;
        }
        Ok(tally)
    }
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.kills += other.kills;
        self.runs += other.runs;
        self.bytes += other.bytes;
        self.differing += other.differing;
    }

    fn row(&self) -> String {
        format!("{:>5}  {:>5}  {:>14}  {:>11}", self.kills, self.runs, self.bytes, self.differing)
    }
}

/// Builds `tapeline` with the features of the whole workspace, so that what the tests have compiled serves here too.
fn build_binary(workspace: &Workspace, libtorch: &Request) -> Result<PathBuf> {
    libtorch::ensure(workspace, libtorch)?;
    let mut cargo = workspace.cargo();
    let status = workspace::run(cargo.args(["build", "--workspace", "--bin", "tapeline"]))?;
    ensure!(status.success(), "the program to be killed does not compile");
    Ok(workspace.metadata()?.target_directory.into_std_path_buf().join("debug/tapeline"))
}
