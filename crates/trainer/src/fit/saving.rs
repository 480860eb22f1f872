//! When a run is saved, and what is told of its checkpoints.

use std::time::Duration;

use tapeline_events::{Event, Observer, Outcome};

use super::{Loop, Run};
use crate::checkpoint::{Report, Saved, Snapshot, Writer};
use crate::error::{TrainError, chain};
use crate::metric::Direction;
use crate::spec::CheckpointingSpec;
use crate::stop::Progress;

/// The checkpoints of a run that goes on.
pub(super) struct Saving<'a> {
    writer: Writer,
    policy: &'a CheckpointingSpec,
    clock: fn() -> Duration,
    /// When the last snapshot was taken, or the run begun.
    saved_at: Duration,
}

/// A disk that refuses a checkpoint ends no training: the one before it stays. Any other error stays one.
pub(super) fn go_on(error: TrainError) -> Result<(), TrainError> {
    if matches!(error, TrainError::Checkpoint { .. }) { Ok(()) } else { Err(error) }
}

impl<'a> Saving<'a> {
    pub(super) fn begin(run: &Run<'a>, direction: Direction) -> Result<Self, TrainError> {
        let policy = &run.training.checkpointing;
        let writer = Writer::start(run.checkpoints.clone(), policy.clone(), direction)?;
        Ok(Self { writer, policy, clock: run.clock, saved_at: (run.clock)() })
    }

    /// Whether it is time, after `step` inside an epoch.
    pub(super) fn is_due(&self, step: usize) -> bool {
        let Self { policy, clock, saved_at, .. } = self;
        policy.every_n_steps.is_some_and(|steps| step.is_multiple_of(steps))
            || policy.every_n_minutes.is_some_and(|minutes| {
                clock().saturating_sub(*saved_at).as_secs_f64() >= minutes * SECONDS_PER_MINUTE
            })
    }

    /// Hands a snapshot over.
    pub(super) fn save(&mut self, snapshot: Snapshot) -> Result<(), TrainError> {
        self.saved_at = (self.clock)();
        self.writer.give(snapshot)
    }

    /// Hands a snapshot over, and tells what became of it and of those before it; its failure is returned.
    pub(super) fn save_and_wait(
        &mut self,
        snapshot: Snapshot,
        observer: &mut dyn Observer,
    ) -> Result<(), TrainError> {
        self.saved_at = (self.clock)();
        self.writer.give_and_wait(snapshot)?;
        self.tell_all(observer)
    }

    /// Tells what became of the checkpoints that were written meanwhile.
    pub(super) fn tell(&self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        self.tell_all(observer).or_else(go_on)
    }

    /// Waits for what is still being written, and tells what became of it.
    pub(super) fn finish(&self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        let written = self.writer.wait();
        self.tell(observer)?;
        written
    }

    /// Tells of each checkpoint; the failure of the last is returned, and one that is not the disk's at once.
    fn tell_all(&self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        let mut last = Ok(());
        for report in self.writer.reports() {
            last.or_else(go_on)?;
            last = tell(report, observer);
        }
        last
    }
}

const SECONDS_PER_MINUTE: f64 = 60.0;

fn tell(report: Report, observer: &mut dyn Observer) -> Result<(), TrainError> {
    let Report { step, epoch, outcome } = report;
    match &outcome {
        Ok(Saved { folder, is_best, undeleted }) => {
            for reason in undeleted {
                let message = format!("an old checkpoint could not be deleted: {reason}");
                observer.observe(&Event::Warning { message });
            }
            observer.observe(&Event::CheckpointSaved { step, epoch, folder: folder.clone(), best: *is_best });
        }
        Err(TrainError::Checkpoint { source, .. }) => {
            observer.observe(&Event::CheckpointFailed { step, reason: chain(source) });
        }
        Err(_) => {}
    }
    outcome.map(drop)
}

impl Loop<'_> {
    pub(super) fn save_is_due(&self) -> bool {
        !self.all_batches_are_done() && (self.checkpoint_is_wanted || self.saving.is_due(self.state.step))
    }

    pub(super) fn end_epoch(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        self.score_epoch(observer)?;
        if self.was_the_last_epoch() {
            let snapshot = self.snapshot(observer)?;
            return self.saving.save_and_wait(snapshot, observer).or_else(go_on);
        }
        if self.epoch_is_saved() { self.save(observer) } else { Ok(()) }
    }

    /// A best epoch and every n-th; the last is saved anyway.
    pub(super) fn epoch_is_saved(&self) -> bool {
        let every = self.run.training.checkpointing.every_n_epochs;
        self.checkpoint_is_wanted || self.best_was_just_reached() || self.state.epoch.is_multiple_of(every)
    }

    pub(super) fn best_was_just_reached(&self) -> bool {
        let history = self.state.history_of(&self.best.name);
        Progress::of(&history, self.best.direction, 0.0).best_epoch == Some(history.len() - 1)
    }

    /// The run as it is now, copied. Every step is told before: none holds what a gradient that is not finite has moved.
    pub(super) fn snapshot(&mut self, observer: &mut dyn Observer) -> Result<Snapshot, TrainError> {
        self.tell(observer)?;
        self.checkpoint_is_wanted = false;
        Snapshot::take(&self.state, self.run.network, self.stepper.named_state())
    }

    /// Has a checkpoint written while the training goes on.
    pub(super) fn save(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        let snapshot = self.snapshot(observer)?;
        self.saving.save(snapshot)
    }

    pub(super) fn interrupt(&mut self, observer: &mut dyn Observer) -> Result<Outcome, TrainError> {
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
}
