//! `tapeline replay`: what the trackers of a run missed, from its journal.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::anyhow;
use clap::Args;

use crate::config::Sources;
use crate::failure::{DONE, FAILED, Failure};
use crate::run_folder::RunFolder;
use crate::trackers::{self, Trackers};

/// How long a replay may take. Whoever waits for it can end it at any time and start it again.
const LONGEST: Duration = Duration::from_hours(24);

/// What `replay` takes.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The run's folder.
    run: PathBuf,
    /// Only this tracker, such as `mlflow`.
    #[arg(long, value_name = "NAME")]
    sink: Option<String>,
    /// Change the run's `tracking` section, such as `--set tracking.mlflow.uri=http://127.0.0.1:5000`: for a server that
    /// has moved, or a run that had no tracker.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

pub(super) fn run(arguments: &Arguments) -> Result<i32, Failure> {
    let folder = RunFolder::open(&arguments.run).map_err(Failure::bad_input)?;
    if let Some(other) = arguments.set.iter().find(|text| !text.trim_start().starts_with("tracking")) {
        return Err(Failure::bad_input(anyhow!(
            "--set {other}: a run stays what it was; only `tracking` can change"
        )));
    }
    let sources = Sources { file: Some(folder.config()), set: arguments.set.clone(), ..Sources::default() };
    let config = crate::config::load(&sources).map_err(Failure::bad_input)?.config;
    let trackers = Trackers::of(&config, &folder, arguments.sink.as_deref(), trackers::PATIENT)?;
    if trackers.is_empty() {
        return Err(Failure::bad_input(anyhow!(
            "{} has no tracker; name one, such as --set tracking.mlflow.uri=http://127.0.0.1:5000",
            arguments.run.display()
        )));
    }
    let standings = trackers.wait(&folder, LONGEST);
    let mut code = DONE;
    for standing in &standings {
        if standing.is_complete() {
            let records = standing.acknowledged.map_or(0, |last| last + 1);
            println!("{}: has everything, {records} records", standing.sink);
        } else {
            code = FAILED;
        }
    }
    Ok(code)
}
