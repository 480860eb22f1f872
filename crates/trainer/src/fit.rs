//! The loop. Its events, in this order, are those of [`tapeline_events::Event`].

mod begin;
mod epochs;
mod lr_find;
mod saving;
mod steps;

use std::time::Duration;

use tapeline_data_pipeline::Dataset;
use tapeline_events::{Event, Observer, Outcome};
use tapeline_models::Network;
use tapeline_torch_ext::Tf32;
use tch::Device;

use crate::checkpoint::Checkpoints;
use crate::curriculum::Curriculum;
use crate::error::TrainError;
use crate::feed::Feed;
use crate::lineage::Lineage;
use crate::metric::Metric;
use crate::schedule::Schedule;
use crate::seed::shuffled;
use crate::spec::TrainingSpec;
use crate::state::State;
use crate::step::Stepper;
use crate::step_log::StepLog;
use crate::task::Tasks;
pub use lr_find::{LrFindSpec, LrPoint, LrSweep, lr_find};
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

/// A run that goes on. Its methods lie in the modules named for what they do.
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

impl Loop<'_> {
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

    fn end(self, outcome: Outcome, observer: &mut dyn Observer) -> Ending {
        let (step, epoch) = (self.state.step as u64, self.state.last_epoch());
        observer.observe(&Event::RunEnded { step, epoch, outcome });
        Ending { outcome, state: self.state }
    }
}
