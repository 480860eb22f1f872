//! A trial: a configuration, trained, scored after each epoch, and given up where the pruner says so.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use tapeline_artefact::replace_file;
use tapeline_data_pipeline::{Dataset, Folds, Split, Timestamp};
use tapeline_events::{Event, Observer, Observers};
use tapeline_hpo::{Choice, HpoError, Outcome, Trial};
use tapeline_trainer::metric;
use tch::Device;

use super::attribute::{self, json};
use super::deflation::null_deviation;
use super::looks::Looks;
use super::part::{Parent, Part, Setting, Trained, in_a_line};
use super::plan::Plan;
use super::prepared::{Prepared, Samples, Shared};
use crate::clock;
use crate::config::{Objective as Goal, PARAMETERS, RunConfig, SECONDS, resolved_yaml};
use crate::failure::Failure;
use crate::family::{self, Family};
use crate::preparation::{self, Checked};
use crate::run_folder::{OF_TRIAL, RunFolder};
use crate::seen::Seen;

/// Why a trial failed that a signal ended.
pub(crate) const INTERRUPTED: &str = "interrupted by a signal; it is queued again";

/// What the trials of one worker share.
pub(crate) struct Objective<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) threads: usize,
    pub(crate) device: Device,
    samples: Shared,
    /// What is written down of what its trials see.
    described: Vec<Seen>,
}

/// How a trial ended.
pub(crate) enum Ended {
    Said(Outcome),
    /// A signal came: what it tried is worth trying again.
    Interrupted,
}

impl<'a> Objective<'a> {
    pub(crate) fn new(plan: &'a Plan, threads: usize, device: Device) -> Self {
        Self { plan, threads, device, samples: Shared::default(), described: Vec::new() }
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
        let prepared = self.samples.of(plan.hpo.scored_on, &config, &checked).map_err(|failure| {
            if searches_data { Stop::trial(failure) } else { Stop::Worker(anyhow::Error::new(failure)) }
        })?;
        if !self.described.contains(&prepared.scored_on) {
            match Looks::of(plan.output()).describe(&plan.id(), &prepared.scored_on) {
                Ok(()) => self.described.push(prepared.scored_on.clone()),
                Err(error) => eprintln!("warning: {error:#}"),
            }
        }
        let session = Session { plan, config: &config, checked: &checked, prepared };
        session.train(trial, interrupted)
    }
}

/// Why a trial ends before its time.
pub(super) enum Stop {
    /// It failed, for this reason.
    Trial(String),
    /// Nothing would become of others either.
    Worker(anyhow::Error),
}

impl Stop {
    #[expect(clippy::needless_pass_by_value, reason = "it maps errors")]
    pub(super) fn trial(failure: Failure) -> Self {
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
        let folder = RunFolder::create_in(&self.plan.folder, &format!("{OF_TRIAL}{:05}", trial.number()))
            .map_err(Stop::Worker)?;
        match &self.prepared.samples {
            Samples::Span(data) => self.train_on_span(trial, &folder, data, interrupted),
            Samples::Folds(folds) => self.train_on_folds(trial, &folder, folds, interrupted),
        }
    }

    /// Trains on the split of the configuration. The pruner hears the score after each epoch.
    fn train_on_span(
        &self,
        trial: &mut Trial,
        folder: &RunFolder,
        data: &Dataset,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<Ended, Stop> {
        let study = Parent { id: &self.plan.name, kind: "study" };
        let part = Part::begin(self.setting(), data, folder, &study)?;
        self.note(trial, folder, &part)?;
        self.note_deviation(trial, &decisions(data), data.stride())?;
        let reports = Reports::new(self.plan, self.prepared, trial);
        let trained = part.train(&mut Reporter(&reports), &|| reports.gives_up() || interrupted());
        let verdict = reports.into_verdict()?;
        let trained = trained?;
        trial.set_user_attribute(attribute::SECONDS, json(trained.seconds));
        Ok(match verdict {
            Verdict::GiveUp => Ended::Said(Outcome::Pruned),
            Verdict::GoOn if was_interrupted(&trained) => Ended::Interrupted,
            Verdict::GoOn => Ended::Said(match self.values(&trained) {
                Ok((values, epoch)) => {
                    trial.set_user_attribute(attribute::BEST_EPOCH, json(epoch as u64));
                    Outcome::Values(values)
                }
                Err(reason) => Outcome::Failed(reason),
            }),
        })
    }

    /// Trains on one fold after the other; test blocks stay closed. The pruner hears the mean so far after each fold.
    fn train_on_folds(
        &self,
        trial: &mut Trial,
        folder: &RunFolder,
        folds: &Folds,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<Ended, Stop> {
        self.begin_folds(folder).map_err(Stop::Worker)?;
        let count = folds.instants().len();
        let id = format!("{}/{}", self.plan.name, folder.id());
        let mut means = Means::default();
        let mut seen = BTreeSet::new();
        for number in 1..=count {
            let data = folds.dataset(number - 1).map_err(|error| Stop::trial(error.into()))?;
            let fold = folder.member(&format!("fold-{number:02}")).map_err(Stop::Worker)?;
            let parent = Parent { id: &id, kind: "trial" };
            let part = Part::begin(self.setting(), &data, &fold, &parent)?;
            if number == 1 {
                self.note(trial, folder, &part)?;
            }
            let trained = part.train(&mut Observers(Vec::new()), interrupted)?;
            if number == 1 {
                note_look(self.plan, self.prepared, trial);
            }
            if was_interrupted(&trained) {
                return Ok(Ended::Interrupted);
            }
            let values = match self.values(&trained) {
                Ok((values, _)) => values,
                Err(reason) => {
                    return Ok(Ended::Said(Outcome::Failed(format!("fold {number} of {count}: {reason}"))));
                }
            };
            means.push(values, trained.seconds);
            trial.set_user_attribute(attribute::FOLDS, json(means.of_folds.clone()));
            trial.set_user_attribute(attribute::SECONDS, json(means.seconds));
            seen.extend(decision_times(&data));
            if let [only] = &self.plan.objectives[..]
                && only.is_score()
            {
                let so_far = means.values(&self.plan.objectives)[0];
                trial.report(number as i64, so_far)?;
                if number < count && trial.should_prune()? {
                    return Ok(Ended::Said(Outcome::Pruned));
                }
            }
            if number == count {
                self.note_deviation(trial, &by_symbol(&data, &seen), data.stride())?;
            }
        }
        Ok(Ended::Said(Outcome::Values(means.values(&self.plan.objectives))))
    }

    fn setting(&self) -> Setting<'_> {
        Setting {
            config: self.config,
            checked: self.checked,
            fingerprint: &self.prepared.fingerprint,
            keep: self.plan.hpo.keep,
        }
    }

    /// Makes `folder` that of a run with folds.
    fn begin_folds(&self, folder: &RunFolder) -> anyhow::Result<()> {
        replace_file(&folder.config(), resolved_yaml(self.config).as_bytes())?;
        family::write(folder, Family::WalkForward).map_err(anyhow::Error::new)
    }

    fn note(&self, trial: &mut Trial, folder: &RunFolder, part: &Part<'_>) -> Result<(), HpoError> {
        trial.set_user_attribute(attribute::RUN, json(folder.path().display().to_string()));
        trial.set_user_attribute(attribute::DATA, json(self.prepared.fingerprint.to_string()));
        trial.set_user_attribute(attribute::PARAMETERS, json(part.parameters() as u64));
        trial.write()
    }

    /// Notes how far from 0 the score would lie if there were nothing to find in so many decisions of each symbol.
    fn note_deviation(&self, trial: &mut Trial, decisions: &[usize], stride: usize) -> Result<(), HpoError> {
        let deviation = self
            .plan
            .objectives
            .first()
            .and_then(|objective| null_deviation(&objective.metric, decisions, stride));
        if let Some(deviation) = deviation {
            trial.set_user_attribute(attribute::NULL_DEVIATION, json(deviation));
        }
        trial.write()
    }

    /// The values of the epoch whose weights a run would keep, and that epoch; or why there are none.
    fn values(&self, trained: &Trained) -> Result<(Vec<f64>, usize), String> {
        let state = &trained.ending.state;
        let best_by = metric::find(&self.config.training.checkpointing.metric, &self.checked.tasks)
            .map_err(|_| "training.checkpointing.metric does not exist".to_owned())?;
        let epoch = state
            .epochs_to_best(&best_by)
            .ok_or_else(|| format!("{} was undefined after every epoch", best_by.name))?;
        let value = |objective: &Goal| {
            let value = match objective.metric.as_str() {
                SECONDS => Some(trained.seconds),
                PARAMETERS => Some(trained.parameters as f64),
                name => state.history_of(name).get(epoch - 1).copied().flatten(),
            };
            let value = value.filter(|value| value.is_finite());
            value.ok_or_else(|| format!("{} is undefined at epoch {epoch}, the best", objective.metric))
        };
        Ok((self.plan.objectives.iter().map(value).collect::<Result<_, _>>()?, epoch))
    }
}

fn was_interrupted(trained: &Trained) -> bool {
    trained.ending.outcome == tapeline_events::Outcome::Interrupted
}

/// What the folds of a trial came to so far.
#[derive(Default)]
struct Means {
    /// Of the first objective, fold by fold.
    of_folds: Vec<f64>,
    /// Of each objective.
    sums: Vec<f64>,
    seconds: f64,
}

impl Means {
    fn push(&mut self, values: Vec<f64>, seconds: f64) {
        self.of_folds.extend(values.first());
        self.seconds += seconds;
        self.sums.resize(values.len(), 0.0);
        self.sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
    }

    /// The mean over the folds so far; of seconds, their sum.
    fn values(&self, objectives: &[Goal]) -> Vec<f64> {
        let folds = self.of_folds.len() as f64;
        let value = |(sum, objective): (&f64, &Goal)| match objective.metric.as_str() {
            SECONDS => *sum,
            _ => sum / folds,
        };
        self.sums.iter().zip(objectives).map(value).collect()
    }
}

/// Symbol and time of each validation decision.
fn decision_times(data: &Dataset) -> impl Iterator<Item = (u32, Timestamp)> {
    let windows = data.windows();
    let of_sample =
        |&sample: &u32| (windows.symbols()[sample as usize], windows.decisions()[sample as usize]);
    data.samples(Split::Validation).iter().map(of_sample)
}

/// How many of `decisions` each symbol has.
fn by_symbol(data: &Dataset, decisions: &BTreeSet<(u32, Timestamp)>) -> Vec<usize> {
    let mut counts = vec![0; data.symbols().len()];
    decisions.iter().for_each(|(symbol, _)| counts[*symbol as usize] += 1);
    counts
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

/// Notes that `trial` looked at validation decisions of these bars.
fn note_look(plan: &Plan, prepared: &Prepared, trial: &Trial) {
    let looks = Looks::of(plan.output());
    if let Err(error) = looks.note(&prepared.scored_on.data, &plan.id(), trial.number(), clock::now()) {
        eprintln!("warning: {error:#}");
    }
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
            note_look(self.plan, self.prepared, *trial);
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
