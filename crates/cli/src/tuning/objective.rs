//! A trial: a configuration, trained, scored after each epoch, and given up where the pruner says so.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use tapeline_artefact::replace_file;
use tapeline_data_pipeline::{Dataset, Split};
use tapeline_events::{Event, Journal, Observer, Observers};
use tapeline_hpo::{Choice, HpoError, Outcome, Trial};
use tapeline_models::{Network, build};
use tapeline_trainer::{Curriculum, Ending, Purpose, Run, Start, child_seed, fit, metric};
use tch::Device;

use super::attribute::{self, json};
use super::deflation::null_deviation;
use super::looks::Looks;
use super::plan::Plan;
use super::prepared::{Prepared, Samples};
use crate::config::{Keep, PARAMETERS, RunConfig, SECONDS, resolved_yaml};
use crate::failure::Failure;
use crate::preparation::{self, Checked};
use crate::run_folder::{OF_TRIAL, RunFolder};
use crate::trackers::Trackers;
use crate::{clock, host};

/// Why a trial failed that a signal ended.
pub(crate) const INTERRUPTED: &str = "interrupted by a signal; it is queued again";

/// How long the end of a trial waits for trackers that are behind.
const TRACKER_WAIT: Duration = Duration::from_secs(2);

/// What the trials of one worker share.
pub(crate) struct Objective<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) threads: usize,
    pub(crate) device: Device,
    samples: Samples,
}

/// How a trial ended.
pub(crate) enum Ended {
    Said(Outcome),
    /// A signal came: what it tried is worth trying again.
    Interrupted,
}

impl<'a> Objective<'a> {
    pub(crate) fn new(plan: &'a Plan, threads: usize, device: Device) -> Self {
        Self { plan, threads, device, samples: Samples::default() }
    }

    /// Trains the configuration of `trial`. What goes wrong with it is its outcome; an error is what no trial could go on
    /// with, such as bars that are not there or a storage that is gone.
    pub(crate) fn run(&mut self, trial: &mut Trial, interrupted: &dyn Fn() -> bool) -> anyhow::Result<Ended> {
        let values = self.plan.space.suggest(trial)?;
        trial.set_user_attribute(
            attribute::WORKER,
            json(format!("{}#{}", super::worker::name(), trial.number())),
        );
        trial.write()?;
        match self.train(trial, &values, interrupted) {
            Err(Stop::Trial(reason)) => Ok(Ended::Said(Outcome::Failed(reason))),
            Err(Stop::Worker(error)) => Err(error),
            Ok(ended) => Ok(ended),
        }
    }

    fn train(
        &mut self,
        trial: &mut Trial,
        values: &BTreeMap<String, Choice>,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<Ended, Stop> {
        let mut config = self.plan.config_with(values).map_err(|error| Stop::Trial(in_a_line(&error)))?;
        config.experiment.clone_from(&self.plan.config.experiment);
        let checked = preparation::sections(&config, self.threads, self.device).map_err(Stop::trial)?;
        checked.spell_out(&mut config).map_err(Stop::trial)?;
        let searches_data = self.plan.space.names().any(|key| key.starts_with("data."));
        let plan = self.plan;
        let prepared = self.samples.of(&config, &checked).map_err(|failure| {
            if searches_data { Stop::trial(failure) } else { Stop::Worker(anyhow::Error::new(failure)) }
        })?;
        let session = Session { plan, config: &config, checked: &checked, prepared };
        session.train(trial, interrupted)
    }
}

/// Why a trial ends before its time.
enum Stop {
    /// It failed, for this reason.
    Trial(String),
    /// Nothing would become of others either.
    Worker(anyhow::Error),
}

impl Stop {
    #[expect(clippy::needless_pass_by_value, reason = "it maps errors")]
    fn trial(failure: Failure) -> Self {
        Self::Trial(failure.message().replace("\n  because ", ": "))
    }
}

impl From<HpoError> for Stop {
    fn from(error: HpoError) -> Self {
        Self::Worker(error.into())
    }
}

/// A trial with everything that stands still while it is trained.
struct Session<'a> {
    plan: &'a Plan,
    config: &'a RunConfig,
    checked: &'a Checked,
    prepared: &'a Prepared,
}

impl Session<'_> {
    fn train(&self, trial: &mut Trial, interrupted: &dyn Fn() -> bool) -> Result<Ended, Stop> {
        let (config, checked, data) = (self.config, self.checked, &self.prepared.data);
        let lineage = checked.lineage(config, data, &self.prepared.fingerprint);
        let init = child_seed(config.seed, Purpose::Initialisation, 0);
        let network = build(&lineage.network, init, checked.device)
            .map_err(|error| Stop::Trial(in_a_line(&anyhow!(error))))?;
        let folder = RunFolder::create_in(&self.plan.folder, &format!("{OF_TRIAL}{:05}", trial.number()))
            .map_err(Stop::Worker)?;
        self.describe(&folder, &lineage, network.as_ref()).map_err(Stop::Worker)?;
        self.note(trial, &folder, network.as_ref())?;

        let checkpoints = folder.checkpoints();
        let mut journal = Journal::open(&folder.journal(), clock::now).context("cannot begin a journal");
        let trackers = Trackers::start(config, &folder).map_err(Stop::trial)?;
        let journal = match &mut journal {
            Ok(opened) => &mut opened.journal,
            Err(error) => return Err(Stop::Worker(anyhow!("{error:#}"))),
        };
        let reports = Reports::new(self.plan, self.prepared, trial);
        let clock = clock::stopwatch();
        let run = Run {
            data,
            network: network.as_ref(),
            tasks: &checked.tasks,
            training: &config.training,
            lineage,
            checkpoints: &checkpoints,
            device: checked.device,
            clock: &clock,
        };
        let begun = Instant::now();
        let ending = {
            let mut reporter = Reporter(&reports);
            let mut observers = Observers(vec![Box::new(journal), Box::new(&mut reporter)]);
            observers.observe(&self.run_started(&folder, network.as_ref()));
            fit(&run, Start::Fresh, &|| reports.gives_up() || interrupted(), &mut observers)
        };
        let seconds = begun.elapsed().as_secs_f64();
        let parameters = network.parameters().count() as f64;
        drop(network);
        // What a tracker is behind with is no reason to keep the next trial waiting.
        trackers.wait(&folder, TRACKER_WAIT);
        if self.plan.hpo.keep == Keep::Journal {
            remove_checkpoints(checkpoints.folder());
        }
        let verdict = reports.into_verdict()?;
        trial.set_user_attribute(attribute::SECONDS, json(seconds));
        let ending = ending.map_err(|error| Stop::Trial(why(&in_a_line(&anyhow!(error)))))?;
        Ok(match verdict {
            Verdict::GiveUp => Ended::Said(Outcome::Pruned),
            Verdict::GoOn if ending.outcome == tapeline_events::Outcome::Interrupted => Ended::Interrupted,
            Verdict::GoOn => Ended::Said(self.score(trial, &ending, seconds, parameters)),
        })
    }

    /// Writes what the run is before its first step.
    fn describe(
        &self,
        folder: &RunFolder,
        lineage: &tapeline_trainer::Lineage,
        network: &dyn Network,
    ) -> anyhow::Result<()> {
        let lineage = serde_json::json!({
            "run": folder.id(),
            "created": clock::now(),
            "host": host::Host::read().json(),
            "parent": { "id": self.plan.name, "kind": "study" },
            "parameters": { "learned": network.parameters().count() },
            "lineage": lineage,
        });
        replace_file(&folder.config(), resolved_yaml(self.config).as_bytes())?;
        Ok(replace_file(&folder.lineage(), &serde_json::to_vec_pretty(&lineage)?)?)
    }

    fn note(&self, trial: &mut Trial, folder: &RunFolder, network: &dyn Network) -> Result<(), HpoError> {
        trial.set_user_attribute(attribute::RUN, json(folder.path().display().to_string()));
        trial.set_user_attribute(attribute::DATA, json(self.prepared.fingerprint.to_string()));
        trial.set_user_attribute(attribute::PARAMETERS, json(network.parameters().count() as u64));
        let deviation = self.plan.objectives.first().and_then(|objective| {
            let data = &self.prepared.data;
            null_deviation(&objective.metric, &decisions(data), data.stride())
        });
        if let Some(deviation) = deviation {
            trial.set_user_attribute(attribute::NULL_DEVIATION, json(deviation));
        }
        trial.write()
    }

    fn run_started(&self, folder: &RunFolder, network: &dyn Network) -> Event {
        let data = &self.prepared.data;
        let training = &self.config.training;
        let steps = Curriculum::new(data, &self.checked.tasks, training, self.config.seed);
        Event::RunStarted {
            run_id: folder.id(),
            seed: self.config.seed,
            parameters: network.parameters().count() as u64,
            samples: Split::ALL.map(|split| (split.to_string(), data.samples(split).len() as u64)).into(),
            steps_per_epoch: steps.map_or(0, |curriculum| curriculum.full_steps() as u64),
            num_epochs: training.num_epochs as u64,
        }
    }

    /// The values of the epoch whose weights a run would keep.
    fn score(&self, trial: &mut Trial, ending: &Ending, seconds: f64, parameters: f64) -> Outcome {
        let Ok(best_by) = metric::find(&self.config.training.checkpointing.metric, &self.checked.tasks)
        else {
            return Outcome::Failed("training.checkpointing.metric does not exist".into());
        };
        let Some(epoch) = ending.state.epochs_to_best(&best_by) else {
            return Outcome::Failed(format!("{} was undefined after every epoch", best_by.name));
        };
        trial.set_user_attribute(attribute::BEST_EPOCH, json(epoch as u64));
        let mut values = Vec::with_capacity(self.plan.objectives.len());
        for objective in &self.plan.objectives {
            let value = match objective.metric.as_str() {
                SECONDS => Some(seconds),
                PARAMETERS => Some(parameters),
                name => ending.state.history_of(name).get(epoch - 1).copied().flatten(),
            };
            match value.filter(|value| value.is_finite()) {
                Some(value) => values.push(value),
                None => {
                    let name = &objective.metric;
                    return Outcome::Failed(format!("{name} is undefined at epoch {epoch}, the best"));
                }
            }
        }
        Outcome::Values(values)
    }
}

/// Validation decisions of each symbol.
fn decisions(data: &Dataset) -> Vec<usize> {
    let mut counts = vec![0; data.symbols().len()];
    let symbols = data.windows().symbols();
    for sample in data.samples(Split::Validation) {
        counts[symbols[*sample as usize] as usize] += 1;
    }
    counts
}

/// What the pruner said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    GoOn,
    GiveUp,
}

/// What a trial says on its way.
struct Reports<'a> {
    plan: &'a Plan,
    prepared: &'a Prepared,
    trial: RefCell<&'a mut Trial>,
    verdict: Cell<Verdict>,
    error: RefCell<Option<HpoError>>,
}

impl<'a> Reports<'a> {
    fn new(plan: &'a Plan, prepared: &'a Prepared, trial: &'a mut Trial) -> Self {
        let (verdict, error) = (Cell::new(Verdict::GoOn), RefCell::new(None));
        Self { plan, prepared, trial: RefCell::new(trial), verdict, error }
    }

    /// True when training on makes no sense: the pruner said so, or nobody hears what comes of it.
    fn gives_up(&self) -> bool {
        self.verdict.get() == Verdict::GiveUp || self.error.borrow().is_some()
    }

    fn epoch_ended(&self, epoch: u64, metrics: &BTreeMap<String, Option<f64>>) {
        let mut trial = self.trial.borrow_mut();
        if epoch == 1 {
            let looks = Looks::of(self.plan.output());
            let fingerprint = self.prepared.fingerprint.to_string();
            if let Err(error) = looks.note(&fingerprint, &self.plan.name, trial.number(), clock::now()) {
                eprintln!("warning: {error:#}");
            }
        }
        let [only] = &self.plan.objectives[..] else { return };
        if !only.is_score() {
            return;
        }
        let value = metrics.get(&only.metric).copied().flatten().unwrap_or(f64::NAN);
        let step = i64::try_from(epoch).unwrap_or(i64::MAX);
        match trial.report(step, value).and_then(|()| trial.should_prune()) {
            Ok(true) => self.verdict.set(Verdict::GiveUp),
            Ok(false) => {}
            Err(error) => *self.error.borrow_mut() = Some(error),
        }
    }

    fn into_verdict(self) -> Result<Verdict, HpoError> {
        self.error.into_inner().map_or(Ok(self.verdict.get()), Err)
    }
}

/// Hears a run for its trial.
struct Reporter<'r, 'a>(&'r Reports<'a>);

impl Observer for Reporter<'_, '_> {
    fn observe(&mut self, event: &Event) {
        if let Event::EpochEnded { epoch, metrics, .. } = event {
            self.0.epoch_ended(*epoch, metrics);
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
fn in_a_line(error: &impl std::fmt::Display) -> String {
    let text = format!("{error:#}");
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" · ")
}
