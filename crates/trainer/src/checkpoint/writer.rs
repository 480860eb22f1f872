//! The thread that writes checkpoints while the training goes on.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::{Checkpoints, Saved, Snapshot};
use crate::error::TrainError;
use crate::metric::Direction;
use crate::spec::CheckpointingSpec;

/// Writes one snapshot after the other; while one is written, one more may wait.
///
/// A snapshot from inside an epoch that still waits gives way to a newer one, and is itself given up where one of an epoch's
/// end waits already: a slow disk makes such checkpoints rarer and the training no slower. One of an epoch's end is never
/// given up, because it may be the best: what `best` points to does not depend on the disk. Who has one when another of them
/// waits is kept until there is room.
pub(crate) struct Writer {
    desk: Arc<Desk>,
    reports: Receiver<Report>,
    thread: Option<JoinHandle<()>>,
}

/// What became of a snapshot.
pub(crate) struct Report {
    /// Optimiser steps that it holds.
    pub(crate) step: u64,
    /// The epoch of the last of them, counted from 1.
    pub(crate) epoch: u64,
    /// The checkpoint, or why there is none.
    pub(crate) outcome: Result<Saved, TrainError>,
}

/// Where snapshots are handed over.
#[derive(Default)]
struct Desk {
    tray: Mutex<Tray>,
    changed: Condvar,
}

#[derive(Default)]
struct Tray {
    waiting: Option<Snapshot>,
    is_writing: bool,
    /// No more will come.
    is_closed: bool,
    /// The thread is gone.
    is_abandoned: bool,
}

impl Tray {
    /// True unless a snapshot waits that must not be given up.
    fn has_room(&self) -> bool {
        !self.waiting.as_ref().is_some_and(Snapshot::is_at_epoch_end)
    }

    /// Lets `snapshot` wait in place of what waits, if that may be given up; else it is given up itself.
    fn take_in(&mut self, snapshot: Snapshot) -> Result<(), TrainError> {
        if self.is_abandoned {
            return Err(TrainError::WriterEnded);
        }
        if self.has_room() {
            self.waiting = Some(snapshot);
        }
        Ok(())
    }
}

impl Desk {
    fn tray(&self) -> MutexGuard<'_, Tray> {
        // Nothing panics while it holds the tray; a writer that does so elsewhere leaves it whole.
        self.tray.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The tray, once `is_so` holds or the thread is gone.
    fn tray_when(&self, is_so: impl Fn(&Tray) -> bool) -> MutexGuard<'_, Tray> {
        let waits = |tray: &mut Tray| !is_so(tray) && !tray.is_abandoned;
        self.changed.wait_while(self.tray(), waits).unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells that the thread is gone, however it went.
struct Presence(Arc<Desk>);

impl Drop for Presence {
    fn drop(&mut self) {
        self.0.tray().is_abandoned = true;
        self.0.changed.notify_all();
    }
}

impl Writer {
    /// Starts the thread, which writes to `checkpoints` and keeps what `keep` wants.
    pub(crate) fn start(
        checkpoints: Checkpoints,
        keep: CheckpointingSpec,
        direction: Direction,
    ) -> Result<Self, TrainError> {
        Self::saving_by(move |snapshot| checkpoints.save(snapshot, &keep, direction))
    }

    fn saving_by(
        save: impl Fn(&Snapshot) -> Result<Saved, TrainError> + Send + 'static,
    ) -> Result<Self, TrainError> {
        let desk = Arc::new(Desk::default());
        let (outbox, reports) = channel();
        let presence = Presence(Arc::clone(&desk));
        let thread = std::thread::Builder::new()
            .name("checkpoints".into())
            .spawn(move || write_all(&presence.0, save, &outbox))
            .map_err(|source| TrainError::WriterThread { source })?;
        Ok(Self { desk, reports, thread: Some(thread) })
    }

    /// Hands over a snapshot. Waits where it is one of an epoch's end and another such waits already.
    pub(crate) fn give(&self, snapshot: Snapshot) -> Result<(), TrainError> {
        let may_wait = snapshot.is_at_epoch_end();
        let mut tray = if may_wait { self.desk.tray_when(Tray::has_room) } else { self.desk.tray() };
        tray.take_in(snapshot)?;
        self.desk.changed.notify_all();
        Ok(())
    }

    /// Hands over a snapshot and waits until it is written, after whatever waits already: none is given up for it.
    pub(crate) fn give_and_wait(&self, snapshot: Snapshot) -> Result<(), TrainError> {
        self.desk.tray_when(|tray| tray.waiting.is_none()).take_in(snapshot)?;
        self.desk.changed.notify_all();
        self.wait()
    }

    /// Waits until all is written.
    pub(crate) fn wait(&self) -> Result<(), TrainError> {
        let tray = self.desk.tray_when(|tray| tray.waiting.is_none() && !tray.is_writing);
        if tray.is_abandoned { Err(TrainError::WriterEnded) } else { Ok(()) }
    }

    /// What became of the snapshots since this was asked last, in their order.
    pub(crate) fn reports(&self) -> impl Iterator<Item = Report> {
        self.reports.try_iter()
    }
}

fn write_all(desk: &Desk, save: impl Fn(&Snapshot) -> Result<Saved, TrainError>, outbox: &Sender<Report>) {
    loop {
        let mut tray = desk.tray_when(|tray| tray.waiting.is_some() || tray.is_closed);
        let Some(snapshot) = tray.waiting.take() else { return };
        tray.is_writing = true;
        drop(tray);
        desk.changed.notify_all();
        let outcome = save(&snapshot);
        // Nobody listens any more where the run has ended with an error; the checkpoint is there all the same.
        drop(outbox.send(Report { step: snapshot.step() as u64, epoch: snapshot.epoch(), outcome }));
        desk.tray().is_writing = false;
        desk.changed.notify_all();
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.desk.tray().is_closed = true;
        self.desk.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // A writer that panicked has said so on its own; here it is enough that it is gone.
            drop(thread.join());
        }
    }
}

#[cfg(test)]
mod tests;
