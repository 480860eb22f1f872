//! Trials whose worker is known to be gone.

use std::path::PathBuf;
use std::time::Duration;

use tapeline_hpo::{FrozenTrial, Study};

use super::plan::RETRIES;
use super::{attribute, standing, worker};
use crate::config::Sources;
use crate::failure::Failure;
use crate::run_folder::{OF_TRIAL, RunFolder};
use crate::trackers::Trackers;

/// How long trackers are waited for.
const TRACKER_WAIT: Duration = Duration::from_secs(5);

/// Takes trials for lost whose worker ran on this machine and is no more.
pub(crate) fn retire_lost(study: &Study) -> Result<(), Failure> {
    let history = study.history()?;
    let machine = worker::machine();
    for trial in history.unfinished() {
        let process = standing::worker(trial).and_then(|worker| {
            worker.strip_prefix(&format!("{machine}:")).and_then(|process| process.parse::<u32>().ok())
        });
        let Some(process) = process.filter(|process| !is_a_worker(*process)) else { continue };
        retire(study, trial, &format!("its worker, process {process}, is no more"))?;
    }
    Ok(())
}

/// Takes `trial` for lost: it failed for `reason`, what it tried is queued again, and trackers no longer show its run as one that
/// goes on.
pub(super) fn retire(study: &Study, trial: &FrozenTrial, reason: &str) -> Result<(), Failure> {
    study.retire(trial.number, reason, RETRIES)?;
    for run in runs_of(trial) {
        if let Err(error) = tell_trackers(&run) {
            eprintln!("warning: trackers are not told that {} ended: {error}", run.path().display());
        }
    }
    Ok(())
}

/// The folder of its run, or those of the folds that it came to. What tries a lost trial again has the notes of that one until its
/// own worker begins.
fn runs_of(trial: &FrozenTrial) -> Vec<RunFolder> {
    let noted = attribute::text(&trial.user_attributes, attribute::RUN).map(PathBuf::from);
    let own = format!("{OF_TRIAL}{:05}", trial.number);
    let is_own = |run: &PathBuf| run.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&own));
    let Some(run) = noted.filter(is_own) else { return Vec::new() };
    let below = std::fs::read_dir(&run).into_iter().flatten().flatten().map(|entry| entry.path());
    let folders = std::iter::once(run.clone()).chain(below).filter_map(|path| RunFolder::open(&path).ok());
    folders.filter(|folder| folder.journal().is_file()).collect()
}

/// A journal without an end is that of a run that failed.
fn tell_trackers(run: &RunFolder) -> Result<(), Failure> {
    let written = Sources { file: Some(run.config()), ..Sources::default() };
    let config = crate::config::load(&written).map_err(Failure::bad_input)?.config;
    Trackers::start(&config, run)?.wait(run, TRACKER_WAIT);
    Ok(())
}

/// Whether a process of that number runs that could be a worker of ours.
fn is_a_worker(process: u32) -> bool {
    let line = std::fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    process == std::process::id() || line.split(|byte| *byte == 0).any(|word| word == b"hpo")
}
