//! The threads that carry a journal to its sinks.

mod standing;
#[cfg(test)]
mod tests;
mod worker;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::{RunFile, Sink};
use worker::Worker;

pub use standing::{News, Standing};

/// Whoever hears what a person should know: the sink's name, and the news.
type Tell = Arc<dyn Fn(&str, &News) + Send + Sync>;

/// How often and how patiently a pump works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Time between two looks at a journal that has nothing new.
    pub poll: Duration,
    /// Records that are given to a sink at a time, at most: what a sink that is behind takes of the memory.
    pub batch: usize,
    /// The wait after a first failure; it doubles with each one that follows.
    pub first_wait: Duration,
    /// The longest wait.
    pub longest_wait: Duration,
    /// Failures after which a sink is given up once the run has ended.
    pub last_tries: u32,
    /// What the waits are drawn from.
    pub seed: u64,
}

impl Default for Pace {
    /// Half a second is soon enough for a person who watches, and rare enough to cost nothing.
    fn default() -> Self {
        Self {
            poll: Duration::from_millis(500),
            batch: 1000,
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(60),
            last_tries: 3,
            seed: 0,
        }
    }
}

/// Carries the records of one journal to sinks, each on a thread of its own, so that one that hangs holds up no other.
///
/// The threads read the journal's file. Whoever writes it never hands anything over, never waits, and needs not know that
/// anybody listens; and what a slow sink has not taken yet lies on the disk and not in memory.
///
/// A pump that is dropped without [`Pump::finish`] ends its threads where they are and waits for none of them.
#[derive(Debug)]
pub struct Pump {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    standings: Vec<Standing>,
    /// The run's files, once its journal has ended.
    files: Option<Arc<[RunFile]>>,
    /// Nobody waits any longer.
    stop: bool,
}

impl Pump {
    /// Starts to carry the journal at `journal` to `sinks`, whose cursors are kept below `folder`. `tell` hears, on the
    /// threads of the sinks, what a person should know.
    #[must_use]
    pub fn start(
        journal: &Path,
        folder: &Path,
        sinks: Vec<Box<dyn Sink>>,
        pace: Pace,
        tell: impl Fn(&str, &News) + Send + Sync + 'static,
    ) -> Self {
        let standings = sinks.iter().map(|sink| Standing::new(sink.name())).collect();
        let state = Mutex::new(State { standings, files: None, stop: false });
        let pump = Self { shared: Arc::new(Shared { state, changed: Condvar::new() }) };
        let tell: Tell = Arc::new(tell);
        for (index, sink) in sinks.into_iter().enumerate() {
            let (shared, tell) = (Arc::clone(&pump.shared), Arc::clone(&tell));
            let (journal, folder): (PathBuf, PathBuf) = (journal.into(), folder.into());
            let name = format!("tracking-{}", sink.name());
            let seat = Seat { shared, index };
            let body = move || Worker::new(sink, &journal, seat, pace, tell).run(&folder);
            if let Err(error) = thread::Builder::new().name(name).spawn(body) {
                let standing = &mut pump.shared.lock().standings[index];
                standing.fault = Some(format!("no thread could be started: {error}"));
                standing.over = true;
            }
        }
        pump
    }

    /// How each sink fares, in the order they were given in.
    #[must_use]
    pub fn standings(&self) -> Vec<Standing> {
        self.shared.lock().standings.clone()
    }

    /// Says that the journal has come to its end, and hands the run's `files` to the sinks.
    pub fn end(&self, files: Vec<RunFile>) {
        self.shared.lock().files = Some(files.into());
        self.shared.changed.notify_all();
    }

    /// Waits until each sink has taken everything or was given up, but no longer than `time`.
    #[must_use]
    pub fn wait(&self, time: Duration) -> Vec<Standing> {
        let waiting = |state: &mut State| state.standings.iter().any(|standing| !standing.over);
        let waited = self.shared.changed.wait_timeout_while(self.shared.lock(), time, waiting);
        waited.unwrap_or_else(PoisonError::into_inner).0.standings.clone()
    }

    /// [`Pump::end`], then [`Pump::wait`]. A sink that hangs is left behind.
    #[must_use]
    pub fn finish(self, files: Vec<RunFile>, time: Duration) -> Vec<Standing> {
        self.end(files);
        self.wait(time)
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        self.shared.lock().stop = true;
        self.shared.changed.notify_all();
    }
}

impl Shared {
    /// What a thread that panicked left behind is as good as before: every change of it is a single assignment.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A worker's place among the others. When it is dropped, however its thread ended, nobody waits for it any longer.
#[derive(Debug)]
struct Seat {
    shared: Arc<Shared>,
    index: usize,
}

impl Seat {
    fn update(&self, change: impl FnOnce(&mut Standing)) {
        change(&mut self.shared.lock().standings[self.index]);
    }

    /// The run's files, once its journal has ended.
    fn files(&self) -> Option<Arc<[RunFile]>> {
        self.shared.lock().files.clone()
    }

    /// Waits for `time`, or until the journal ends if it has not `ended` yet. False when nobody needs this worker any more.
    fn wait(&self, time: Duration, ended: bool) -> bool {
        let state = self.shared.lock();
        let nothing_new = |state: &mut State| !state.stop && (ended || state.files.is_none());
        let waited = self.shared.changed.wait_timeout_while(state, time, nothing_new);
        !waited.unwrap_or_else(PoisonError::into_inner).0.stop
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.update(|standing| standing.over = true);
        self.shared.changed.notify_all();
    }
}
