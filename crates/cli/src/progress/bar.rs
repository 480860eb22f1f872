//! Progress as a bar over all planned steps, with what must be said at once above it.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tapeline_events::{Event, Observer};

use super::rate::Rate;
use super::words::{announcement, epoch_line, loss_words, pace_words};
use super::{Elapsed, Plan};

pub(crate) struct Bar {
    plan: Plan,
    elapsed: Elapsed,
    bar: ProgressBar,
    rate: Rate,
}

impl Bar {
    pub(super) fn new(plan: Plan, elapsed: Elapsed, target: ProgressDrawTarget) -> Self {
        let bar = ProgressBar::with_draw_target(Some(plan.steps), target);
        let style = ProgressStyle::with_template("{prefix} {wide_bar} {human_pos}/{human_len}\n{msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { plan, elapsed, bar, rate: Rate::default() }
    }

    #[cfg(test)]
    pub(super) const fn shown(&self) -> &ProgressBar {
        &self.bar
    }

    fn go_to(&mut self, step: u64, epoch: u64) {
        self.rate.mark((self.elapsed)(), step);
        self.bar.set_position(step);
        self.bar.set_prefix(format!("epoch {epoch}/{}", self.plan.num_epochs));
    }
}

impl Observer for Bar {
    fn observe(&mut self, event: &Event) {
        match event {
            Event::EpochStarted { epoch, step } => self.go_to(*step, *epoch),
            Event::Step { step, epoch, loss, losses, .. } => {
                self.go_to(*step, *epoch);
                let pace = pace_words(&self.rate, &self.plan);
                self.bar.set_message(format!("{}{pace}", loss_words(*loss, losses)));
            }
            Event::EpochEnded { epoch, step, metrics } => {
                self.go_to(*step, *epoch);
                self.bar.println(epoch_line(*epoch, *step, metrics, &self.plan));
            }
            _ => {
                if let Some(words) = announcement(event) {
                    self.bar.println(words);
                }
                if matches!(event, Event::RunEnded { .. }) {
                    self.bar.finish_and_clear();
                }
            }
        }
    }
}
