//! One training of a trial: on the split of its configuration, or on one of its folds.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use tapeline_artefact::replace_file;
use tapeline_data_pipeline::{Dataset, Fingerprint, Split};
use tapeline_events::{Event, Journal, Observer, Observers};
use tapeline_models::Network;
use tapeline_trainer::{Curriculum, Ending, Lineage, Start, fit};

use super::objective::Stop;
use crate::config::{Keep, RunConfig, resolved_yaml};
use crate::preparation::Checked;
use crate::run_folder::RunFolder;
use crate::trackers::Trackers;
use crate::{clock, host};

/// How long the end of a training waits for trackers that are behind.
const TRACKER_WAIT: Duration = Duration::from_secs(2);

/// What stands still for all trainings of a trial.
#[derive(Clone, Copy)]
pub(super) struct Setting<'a> {
    pub(super) config: &'a RunConfig,
    pub(super) checked: &'a Checked,
    pub(super) fingerprint: &'a Fingerprint,
    pub(super) keep: Keep,
}

/// What the trainings hang under, wherever they are shown.
pub(super) struct Parent<'a> {
    pub(super) id: &'a str,
    pub(super) kind: &'a str,
}

/// A training before its first step.
pub(super) struct Part<'a> {
    setting: Setting<'a>,
    data: &'a Dataset,
    folder: &'a RunFolder,
    lineage: Lineage,
    network: Box<dyn Network>,
}

/// A training after its last.
pub(super) struct Trained {
    pub(super) ending: Ending,
    pub(super) seconds: f64,
    pub(super) parameters: usize,
}

impl<'a> Part<'a> {
    /// Builds the network and writes down what the run is.
    pub(super) fn begin(
        setting: Setting<'a>,
        data: &'a Dataset,
        folder: &'a RunFolder,
        parent: &Parent<'_>,
    ) -> Result<Self, Stop> {
        let Setting { config, checked, .. } = setting;
        let lineage = checked.lineage(config, data, setting.fingerprint);
        let network =
            checked.build_network(&lineage).map_err(|error| Stop::Trial(in_a_line(&anyhow!(error))))?;
        let part = Self { setting, data, folder, lineage, network };
        part.describe(parent).map_err(Stop::Worker)?;
        Ok(part)
    }

    /// Scalars that its network learns.
    pub(super) fn parameters(&self) -> usize {
        self.network.parameters().count()
    }

    /// Trains until it ends or `gives_up`; `observer` hears of it beside the journal.
    pub(super) fn train(
        self,
        observer: &mut dyn Observer,
        gives_up: &dyn Fn() -> bool,
    ) -> Result<Trained, Stop> {
        let Setting { config, checked, keep, .. } = self.setting;
        let checkpoints = self.folder.checkpoints();
        let opened = Journal::open(&self.folder.journal(), clock::now).context("cannot begin a journal");
        let mut journal = opened.map_err(|error| Stop::Worker(anyhow!("{error:#}")))?.journal;
        let trackers = Trackers::start(config, self.folder).map_err(Stop::trial)?;
        let started = self.started();
        let parameters = self.parameters();
        let run = checked.run(config, self.data, self.network.as_ref(), &self.lineage, &checkpoints);
        let begun = Instant::now();
        let ending = {
            let mut observers = Observers(vec![Box::new(&mut journal), Box::new(observer)]);
            observers.observe(&started);
            fit(&run, Start::Fresh, &|| gives_up(), &mut observers)
        };
        let seconds = begun.elapsed().as_secs_f64();
        drop(self.network);
        // What a tracker is behind with is no reason to keep the next trial waiting.
        trackers.wait(self.folder, TRACKER_WAIT);
        if keep == Keep::Journal {
            remove_checkpoints(checkpoints.folder());
        }
        let ending = ending.map_err(|error| Stop::Trial(why(&in_a_line(&anyhow!(error)))))?;
        Ok(Trained { ending, seconds, parameters })
    }

    /// Writes what the run is before its first step.
    fn describe(&self, parent: &Parent<'_>) -> anyhow::Result<()> {
        let lineage = serde_json::json!({
            "run": self.folder.id(),
            "created": clock::now(),
            "host": host::Host::read().json(),
            "parent": { "id": parent.id, "kind": parent.kind },
            "parameters": { "learned": self.parameters() },
            "lineage": self.lineage,
        });
        replace_file(&self.folder.config(), resolved_yaml(self.setting.config).as_bytes())?;
        Ok(replace_file(&self.folder.lineage(), &serde_json::to_vec_pretty(&lineage)?)?)
    }

    fn started(&self) -> Event {
        let Setting { config, checked, .. } = self.setting;
        let steps = Curriculum::new(self.data, &checked.tasks, &config.training, config.seed);
        Event::RunStarted {
            run_id: self.folder.id(),
            seed: config.seed,
            parameters: self.parameters() as u64,
            samples: Split::ALL
                .map(|split| (split.to_string(), self.data.samples(split).len() as u64))
                .into(),
            steps_per_epoch: steps.map_or(0, |curriculum| curriculum.full_steps() as u64),
            num_epochs: config.training.num_epochs as u64,
        }
    }
}

/// What is heavy of a run goes; that it cannot go is worth a word, no more.
fn remove_checkpoints(folder: &Path) {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            eprintln!("warning: cannot remove {}: {error}", folder.display());
        }
        _ => {}
    }
}

/// What stopped a training. What libtorch says of memory names no remedy.
fn why(error: &str) -> String {
    let words = ["out of memory", "can't allocate memory", "not enough memory"];
    if words.iter().any(|words| error.contains(words)) {
        return format!(
            "out of memory; its training.batch_size or its model is too large for this device: {error}"
        );
    }
    error.to_owned()
}

/// An error and its causes, as a reason that is read in a table.
pub(super) fn in_a_line(error: &impl std::fmt::Display) -> String {
    let text = format!("{error:#}");
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" · ")
}
