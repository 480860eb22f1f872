//! What trackers cost the thread that trains: the time that it spends in `observe` for a step, with no tracker, with one
//! that takes everything at once, with one that hangs and with one that fails. `cargo bench -p tapeline-tracking`.
//!
//! Medians of single calls, in turn: whoever else is busy on the machine moves the mean and not the median.
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#![expect(clippy::print_stdout, reason = "a benchmark says what it found")]

use std::collections::BTreeMap;
use std::error::Error;
use std::thread;
use std::time::{Duration, Instant};

use tapeline_events::{Event, Journal, Observer};
use tapeline_tracking::{Cursor, Pace, Pump, Sink, SinkFault, Told};

const STEPS: u64 = 20_000;
const ROUNDS: usize = 3;

/// A pause after each step, in which a tracker may do what it likes: a step of training takes longer.
const STEP: Duration = Duration::from_micros(50);

#[derive(Clone, Copy, Debug)]
enum Tracker {
    None,
    Takes,
    Hangs,
    Fails,
}

impl Sink for Tracker {
    fn name(&self) -> &'static str {
        "measured"
    }

    fn take(&mut self, told: &[Told], _: &mut Cursor) -> Result<u64, SinkFault> {
        match self {
            Self::Hangs => loop {
                thread::park();
            },
            Self::Fails => Err(SinkFault::passing("it fails")),
            Self::None | Self::Takes => Ok(told[told.len() - 1].record.seq),
        }
    }
}

/// The time of each call.
fn observed(tracker: Tracker) -> Result<Vec<Duration>, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("journal.jsonl");
    let mut journal = Journal::open(&path, || "2026-01-31T12:00:00.000000Z".into())?.journal;
    let sinks: Vec<Box<dyn Sink>> = match tracker {
        Tracker::None => Vec::new(),
        other => vec![Box::new(other)],
    };
    let pump = Pump::start(&path, folder.path(), sinks, Pace::default(), |_, _| {});
    let mut times = Vec::new();
    for step in 1..=STEPS {
        let losses = BTreeMap::from([("price_prediction".into(), 0.5), ("regime_detection".into(), 1.3)]);
        let event = Event::Step {
            step,
            epoch: 1,
            learning_rate: 1e-3,
            gradient_norm: 0.7,
            loss: 0.123_456,
            losses,
            loss_scale: None,
            skipped: false,
        };
        let begun = Instant::now();
        journal.observe(&event);
        times.push(begun.elapsed());
        thread::sleep(STEP);
    }
    drop(pump);
    Ok(times)
}

fn main() -> Result<(), Box<dyn Error>> {
    let trackers = [Tracker::None, Tracker::Takes, Tracker::Hangs, Tracker::Fails];
    let mut times = trackers.map(|_| Vec::new());
    for _ in 0..ROUNDS {
        for (tracker, times) in trackers.into_iter().zip(&mut times) {
            times.extend(observed(tracker)?);
        }
    }
    for (tracker, times) in trackers.into_iter().zip(&mut times) {
        times.sort_unstable();
        let at = |share: usize| times[times.len() * share / 100].as_nanos() as f64 / 1000.0;
        println!("{tracker:?}: median {:.1} µs a step, 90 of 100 below {:.1} µs", at(50), at(90));
    }
    Ok(())
}
