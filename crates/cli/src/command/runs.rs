//! `tapeline runs`: what was run, and what came of it.

mod tail;

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Subcommand;
use comfy_table::{Table, presets};
use tapeline_events::{Event, Outcome, Record};
use tapeline_trainer::Scorecard;

use crate::failure::{DONE, Failure};
use crate::run_folder::RunFolder;
use crate::{score_table, targets};

/// What can be done with runs.
#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// One line for each run.
    List {
        /// The folder that holds the experiments.
        #[arg(long, default_value = "runs")]
        output: PathBuf,
    },
    /// Where a run stands, and its scores.
    Show {
        /// The run's folder.
        run: PathBuf,
    },
    /// What a run's journal says, also while it is written.
    Tail(tail::Arguments),
}

pub(super) fn run(verb: &Verb) -> Result<i32, Failure> {
    match verb {
        Verb::List { output } => list(output),
        Verb::Show { run } => show(run),
        Verb::Tail(arguments) => tail::run(arguments),
    }
}

fn list(output: &Path) -> Result<i32, Failure> {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["run", "epochs", "steps", "validation/loss", "state"]);
    for experiment in folders(output).map_err(Failure::bad_input)? {
        for path in folders(&experiment)? {
            let Ok(folder) = RunFolder::open(&path) else { continue };
            let standing = match tapeline_events::read(&folder.journal()) {
                Ok(records) => Standing::of(&records),
                Err(_) => Standing { state: "its journal cannot be read", ..Standing::of(&[]) },
            };
            table.add_row([
                path.display().to_string(),
                standing.epoch.to_string(),
                standing.step.to_string(),
                standing.validation_loss.map_or_else(|| "–".into(), |loss| format!("{loss:.5}")),
                standing.state.into(),
            ]);
        }
    }
    if table.is_empty() {
        println!("no run under {}", output.display());
    } else {
        println!("{table}");
    }
    Ok(DONE)
}

fn folders(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(path).with_context(|| format!("cannot list {}", path.display()))?;
    let mut folders: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|p| p.is_dir()).collect();
    folders.sort();
    Ok(folders)
}

/// Where a journal says a run is.
struct Standing {
    epoch: u64,
    step: u64,
    validation_loss: Option<f64>,
    state: &'static str,
}

impl Standing {
    fn of(records: &[Record]) -> Self {
        let mut standing = Self { epoch: 0, step: 0, validation_loss: None, state: "not started" };
        for record in records {
            standing.step = record.event.step().unwrap_or(standing.step);
            standing.epoch = record.event.epoch().unwrap_or(standing.epoch);
            match &record.event {
                Event::RunStarted { .. } | Event::ResumedFrom { .. } => standing.state = "running or killed",
                Event::EpochEnded { metrics, .. } => {
                    standing.validation_loss = metrics.get("validation/loss").copied().flatten();
                }
                Event::RunEnded { outcome, .. } => {
                    standing.state = match outcome {
                        Outcome::Completed => "completed",
                        Outcome::EarlyStopped => "early stopped",
                        Outcome::Interrupted => "interrupted",
                    }
                }
                _ => {}
            }
        }
        standing
    }
}

fn show(path: &Path) -> Result<i32, Failure> {
    let folder = RunFolder::open(path).map_err(Failure::bad_input)?;
    let standing = Standing::of(&tapeline_events::read(&folder.journal()).map_err(Failure::failed)?);
    println!("{}: {}, epoch {}, step {}", path.display(), standing.state, standing.epoch, standing.step);
    for split in ["train", "validation", "test"] {
        if let Ok(bytes) = std::fs::read(folder.scores(split)) {
            let card: Scorecard = serde_json::from_slice(&bytes)
                .with_context(|| format!("{} cannot be understood", folder.scores(split).display()))?;
            print!("{}", score_table::render(&card));
        }
    }
    print!("{}", targets::render(&targets::read(&folder)?));
    Ok(DONE)
}
