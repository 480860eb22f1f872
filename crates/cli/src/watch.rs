//! What the machine does while a network trains: looked at by a thread of its own, told by whoever asks.

mod gpu;
mod host;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tapeline_events::{Event, Observer};

use gpu::Gpus;
use host::Host;

/// Time between two looks.
const BETWEEN_LOOKS: Duration = Duration::from_secs(10);

/// Figures by name, with the names that MLflow has for them.
pub(crate) type Figures = BTreeMap<String, f64>;

/// A look at the machine every ten seconds. It ends with this value.
pub(crate) struct Watch {
    newest: Arc<Mutex<Option<Figures>>>,
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Looks from now on. `folder` lies on the disk that counts.
    pub(crate) fn start(folder: PathBuf) -> Self {
        let newest = Arc::new(Mutex::new(None));
        let (end, ended) = mpsc::channel();
        let seen = Arc::clone(&newest);
        let look = move || {
            let (mut host, gpus) = (Host::new(folder), Gpus::find());
            // The share of a processor is that of the time between two looks.
            host.look(&mut Figures::new());
            while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(BETWEEN_LOOKS) {
                let mut figures = Figures::new();
                host.look(&mut figures);
                gpus.look(&mut figures);
                *seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(figures);
            }
        };
        // A machine that has no thread left for this is told of elsewhere; nothing depends on it.
        let thread = std::thread::Builder::new().name("watch".into()).spawn(look).ok();
        Self { newest, end: Some(end), thread }
    }

    /// What was seen since the last call.
    fn news(&self) -> Option<Figures> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// Tells those who hear of steps what the machine did meanwhile.
pub(crate) struct Watched<'a> {
    pub(crate) watch: &'a Watch,
    pub(crate) observer: &'a mut dyn Observer,
}

impl Observer for Watched<'_> {
    fn observe(&mut self, event: &Event) {
        if matches!(event, Event::Step { .. } | Event::EpochEnded { .. })
            && let Some(figures) = self.watch.news()
        {
            self.observer.observe(&Event::System { figures });
        }
        self.observer.observe(event);
    }
}
