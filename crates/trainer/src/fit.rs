//! The loop. Its events, in this order, are those of [`tapeline_events::Event`].

use tapeline_artefact::predict;
use tapeline_data_pipeline::{Dataset, Split};
use tapeline_evaluation::ic::MIN_CROSS_SECTION;
use tapeline_events::{Event, Observer, Outcome};
use tapeline_models::{Mode, Network};
use tch::Device;

use crate::balance::Balance;
use crate::checkpoint::{Checkpoints, Saved};
use crate::crew::{Crew, cuts};
use crate::curriculum::Curriculum;
use crate::error::TrainError;
use crate::feed::Feed;
use crate::lineage::Lineage;
use crate::metric::{self, Metric};
use crate::optimizer::Optimizer;
use crate::schedule::{Schedule, StepPlace};
use crate::score;
use crate::seed::{Purpose, child_seed, shuffled};
use crate::spec::TrainingSpec;
use crate::state::{EpochRecord, State};
use crate::step::{Part, Stepper, learned};
use crate::step_log::{Pending, StepLog};
use crate::stop::Progress;
use crate::task::Tasks;

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
}

/// Where a run begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At the first step, with the network's weights as they are.
    Fresh,
    /// At the newest whole checkpoint.
    Resume,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Ending {
    /// Why.
    pub outcome: Outcome,
    /// Where.
    pub state: State,
}

/// Trains until the last epoch, until patience is used up, or until `interrupted` says so, which saves first.
///
/// After each step the run can be killed and resumed: the resumed run is the same run, bit for bit. A checkpoint lies between
/// two steps, never between the batches of one. `interrupted` is asked after each step; after the last one of an epoch the
/// epoch is still ended. A disk that refuses a checkpoint does not end the training, with one exception: the checkpoint of
/// an interruption.
///
/// # Errors
/// Bad policies before the first step; whatever the data or the network refuse after it; a loss or gradient that is not
/// finite; [`TrainError::Checkpoint`] when an interrupted run could not be saved.
pub fn fit(
    run: &Run<'_>,
    start: Start,
    interrupted: &dyn Fn() -> bool,
    observer: &mut dyn Observer,
) -> Result<Ending, TrainError> {
    let mut loop_state = Loop::begin(run, start, observer)?;
    while loop_state.goes_on(observer) {
        let epoch = loop_state.state.epoch;
        let order = shuffled(&loop_state.curriculum.samples(epoch), run.lineage.seed, epoch);
        if loop_state.state.cursor == 0 {
            observer.observe(&loop_state.epoch_started());
        }
        loop_state.augment();
        let done = loop_state.state.cursor * run.training.batch_size;
        for samples in order[done.min(order.len())..].chunks(run.training.samples_per_step()) {
            loop_state.step(samples, observer)?;
            if interrupted() {
                return loop_state.interrupt(observer);
            }
            if loop_state.save_is_due() {
                loop_state.save_or_go_on(observer)?;
            }
        }
        loop_state.end_epoch(observer)?;
    }
    Ok(loop_state.finish(observer))
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
    state: State,
}

impl<'a> Loop<'a> {
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
        let spec = &run.training.optimizer;
        let optimizer = Optimizer::new(spec, &learned(spec, run.network, &balance))?;
        let max_norm = run.training.gradient_clip.norm;
        let mut begun = Self {
            run,
            stepper: Stepper {
                network: run.network,
                tasks: run.tasks,
                crew: crew_of(run, &balance)?,
                balance,
                optimizer,
                max_norm,
            },
            feed: Feed::new(run.data, run.tasks, run.device),
            log: StepLog::new(run.device),
            schedule: Schedule::new(run.training, |metric| watch("training.scheduler.metric", metric))?,
            stopping: watch("training.early_stopping.metric", &run.training.early_stopping.metric)?,
            best: watch("training.checkpointing.metric", &run.training.checkpointing.metric)?,
            curriculum,
            dropout_seed: child_seed(run.lineage.seed, Purpose::Dropout, 0),
            state: State::fresh(run.lineage.clone()),
        };
        if start == Start::Resume {
            begun.resume(observer)?;
        }
        Ok(begun)
    }

    fn resume(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        let checkpoint = self.run.checkpoints.newest()?;
        let differences = self.run.lineage.differences(&checkpoint.state.lineage);
        if !differences.is_empty() {
            return Err(TrainError::Lineage { differences });
        }
        for damaged in &checkpoint.damaged {
            observer.observe(&Event::CheckpointDamaged {
                folder: damaged.name.clone(),
                reason: damaged.reason.clone(),
                used_instead: Some(checkpoint.name.clone()),
            });
        }
        checkpoint.restore_weights(self.run.network)?;
        checkpoint.restore_optimizer(self.stepper.named_state())?;
        self.state = State { lineage: self.run.lineage.clone(), ..checkpoint.state };
        observer.observe(&Event::ResumedFrom { step: self.state.step as u64, epoch: self.current_epoch() });
        Ok(())
    }

    fn goes_on(&self, observer: &mut dyn Observer) -> bool {
        if self.state.epoch >= self.run.training.num_epochs {
            return false;
        }
        let progress = self.progress();
        let exhausted = progress.exhausted(&self.run.training.early_stopping);
        if exhausted {
            observer.observe(&Event::EarlyStopped {
                epoch: self.last_epoch(),
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

    /// The epoch of the last step, counted from 1.
    fn last_epoch(&self) -> u64 {
        self.state.epoch as u64 + u64::from(self.state.cursor > 0)
    }

    /// Where the next step is.
    fn place(&self) -> StepPlace {
        let step = self.state.cursor.div_ceil(self.run.training.gradient_accumulation);
        StepPlace { epoch: self.state.epoch, step, steps: self.curriculum.steps(self.state.epoch) }
    }

    fn step<'s>(&mut self, samples: &'s [u32], observer: &mut dyn Observer) -> Result<(), TrainError> {
        let rate = self.schedule.rate(self.place(), &self.state.history);
        let denominators = self.feed.denominators(samples)?;
        let (state, seed) = (&self.state, self.dropout_seed);
        let batches = samples.chunks(self.run.training.batch_size);
        let batches_in_step = batches.len();
        let threads = self.stepper.crew.as_ref().map_or(1, Crew::size);
        let cut = |(number, batch): (usize, &'s [u32])| {
            cuts(batch.len(), threads).map(move |cut| (number, cut.start, &batch[cut]))
        };
        let parts = batches.enumerate().flat_map(cut).map(|(number, first, samples)| {
            let cursor = batch_cursor(state.epoch, state.cursor + number);
            let mode = Mode::Train { seed, cursor, rank: 0, first: first as u64 };
            let mut batch = self.feed.batch(samples)?;
            batch.inputs = self.curriculum.newest_bars(batch.inputs, state.epoch)?;
            Ok(Part { batch, mode })
        });
        let figures = self.stepper.step(parts, &denominators, rate)?;
        self.state.step += 1;
        self.state.cursor += batches_in_step;
        let pending = Pending {
            step: self.state.step,
            epoch: self.current_epoch(),
            rate,
            samples: samples.len(),
            first_sample: samples[0],
            figures,
        };
        if self.log.push(pending) { self.tell(observer) } else { Ok(()) }
    }

    fn tell(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        self.log.tell(self.run.tasks, &mut self.state.running, observer)
    }

    fn all_batches_are_done(&self) -> bool {
        self.state.cursor == self.curriculum.batches(self.state.epoch)
    }

    fn save_is_due(&self) -> bool {
        let every = self.run.training.checkpointing.every_n_steps;
        !self.all_batches_are_done() && every.is_some_and(|steps| self.state.step.is_multiple_of(steps))
    }

    fn end_epoch(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        self.score_epoch(observer)?;
        if self.epoch_is_saved() { self.save_or_go_on(observer) } else { Ok(()) }
    }

    fn score_epoch(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        self.tell(observer)?;
        let samples = self.run.data.samples(Split::Validation);
        let predictions =
            predict(self.run.network, self.run.data, samples, EVALUATION_BATCH, self.run.device)?;
        let mut metrics = score::validation_metrics(self.run.data, self.run.tasks, &predictions)?;
        let (network, device) = (self.run.network, self.run.device);
        metrics.extend(score::feature_metrics(network, self.run.data, self.run.tasks, device)?);
        metrics.extend(std::mem::take(&mut self.state.running).metrics());
        metrics.extend(self.curriculum.coverage(self.state.epoch));
        metrics.extend(self.stepper.balance.metrics(self.run.tasks)?);
        let (epoch, step) = (self.state.epoch, self.state.step);
        observer.observe(&Event::EpochEnded {
            epoch: self.current_epoch(),
            step: step as u64,
            metrics: metrics.clone(),
        });
        self.state.history.push(EpochRecord { epoch, step, metrics });
        self.state.epoch += 1;
        self.state.cursor = 0;
        Ok(())
    }

    /// The last epoch, a best one, and every n-th.
    fn epoch_is_saved(&self) -> bool {
        let every = self.run.training.checkpointing.every_n_epochs;
        let last = self.state.epoch == self.run.training.num_epochs
            || self.progress().exhausted(&self.run.training.early_stopping);
        last || self.best_was_just_reached() || self.state.epoch.is_multiple_of(every)
    }

    fn best_was_just_reached(&self) -> bool {
        let history = self.state.history_of(&self.best.name);
        Progress::of(&history, self.best.direction, 0.0).best_epoch == Some(history.len() - 1)
    }

    /// Saves. What the disk refuses is told and returned.
    fn save(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        self.tell(observer)?;
        let (network, keep) = (self.run.network, &self.run.training.checkpointing);
        let (optimizer, direction) = (self.stepper.named_state(), self.best.direction);
        let saved = self.run.checkpoints.save(&self.state, network, &optimizer, keep, direction);
        let (step, epoch) = (self.state.step as u64, self.last_epoch());
        match &saved {
            Ok(Saved { folder, is_best: best, undeleted }) => {
                for reason in undeleted {
                    let message = format!("an old checkpoint could not be deleted: {reason}");
                    observer.observe(&Event::Warning { message });
                }
                observer.observe(&Event::CheckpointSaved {
                    step,
                    epoch,
                    folder: folder.clone(),
                    best: *best,
                });
            }
            Err(TrainError::Checkpoint { source, .. }) => {
                observer.observe(&Event::CheckpointFailed { step, reason: crate::error::chain(source) });
            }
            Err(_) => {}
        }
        saved.map(drop)
    }

    /// Saves, or goes on with the checkpoint before if the disk refuses.
    fn save_or_go_on(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        match self.save(observer) {
            Err(TrainError::Checkpoint { .. }) => Ok(()),
            other => other,
        }
    }

    fn interrupt(mut self, observer: &mut dyn Observer) -> Result<Ending, TrainError> {
        if self.all_batches_are_done() {
            // So that a step has one checkpoint at most: the one before the epoch's end would be written over.
            self.score_epoch(observer)?;
        }
        self.save(observer)?;
        let (step, epoch) = (self.state.step as u64, self.last_epoch());
        observer.observe(&Event::Interrupted { step, epoch });
        Ok(self.end(Outcome::Interrupted, observer))
    }

    fn finish(self, observer: &mut dyn Observer) -> Ending {
        let all = self.state.epoch >= self.run.training.num_epochs;
        self.end(if all { Outcome::Completed } else { Outcome::EarlyStopped }, observer)
    }

    fn end(self, outcome: Outcome, observer: &mut dyn Observer) -> Ending {
        let (step, epoch) = (self.state.step as u64, self.last_epoch());
        observer.observe(&Event::RunEnded { step, epoch, outcome });
        Ending { outcome, state: self.state }
    }
}
