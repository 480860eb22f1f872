//! Progress as plain lines, for logs: one per epoch, one now and then inside an epoch, and what must be said at once.

use std::io::Write;
use std::time::Duration;

use tapeline_events::{Event, Observer};

use super::rate::Rate;
use super::words::{announcement, epoch_line, loss_words, pace_words};
use super::{Elapsed, Plan};
use crate::report::number::count;

pub(crate) struct Lines<W> {
    plan: Plan,
    elapsed: Elapsed,
    between: Duration,
    out: W,
    rate: Rate,
    last_line: Duration,
}

impl<W: Write> Lines<W> {
    pub(super) fn new(plan: Plan, elapsed: Elapsed, between: Duration, out: W) -> Self {
        Self { plan, elapsed, between, out, rate: Rate::default(), last_line: Duration::ZERO }
    }

    fn say(&mut self, line: &str) {
        // Whoever read the lines may have gone, as `head` does. Training has not.
        let _ = writeln!(self.out, "{line}").and_then(|()| self.out.flush());
    }
}

impl<W: Write> Observer for Lines<W> {
    fn observe(&mut self, event: &Event) {
        match event {
            Event::EpochStarted { step, .. } => self.rate.mark((self.elapsed)(), *step),
            Event::Step { step, epoch, loss, losses, .. } => {
                let now = (self.elapsed)();
                self.rate.mark(now, *step);
                if now.saturating_sub(self.last_line) >= self.between {
                    self.last_line = now;
                    let place = format!("step {}/{} · epoch {epoch}", count(*step), count(self.plan.steps));
                    let pace = pace_words(&self.rate, &self.plan);
                    self.say(&format!("{place} · {}{pace}", loss_words(*loss, losses)));
                }
            }
            Event::EpochEnded { epoch, step, metrics } => {
                let now = (self.elapsed)();
                self.rate.mark(now, *step);
                self.last_line = now;
                let line = epoch_line(*epoch, *step, metrics, &self.plan);
                let pace = pace_words(&self.rate, &self.plan);
                self.say(&format!("{line}{pace}"));
            }
            _ => {
                if let Some(words) = announcement(event) {
                    self.say(&words);
                }
            }
        }
    }
}
