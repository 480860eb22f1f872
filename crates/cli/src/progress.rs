//! What a person sees while a network trains: a bar on a terminal, plain lines elsewhere.
//!
//! Both are observers and can stop nothing: when whoever reads them goes away, they talk to nobody.

mod bar;
mod lines;
mod rate;
#[cfg(test)]
mod tests;
mod words;

use std::io::{IsTerminal, Stderr, stderr};
use std::time::{Duration, Instant};

use indicatif::ProgressDrawTarget;
use tapeline_events::{Event, Observer};

pub(crate) use words::duration;

use bar::Bar;
use lines::Lines;

/// Time between two plain lines inside an epoch.
const BETWEEN_LINES: Duration = Duration::from_secs(30);

/// How long training is going to be. A resumed run knows it without a `run_started`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Updates per pass over all train samples.
    pub(crate) steps_per_epoch: u64,
    /// Passes at most.
    pub(crate) num_epochs: u64,
    /// Updates of all these passes, of which a curriculum's first are shorter.
    pub(crate) steps: u64,
    /// Samples per pass.
    pub(crate) train_samples: u64,
}

impl Plan {
    /// Samples per update, on average.
    fn samples_per_step(&self) -> f64 {
        self.train_samples as f64 / self.steps_per_epoch.max(1) as f64
    }
}

/// Time since some beginning.
type Elapsed = Box<dyn FnMut() -> Duration>;

/// Progress in the form that suits where it goes.
pub(crate) enum Progress {
    /// On a terminal.
    Bar(Bar),
    /// In a file or a pipe.
    Lines(Lines<Stderr>),
}

impl Progress {
    /// On standard error, which leaves standard output to results.
    pub(crate) fn on_stderr(plan: Plan) -> Self {
        let elapsed = since_now();
        if stderr().is_terminal() {
            Self::Bar(Bar::new(plan, elapsed, ProgressDrawTarget::stderr()))
        } else {
            Self::Lines(Lines::new(plan, elapsed, BETWEEN_LINES, stderr()))
        }
    }
}

impl Observer for Progress {
    fn observe(&mut self, event: &Event) {
        match self {
            Self::Bar(bar) => bar.observe(event),
            Self::Lines(lines) => lines.observe(event),
        }
    }
}

fn since_now() -> Elapsed {
    let beginning = Instant::now();
    Box::new(move || beginning.elapsed())
}
