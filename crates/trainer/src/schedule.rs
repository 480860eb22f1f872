//! The learning rate as a pure function of the step.

use crate::spec::TrainingSpec;

/// Linear warm-up over the first steps, then half a cosine (Loshchilov and Hutter 2017, one cycle) to zero. The last step
/// of the warm-up has the peak rate; zero would come after the last step of the run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule {
    peak: f64,
    warmup_steps: f64,
    total_steps: f64,
}

impl Schedule {
    /// The schedule of `training` when an epoch has `steps_per_epoch` steps.
    #[must_use]
    pub fn new(training: &TrainingSpec, steps_per_epoch: usize) -> Self {
        let per_epoch = steps_per_epoch as f64;
        Self {
            peak: training.optimizer.learning_rate,
            warmup_steps: training.scheduler.warmup_epochs * per_epoch,
            total_steps: training.num_epochs as f64 * per_epoch,
        }
    }

    /// The rate of step `step`, counted from 0. Above zero for every step of the run.
    #[must_use]
    pub fn rate(&self, step: usize) -> f64 {
        let step = step as f64;
        if step < self.warmup_steps {
            return self.peak * ((step + 1.0) / self.warmup_steps).min(1.0);
        }
        let length = (self.total_steps - self.warmup_steps).max(1.0);
        let progress = ((step - self.warmup_steps) / length).min(1.0);
        self.peak * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos())
    }
}

#[cfg(test)]
mod tests;
