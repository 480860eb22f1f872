//! A step: its rate, its batches, its figures.

use tapeline_events::Observer;
use tapeline_models::Mode;
use tch::Tensor;

use super::Loop;
use crate::crew::{Crew, cuts};
use crate::error::TrainError;
use crate::schedule::StepPlace;
use crate::seed::{Purpose, child_seed};
use crate::step::{Pace, Part};
use crate::step_log::{Pending, Telling};

impl Loop<'_> {
    /// Train samples are augmented by the epoch that goes on, whether it is begun or resumed.
    pub(super) fn augment(&mut self) {
        let epoch = self.state.epoch as u64;
        self.feed.augment(child_seed(self.run.lineage.seed, Purpose::Augmentation, epoch));
    }

    /// Where the schedule is at the next step: a step that was skipped has not moved it.
    pub(super) fn place(&self) -> StepPlace {
        let step = self.state.cursor.div_ceil(self.run.training.gradient_accumulation);
        let steps_of = |epoch: usize| self.curriculum.steps(epoch);
        let place = StepPlace { epoch: self.state.epoch, step, steps: steps_of(self.state.epoch) };
        place.before(self.known_skips(), steps_of)
    }

    /// How many steps before the next one are known to have been skipped.
    pub(super) fn known_skips(&self) -> usize {
        self.state.skipped_until(self.log.told_before(self.state.step + 1))
    }

    pub(super) fn step(&mut self, samples: &[u32], observer: &mut dyn Observer) -> Result<(), TrainError> {
        let begun = (self.run.clock)();
        let rate = self.schedule.rate(self.place(), &self.state.history);
        let cursor = self.state.cursor + samples.len().div_ceil(self.run.training.batch_size);
        let pace = Pace {
            rate,
            update: self.state.step + 1 - self.known_skips(),
            keeps_gradients: self.run.histograms && cursor == self.curriculum.batches(self.state.epoch),
        };
        let figures = self.figures_of_step(samples, pace)?;
        self.state.step += 1;
        self.state.cursor = cursor;
        let pending = Pending {
            step: self.state.step,
            epoch: self.current_epoch(),
            rate,
            samples: samples.to_vec(),
            figures,
        };
        if self.log.push(pending) {
            self.tell(observer)?;
        }
        let stages = &mut self.stepper.stages;
        stages.steps += 1;
        stages.total += (self.run.clock)().saturating_sub(begun);
        Ok(())
    }

    /// Does a step on `samples`; its figures are those of [`Stepper::step`].
    pub(super) fn figures_of_step<'s>(
        &mut self,
        samples: &'s [u32],
        pace: Pace,
    ) -> Result<Tensor, TrainError> {
        let clock = self.run.clock;
        let begun = clock();
        let denominators = self.feed.denominators(samples)?;
        let mut data = clock().saturating_sub(begun);
        let (state, seed) = (&self.state, self.dropout_seed);
        let batches = samples.chunks(self.run.training.batch_size);
        let threads = self.stepper.crew.as_ref().map_or(1, Crew::size);
        let cut = |(number, batch): (usize, &'s [u32])| {
            cuts(batch.len(), threads).map(move |cut| (number, cut.start, &batch[cut]))
        };
        let parts = batches.enumerate().flat_map(cut).map(|(number, first, samples)| {
            let cursor = batch_cursor(state.epoch, state.cursor + number);
            let mode = Mode::Train { seed, cursor, rank: 0, first: first as u64 };
            let begun = clock();
            let mut batch = self.feed.batch(samples)?;
            batch.inputs = self.curriculum.newest_bars(batch.inputs, state.epoch)?;
            data += clock().saturating_sub(begun);
            Ok(Part { batch, mode })
        });
        let figures = self.stepper.step(parts, &denominators, pace);
        self.stepper.stages.data += data;
        figures
    }

    pub(super) fn tell(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        let run = self.run;
        let key = |sample: u32| {
            let windows = run.data.windows();
            let symbol = windows.symbols()[sample as usize] as usize;
            format!("{} {}", run.data.symbols()[symbol], windows.decisions()[sample as usize])
        };
        let telling = Telling { tasks: run.tasks, guards: &run.training.guards, key: &key };
        self.log.tell(&telling, &mut self.state, observer)
    }

    pub(super) fn all_batches_are_done(&self) -> bool {
        self.state.cursor == self.curriculum.batches(self.state.epoch)
    }
}

/// What dropout knows of a batch: its place in the run, whatever the epochs before it were made of.
fn batch_cursor(epoch: usize, batch: usize) -> u64 {
    (epoch as u64) << 32 | batch as u64
}
