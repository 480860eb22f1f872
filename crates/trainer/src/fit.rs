//! The loop. Its events, in this order, are those of [`tapeline_events::Event`].

mod lr_find;
mod saving;

use std::collections::BTreeMap;
use std::time::Duration;

use tapeline_artefact::predict_from;
use tapeline_data_pipeline::{Dataset, Split};
use tapeline_evaluation::ic::MIN_CROSS_SECTION;
use tapeline_events::{Event, Observer, Outcome};
use tapeline_models::{Mode, Network};
use tapeline_torch_ext::Tf32;
use tch::{Device, Tensor};

use crate::average::Average;
use crate::balance::Balance;
use crate::checkpoint::{Checkpoints, Snapshot};
use crate::crew::{Crew, cuts};
use crate::curriculum::Curriculum;
use crate::error::TrainError;
use crate::feed::Feed;
use crate::guard::{dead_units, no_learning};
use crate::lineage::Lineage;
use crate::metric::{self, Metric};
use crate::optimizer::Optimizer;
use crate::schedule::{Schedule, StepPlace};
use crate::score;
use crate::seed::{Purpose, child_seed, shuffled};
use crate::spec::{PartRatesSpec, TrainingSpec};
use crate::stages::Stages;
use crate::state::{EpochRecord, State};
use crate::step::{Pace, Part, Stepper, learned};
use crate::step_log::{Pending, StepLog, Telling, tell_finding};
use crate::stop::Progress;
use crate::task::Tasks;
use crate::task_gradients;
use saving::Saving;

/// Samples per forward pass where nothing is learned. Scores do not depend on it.
pub const EVALUATION_BATCH: usize = 256;

/// What is trained, on what, and where it is saved.
pub struct Run<'a> {
    /// Labelled with [`Tasks::labels`].
    pub data: &'a Dataset,
    /// With the heads of [`Tasks::heads`]; its weights are what changes.
    pub network: &'a dyn Network,
    /// What is asked of it.
    pub tasks: &'a Tasks,
    /// How it is trained.
    pub training: &'a TrainingSpec,
    /// Where the run comes from; its seed is the root of all randomness.
    pub lineage: Lineage,
    /// Where checkpoints go.
    pub checkpoints: &'a Checkpoints,
    /// Where tensors live.
    pub device: Device,
    /// The time since an instant that stays. It decides when `every_n_minutes` have passed, and tells where the time of steps
    /// went; nothing else.
    pub clock: fn() -> Duration,
    /// Whether histograms of weights and gradients are told at the end of each epoch.
    pub histograms: bool,
}

/// Where a run begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At the first step, with the network's weights as they are.
    Fresh,
    /// At the newest whole checkpoint.
    Resume,
}

pub use lr_find::{LrFindSpec, LrPoint, LrSweep, lr_find};

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Ending {
    /// Why.
    pub outcome: Outcome,
    /// Where.
    pub state: State,
}

/// What somebody wants of a run that goes on, asked after each step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wish {
    /// Nothing.
    #[default]
    GoOn,
    /// A checkpoint now, and on.
    Checkpoint,
    /// An end after the epoch that goes on: the run is over, as if it had been its last.
    StopAfterEpoch,
    /// An end now: a checkpoint, and the run can be resumed.
    Interrupt,
}

/// For who only ever interrupts: true is [`Wish::Interrupt`].
impl From<bool> for Wish {
    fn from(interrupted: bool) -> Self {
        if interrupted { Self::Interrupt } else { Self::GoOn }
    }
}

/// Trains until the last epoch, until patience is used up, or until `asked` wants an end.
///
/// After each step the run can be killed and resumed: the resumed run is the same run, bit for bit. A checkpoint lies between
/// two steps, never between the batches of one. It is written from a copy while the training goes on; what became of it is told
/// after a later step. The last one, and that of an interruption, are waited for. `asked` is asked after each step; after
/// the last one of an epoch the epoch is still ended. A disk that refuses a checkpoint does not end the training, with one
/// exception: the checkpoint of an interruption.
///
/// # Errors
/// Bad policies before the first step; whatever the data or the network refuse after it; losses or gradients that are not
/// finite, step after step; [`TrainError::Checkpoint`] when an interrupted run could not be saved.
pub fn fit<W: Into<Wish>>(
    run: &Run<'_>,
    start: Start,
    asked: &dyn Fn() -> W,
    observer: &mut dyn Observer,
) -> Result<Ending, TrainError> {
    let mut loop_state = Loop::begin(run, start, observer)?;
    let outcome = loop_state.train(asked, observer);
    // Whatever ended the training: what is still being written is written, and told.
    let saved = loop_state.saving.finish(observer);
    let outcome = outcome?;
    saved?;
    if outcome != Outcome::Interrupted
        && let Some(average) = &loop_state.stepper.average
    {
        average.put_into(run.network)?;
    }
    Ok(loop_state.end(outcome, observer))
}

/// The metric that `policy` watches, if this run will have it.
fn watched(policy: &'static str, metric: &str, run: &Run<'_>) -> Result<Metric, TrainError> {
    let found = metric::find(metric, run.tasks).map_err(|nearest| TrainError::UnknownMetric {
        policy,
        metric: metric.into(),
        nearest,
    })?;
    let symbols = run.data.symbols().len();
    if found.is_cross_section() && symbols < MIN_CROSS_SECTION {
        return Err(TrainError::UndefinedMetric { policy, metric: metric.into(), symbols });
    }
    Ok(found)
}

/// Refuses a rate for a part that the network does not have.
fn check_parts(run: &Run<'_>) -> Result<(), TrainError> {
    let has = |part: &str| {
        let mut names = run.network.parameters().iter().map(|(name, _)| name);
        names.any(|name| PartRatesSpec::part_of(name) == part)
    };
    let absent = |(part, factor): &(&'static str, f64)| *factor != 1.0 && !has(part);
    match run.training.part_rates.factors().into_iter().find(absent) {
        Some((part, factor)) => Err(TrainError::NoSuchPart { part, factor }),
        None => Ok(()),
    }
}

/// What dropout knows of a batch: its place in the run, whatever the epochs before it were made of.
fn batch_cursor(epoch: usize, batch: usize) -> u64 {
    (epoch as u64) << 32 | batch as u64
}

/// Who shares the batches of `run`: on the CPU its threads, on another device that device alone.
fn crew_of(run: &Run<'_>, balance: &Balance) -> Result<Option<Crew>, TrainError> {
    let threads = run.lineage.threads;
    let is_shared = run.device == Device::Cpu && threads > 1;
    is_shared.then(|| Crew::new(run.network, run.tasks, balance, threads)).transpose()
}

struct Loop<'a> {
    run: &'a Run<'a>,
    stepper: Stepper<'a>,
    feed: Feed<'a>,
    log: StepLog,
    schedule: Schedule,
    stopping: Metric,
    best: Metric,
    curriculum: Curriculum<'a>,
    dropout_seed: u64,
    saving: Saving<'a>,
    /// Somebody wanted an end after the epoch.
    stops_after_epoch: bool,
    /// Somebody wanted a checkpoint that was not saved yet.
    checkpoint_is_wanted: bool,
    /// On a GPU, for as long as it is trained.
    _tf32: Option<Tf32>,
    state: State,
}

impl<'a> Loop<'a> {
    fn train<W: Into<Wish>>(
        &mut self,
        asked: &dyn Fn() -> W,
        observer: &mut dyn Observer,
    ) -> Result<Outcome, TrainError> {
        while self.goes_on(observer) {
            let epoch = self.state.epoch;
            let order = shuffled(&self.curriculum.samples(epoch), self.run.lineage.seed, epoch);
            if self.state.cursor == 0 {
                observer.observe(&self.epoch_started());
            }
            self.augment();
            let done = self.state.cursor * self.run.training.batch_size;
            let to_come = &order[done.min(order.len())..];
            self.feed.follow(to_come)?;
            for samples in to_come.chunks(self.run.training.samples_per_step()) {
                self.step(samples, observer)?;
                self.saving.tell(observer)?;
                let wish = asked().into();
                if wish == Wish::Interrupt {
                    return self.interrupt(observer);
                }
                self.stops_after_epoch |= wish == Wish::StopAfterEpoch;
                self.checkpoint_is_wanted |= wish == Wish::Checkpoint;
                if self.save_is_due() {
                    self.save(observer)?;
                }
            }
            self.end_epoch(observer)?;
        }
        let all = self.state.epoch >= self.run.training.num_epochs;
        Ok(match (all, self.state.stopped) {
            (true, _) => Outcome::Completed,
            (false, true) => Outcome::Stopped,
            (false, false) => Outcome::EarlyStopped,
        })
    }

    fn begin(run: &'a Run<'a>, start: Start, observer: &mut dyn Observer) -> Result<Self, TrainError> {
        run.training.check().map_err(TrainError::Training)?;
        for split in [Split::Train, Split::Validation] {
            if run.data.samples(split).is_empty() {
                return Err(TrainError::EmptySpan { split });
            }
        }
        let watch = |policy, metric: &str| watched(policy, metric, run);
        let curriculum = Curriculum::new(run.data, run.tasks, run.training, run.lineage.seed)?;
        let balance = Balance::new(run.training.balancing, run.tasks, run.device)?;
        let best = watch("training.checkpointing.metric", &run.training.checkpointing.metric)?;
        let training = run.training;
        let precision = training.precision.on(run.device)?;
        let tf32 = precision.tf32(run.device)?;
        check_parts(run)?;
        let (spec, rates) = (&training.optimizer, &training.part_rates);
        let scaler = precision.scaler(run.device)?;
        let average = training.average.as_ref().map(|spec| Average::new(spec, run.network.parameters()));
        let mut begun = Self {
            run,
            log: StepLog::new(run.device, scaler.is_some()),
            stepper: Stepper {
                network: run.network,
                tasks: run.tasks,
                crew: crew_of(run, &balance)?,
                optimizer: Optimizer::new(spec, &learned(spec, rates, run.network, &balance))?,
                balance,
                part_rates: *rates,
                max_norm: training.gradient_clip.norm,
                precision,
                scaler,
                average: average.transpose()?,
                clock: run.clock,
                stages: Stages::default(),
                kept_gradients: Vec::new(),
            },
            feed: Feed::new(run.data, run.tasks, run.device)?,
            schedule: Schedule::new(run.training, |metric| watch("training.scheduler.metric", metric))?,
            stopping: watch("training.early_stopping.metric", &run.training.early_stopping.metric)?,
            saving: Saving::begin(run, best.direction)?,
            best,
            curriculum,
            dropout_seed: child_seed(run.lineage.seed, Purpose::Dropout, 0),
            stops_after_epoch: false,
            checkpoint_is_wanted: false,
            _tf32: tf32,
            state: State::fresh(run.lineage.clone()),
        };
        if start == Start::Resume {
            begun.resume(observer)?;
        }
        Ok(begun)
    }

    fn resume(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        let checkpoint = self.run.checkpoints.newest()?;
        self.run.lineage.ensure_is(&checkpoint.state.lineage)?;
        for damaged in &checkpoint.damaged {
            observer.observe(&Event::CheckpointDamaged {
                folder: damaged.name.clone(),
                reason: damaged.reason.clone(),
                used_instead: Some(checkpoint.name.clone()),
            });
        }
        checkpoint.restore_learned_weights(self.run.network)?;
        checkpoint.restore_optimizer(self.stepper.named_state())?;
        self.state = State { lineage: self.run.lineage.clone(), ..checkpoint.state };
        // The pointers are for people and are read by nothing here: what the disk refuses of them is no reason to stop.
        let settled = self.run.checkpoints.settle(
            self.state.step,
            &self.run.training.checkpointing,
            self.best.direction,
        );
        settled.map(drop).or_else(saving::go_on)?;
        observer.observe(&Event::ResumedFrom { step: self.state.step as u64, epoch: self.current_epoch() });
        Ok(())
    }

    fn goes_on(&self, observer: &mut dyn Observer) -> bool {
        if self.state.epoch >= self.run.training.num_epochs || self.state.stopped {
            return false;
        }
        let progress = self.progress();
        let exhausted = progress.exhausted(&self.run.training.early_stopping);
        if exhausted {
            observer.observe(&Event::EarlyStopped {
                epoch: self.state.last_epoch(),
                step: self.state.step as u64,
                metric: self.stopping.name.clone(),
                best: progress.best.unwrap_or(f64::NAN),
                best_epoch: progress.best_epoch.map_or(0, |epoch| epoch as u64 + 1),
            });
        }
        !exhausted
    }

    /// Train samples are augmented by the epoch that goes on, whether it is begun or resumed.
    fn augment(&mut self) {
        let epoch = self.state.epoch as u64;
        self.feed.augment(child_seed(self.run.lineage.seed, Purpose::Augmentation, epoch));
    }

    fn progress(&self) -> Progress {
        let history = self.state.history_of(&self.stopping.name);
        let min_delta = self.run.training.early_stopping.min_delta;
        let progress = Progress::of(&history, self.stopping.direction, min_delta);
        // Patience begins when everything is learned from.
        let full_epochs = self.curriculum.full_epochs(self.state.epoch);
        Progress { stale: progress.stale.min(full_epochs), ..progress }
    }

    fn epoch_started(&self) -> Event {
        Event::EpochStarted { epoch: self.current_epoch(), step: self.state.step as u64 }
    }

    /// The epoch that is going on or comes next, counted from 1.
    fn current_epoch(&self) -> u64 {
        self.state.epoch as u64 + 1
    }

    /// Where the schedule is at the next step: a step that was skipped has not moved it.
    fn place(&self) -> StepPlace {
        let step = self.state.cursor.div_ceil(self.run.training.gradient_accumulation);
        let steps_of = |epoch: usize| self.curriculum.steps(epoch);
        let place = StepPlace { epoch: self.state.epoch, step, steps: steps_of(self.state.epoch) };
        place.before(self.known_skips(), steps_of)
    }

    /// How many steps before the next one are known to have been skipped.
    fn known_skips(&self) -> usize {
        self.state.skipped_until(self.log.told_before(self.state.step + 1))
    }

    fn step(&mut self, samples: &[u32], observer: &mut dyn Observer) -> Result<(), TrainError> {
        let begun = (self.run.clock)();
        let rate = self.schedule.rate(self.place(), &self.state.history);
        let cursor = self.state.cursor + samples.len().div_ceil(self.run.training.batch_size);
        let pace = Pace {
            rate,
            update: self.state.step + 1 - self.known_skips(),
            keeps_gradients: self.run.histograms && cursor == self.curriculum.batches(self.state.epoch),
        };
        let figures = self.figures_of_step(samples, pace)?;
        self.state.step += 1;
        self.state.cursor = cursor;
        let pending = Pending {
            step: self.state.step,
            epoch: self.current_epoch(),
            rate,
            samples: samples.to_vec(),
            figures,
        };
        if self.log.push(pending) {
            self.tell(observer)?;
        }
        let stages = &mut self.stepper.stages;
        stages.steps += 1;
        stages.total += (self.run.clock)().saturating_sub(begun);
        Ok(())
    }

    /// Does a step on `samples`; its figures are those of [`Stepper::step`].
    fn figures_of_step<'s>(&mut self, samples: &'s [u32], pace: Pace) -> Result<Tensor, TrainError> {
        let clock = self.run.clock;
        let begun = clock();
        let denominators = self.feed.denominators(samples)?;
        let mut data = clock().saturating_sub(begun);
        let (state, seed) = (&self.state, self.dropout_seed);
        let batches = samples.chunks(self.run.training.batch_size);
        let threads = self.stepper.crew.as_ref().map_or(1, Crew::size);
        let cut = |(number, batch): (usize, &'s [u32])| {
            cuts(batch.len(), threads).map(move |cut| (number, cut.start, &batch[cut]))
        };
        let parts = batches.enumerate().flat_map(cut).map(|(number, first, samples)| {
            let cursor = batch_cursor(state.epoch, state.cursor + number);
            let mode = Mode::Train { seed, cursor, rank: 0, first: first as u64 };
            let begun = clock();
            let mut batch = self.feed.batch(samples)?;
            batch.inputs = self.curriculum.newest_bars(batch.inputs, state.epoch)?;
            data += clock().saturating_sub(begun);
            Ok(Part { batch, mode })
        });
        let figures = self.stepper.step(parts, &denominators, pace);
        self.stepper.stages.data += data;
        figures
    }

    fn tell(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        let run = self.run;
        let key = |sample: u32| {
            let windows = run.data.windows();
            let symbol = windows.symbols()[sample as usize] as usize;
            format!("{} {}", run.data.symbols()[symbol], windows.decisions()[sample as usize])
        };
        let telling = Telling { tasks: run.tasks, guards: &run.training.guards, key: &key };
        self.log.tell(&telling, &mut self.state, observer)
    }

    fn all_batches_are_done(&self) -> bool {
        self.state.cursor == self.curriculum.batches(self.state.epoch)
    }

    fn save_is_due(&self) -> bool {
        !self.all_batches_are_done() && (self.checkpoint_is_wanted || self.saving.is_due(self.state.step))
    }

    fn end_epoch(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        self.score_epoch(observer)?;
        if self.was_the_last_epoch() {
            let snapshot = self.snapshot(observer)?;
            return self.saving.save_and_wait(snapshot, observer).or_else(saving::go_on);
        }
        if self.epoch_is_saved() { self.save(observer) } else { Ok(()) }
    }

    fn score_epoch(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        self.tell(observer)?;
        self.look_inside(observer)?;
        let Run { network, data, tasks, .. } = *self.run;
        let windows = self.feed.windows();
        let (predictions, of_features) = self.with_kept_weights(|| {
            let samples = data.samples(Split::Validation);
            let predictions = predict_from(network, windows, samples, EVALUATION_BATCH)?;
            Ok((predictions, score::feature_metrics(network, windows, tasks)?))
        })?;
        let mut metrics = score::validation_metrics(data, tasks, &predictions)?;
        metrics.extend(of_features);
        metrics.extend(std::mem::take(&mut self.state.running).metrics());
        metrics.extend(self.curriculum.coverage(self.state.epoch));
        metrics.extend(self.stepper.balance.metrics(self.run.tasks)?);
        metrics.extend(self.skips_and_scale()?);
        if self.run.training.task_gradients {
            metrics.extend(task_gradients::metrics(self.run)?);
        }
        let (epoch, step) = (self.state.epoch, self.state.step);
        observer.observe(&Event::EpochEnded {
            epoch: self.current_epoch(),
            step: step as u64,
            metrics: metrics.clone(),
        });
        self.state.history.push(EpochRecord { epoch, step, metrics });
        let guards = &self.run.training.guards;
        let dead = dead_units(guards, score::dead_features(&predictions), predictions.features.width);
        let idle = no_learning(guards, &self.state.history, self.run.tasks);
        for finding in dead.iter().chain(&idle) {
            tell_finding(finding, step, self.current_epoch(), observer);
        }
        self.state.epoch += 1;
        self.state.cursor = 0;
        self.state.stopped = self.stops_after_epoch;
        Ok(())
    }

    /// Tells where the time of the epoch's steps went, and how weights and gradients lie.
    fn look_inside(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        let (step, epoch) = (self.state.step as u64, self.current_epoch());
        if let Some(times) = self.stepper.stages.take() {
            observer.observe(&Event::StepTimes { step, epoch, times });
        }
        if self.run.histograms {
            let (weights, gradients) = self.stepper.histograms()?;
            observer.observe(&Event::Histograms { step, epoch, weights, gradients });
        }
        Ok(())
    }

    /// Does `work` while the network has the weights that a checkpoint keeps: where they are averaged, the average.
    fn with_kept_weights<T>(&self, work: impl FnOnce() -> Result<T, TrainError>) -> Result<T, TrainError> {
        match &self.stepper.average {
            Some(average) => average.in_place(self.run.network, work),
            None => work(),
        }
    }

    /// With a loss scale, or where steps were skipped: how many, and what the scale is.
    fn skips_and_scale(&self) -> Result<BTreeMap<String, Option<f64>>, TrainError> {
        let mut metrics = BTreeMap::new();
        let skipped = self.state.skipped_steps.len();
        if let Some(scaler) = &self.stepper.scaler {
            metrics.insert("train/loss_scale".to_owned(), Some(f64::try_from(scaler.scale())?));
        }
        if skipped > 0 || self.stepper.scaler.is_some() {
            metrics.insert("train/skipped_steps".to_owned(), Some(skipped as f64));
        }
        Ok(metrics)
    }

    /// A best epoch and every n-th; the last is saved anyway.
    fn epoch_is_saved(&self) -> bool {
        let every = self.run.training.checkpointing.every_n_epochs;
        self.checkpoint_is_wanted || self.best_was_just_reached() || self.state.epoch.is_multiple_of(every)
    }

    fn was_the_last_epoch(&self) -> bool {
        self.state.epoch == self.run.training.num_epochs
            || self.state.stopped
            || self.progress().exhausted(&self.run.training.early_stopping)
    }

    fn best_was_just_reached(&self) -> bool {
        let history = self.state.history_of(&self.best.name);
        Progress::of(&history, self.best.direction, 0.0).best_epoch == Some(history.len() - 1)
    }

    /// The run as it is now, copied. Every step is told before: none holds what a gradient that is not finite has moved.
    fn snapshot(&mut self, observer: &mut dyn Observer) -> Result<Snapshot, TrainError> {
        self.tell(observer)?;
        self.checkpoint_is_wanted = false;
        Snapshot::take(&self.state, self.run.network, self.stepper.named_state())
    }

    /// Has a checkpoint written while the training goes on.
    fn save(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        let snapshot = self.snapshot(observer)?;
        self.saving.save(snapshot)
    }

    fn interrupt(&mut self, observer: &mut dyn Observer) -> Result<Outcome, TrainError> {
        if self.all_batches_are_done() {
            // So that a step has one checkpoint at most: the one before the epoch's end would be written over.
            self.score_epoch(observer)?;
        }
        let snapshot = self.snapshot(observer)?;
        self.saving.save_and_wait(snapshot, observer)?;
        let (step, epoch) = (self.state.step as u64, self.state.last_epoch());
        observer.observe(&Event::Interrupted { step, epoch });
        Ok(Outcome::Interrupted)
    }

    fn end(self, outcome: Outcome, observer: &mut dyn Observer) -> Ending {
        let (step, epoch) = (self.state.step as u64, self.state.last_epoch());
        observer.observe(&Event::RunEnded { step, epoch, outcome });
        Ending { outcome, state: self.state }
    }
}
