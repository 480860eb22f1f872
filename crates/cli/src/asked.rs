//! What somebody asks of a run that goes on: by signals, and by keys on the screen.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tapeline_trainer::Wish;

use crate::signal::Interrupt;

/// What was asked for and not yet done.
#[derive(Clone)]
pub(crate) struct Asked {
    interrupt: Interrupt,
    checkpoint: Arc<AtomicBool>,
    stop: Arc<AtomicBool>,
}

impl Asked {
    /// Nothing yet but what signals say.
    pub(crate) fn new(interrupt: Interrupt) -> Self {
        Self { interrupt, checkpoint: Arc::default(), stop: Arc::default() }
    }

    /// The same as Ctrl-C.
    pub(crate) fn interrupt(&self) {
        self.interrupt.raise();
    }

    pub(crate) fn checkpoint(&self) {
        self.checkpoint.store(true, Ordering::Relaxed);
    }

    pub(crate) fn stop_after_epoch(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// The most urgent of it. A checkpoint is asked for once.
    pub(crate) fn wish(&self) -> Wish {
        if self.interrupt.came() {
            Wish::Interrupt
        } else if self.checkpoint.swap(false, Ordering::Relaxed) {
            Wish::Checkpoint
        } else if self.stop.load(Ordering::Relaxed) {
            Wish::StopAfterEpoch
        } else {
            Wish::GoOn
        }
    }
}
