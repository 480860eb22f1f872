//! Ctrl-C and SIGTERM while there is something to lose: the first asks the run to stop where nothing is lost, the second
//! ends the process at once. Before that, a signal does what it always does.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{SignalKind, signal};

/// Set once a signal came.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens from now on, on a thread of its own.
    pub(crate) fn listen() -> io::Result<Self> {
        let interrupt = Self(Arc::new(AtomicBool::new(false)));
        let flag = Arc::clone(&interrupt.0);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let (mut interrupted, mut terminated) = {
            let _guard = runtime.enter();
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
        };
        std::thread::Builder::new().name("signals".into()).spawn(move || {
            runtime.block_on(async {
                loop {
                    tokio::select! {
                        _ = interrupted.recv() => {}
                        _ = terminated.recv() => {}
                    }
                    raise(&flag);
                }
            });
        })?;
        Ok(interrupt)
    }

    /// What a signal does, for who presses the keys where the terminal makes no signal of them.
    pub(crate) fn raise(&self) {
        raise(&self.0);
    }

    /// True once a signal came.
    pub(crate) fn came(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[expect(clippy::exit, reason = "whoever asks twice wants no end that is waited for")]
fn raise(flag: &AtomicBool) {
    if flag.swap(true, Ordering::Relaxed) {
        crate::screen::restore();
        std::process::exit(crate::failure::INTERRUPTED);
    }
    eprintln!("\ninterrupted: stopping where nothing is lost; once more ends it at once");
}
