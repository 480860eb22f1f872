//! Progress as lines of JSON, for programs: the events as the journal has them, steps now and then.

use std::io::Write;
use std::time::Duration;

use tapeline_events::{Event, Observer};

use super::Elapsed;

pub(super) struct JsonLines<W> {
    elapsed: Elapsed,
    between: Duration,
    last_step: Option<Duration>,
    out: W,
}

impl<W: Write> JsonLines<W> {
    pub(super) fn new(elapsed: Elapsed, between: Duration, out: W) -> Self {
        Self { elapsed, between, last_step: None, out }
    }
}

impl<W: Write> Observer for JsonLines<W> {
    fn observe(&mut self, event: &Event) {
        if matches!(event, Event::Step { .. }) {
            let now = (self.elapsed)();
            if self.last_step.is_some_and(|last| now.saturating_sub(last) < self.between) {
                return;
            }
            self.last_step = Some(now);
        }
        // Whoever read the lines may have gone, as `head` does. Training has not.
        let Ok(line) = serde_json::to_string(event) else { return };
        let _ = writeln!(self.out, "{line}").and_then(|()| self.out.flush());
    }
}
