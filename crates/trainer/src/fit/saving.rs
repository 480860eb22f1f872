//! When a run is saved between two epochs' ends, and what is told of its checkpoints.

use std::time::Duration;

use tapeline_events::{Event, Observer};

use super::Run;
use crate::checkpoint::{Report, Saved, Snapshot, Writer};
use crate::error::{TrainError, chain};
use crate::metric::Direction;
use crate::spec::CheckpointingSpec;

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
