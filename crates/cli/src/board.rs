//! The state of a run as those see it who look at any time: the screen, and who scrapes figures.

mod curve;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use tapeline_events::{Event, StepTimes};

use crate::progress::{Plan, Rate, announcement, epoch_line};
pub(crate) use curve::Curve;

/// Lines of the log that are kept.
const LINES: usize = 200;

/// What is known of a run that goes on.
pub(crate) struct Board {
    /// What it is called.
    pub(crate) name: String,
    pub(crate) plan: Plan,
    pub(crate) step: u64,
    pub(crate) epoch: u64,
    pub(crate) learning_rate: Option<f64>,
    pub(crate) gradient_norm: Option<f64>,
    pub(crate) loss: Option<f64>,
    /// By task.
    pub(crate) losses: BTreeMap<String, f64>,
    /// Of the last epoch.
    pub(crate) metrics: BTreeMap<String, Option<f64>>,
    /// Of the machine.
    pub(crate) system: BTreeMap<String, f64>,
    /// What else the last step said, by name.
    pub(crate) extra: BTreeMap<String, f64>,
    /// Where the time of the last epoch's steps went.
    pub(crate) times: Option<StepTimes>,
    pub(crate) train_loss: Curve,
    pub(crate) validation_loss: Curve,
    pub(crate) rate: Rate,
    pub(crate) checkpoints: u64,
    pub(crate) warnings: u64,
    pub(crate) log: VecDeque<String>,
    /// Since the process began.
    pub(crate) elapsed: Duration,
    pub(crate) has_ended: bool,
}

impl Board {
    pub(crate) fn new(name: String, plan: Plan) -> Self {
        Self {
            name,
            plan,
            step: 0,
            epoch: 0,
            learning_rate: None,
            gradient_norm: None,
            loss: None,
            losses: BTreeMap::new(),
            metrics: BTreeMap::new(),
            system: BTreeMap::new(),
            extra: BTreeMap::new(),
            times: None,
            train_loss: Curve::default(),
            validation_loss: Curve::default(),
            rate: Rate::default(),
            checkpoints: 0,
            warnings: 0,
            log: VecDeque::new(),
            elapsed: Duration::ZERO,
            has_ended: false,
        }
    }

    /// Takes in what happened, `elapsed` after the process began.
    pub(crate) fn hear(&mut self, event: &Event, elapsed: Duration) {
        self.elapsed = elapsed;
        if let Some(step) = event.step() {
            self.step = step;
            self.rate.mark(elapsed, step);
        }
        if let Some(epoch) = event.epoch() {
            self.epoch = epoch;
        }
        match event {
            Event::Step { step, learning_rate, gradient_norm, loss, losses, loss_scale, skipped, .. } => {
                self.learning_rate = Some(*learning_rate);
                self.gradient_norm = Some(*gradient_norm);
                self.loss = Some(*loss);
                self.losses.clone_from(losses);
                if let Some(scale) = loss_scale {
                    self.extra.insert("loss scale".into(), *scale);
                }
                if *skipped {
                    *self.extra.entry("skipped steps".into()).or_default() += 1.0;
                }
                self.train_loss.add(*step as f64, *loss);
            }
            Event::EpochEnded { epoch, step, metrics } => {
                self.metrics.clone_from(metrics);
                if let Some(Some(loss)) = metrics.get("validation/loss") {
                    self.validation_loss.add(*step as f64, *loss);
                }
                self.note(epoch_line(*epoch, *step, metrics, &self.plan));
            }
            Event::StepTimes { times, .. } => self.times = Some(*times),
            Event::System { figures } => self.system.clone_from(figures),
            Event::CheckpointSaved { .. } => self.checkpoints += 1,
            Event::Warning { .. }
            | Event::GuardTripped { .. }
            | Event::CheckpointFailed { .. }
            | Event::CheckpointDamaged { .. } => {
                self.warnings += 1;
            }
            Event::RunEnded { .. } => self.has_ended = true,
            _ => {}
        }
        if let Some(words) = announcement(event) {
            self.note(words);
        }
    }

    /// Adds a line to the log.
    pub(crate) fn note(&mut self, line: String) {
        if self.log.len() == LINES {
            self.log.pop_front();
        }
        self.log.push_back(line);
    }
}
