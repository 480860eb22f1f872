//! Where an epoch ends: what it scored, and whether another follows.

use std::collections::BTreeMap;

use tapeline_artefact::predict_from;
use tapeline_data_pipeline::Split;
use tapeline_events::{Event, Observer};

use super::{EVALUATION_BATCH, Loop, Run};
use crate::error::TrainError;
use crate::guard::{dead_units, no_learning};
use crate::state::EpochRecord;
use crate::step_log::tell_finding;
use crate::stop::Progress;
use crate::{score, task_gradients};

impl Loop<'_> {
    pub(super) fn goes_on(&self, observer: &mut dyn Observer) -> bool {
        if self.state.epoch >= self.run.training.num_epochs || self.state.stopped {
            return false;
        }
        let progress = self.progress();
        let exhausted = progress.exhausted(&self.run.training.early_stopping);
        if exhausted {
            observer.observe(&Event::EarlyStopped {
                epoch: self.state.last_epoch(),
                step: self.state.step as u64,
                metric: self.stopping.name.clone(),
                best: progress.best.unwrap_or(f64::NAN),
                best_epoch: progress.best_epoch.map_or(0, |epoch| epoch as u64 + 1),
            });
        }
        !exhausted
    }

    pub(super) fn progress(&self) -> Progress {
        let history = self.state.history_of(&self.stopping.name);
        let min_delta = self.run.training.early_stopping.min_delta;
        let progress = Progress::of(&history, self.stopping.direction, min_delta);
        // Patience begins when everything is learned from.
        let full_epochs = self.curriculum.full_epochs(self.state.epoch);
        Progress { stale: progress.stale.min(full_epochs), ..progress }
    }

    pub(super) fn epoch_started(&self) -> Event {
        Event::EpochStarted { epoch: self.current_epoch(), step: self.state.step as u64 }
    }

    /// The epoch that is going on or comes next, counted from 1.
    pub(super) fn current_epoch(&self) -> u64 {
        self.state.epoch as u64 + 1
    }

    pub(super) fn score_epoch(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        self.tell(observer)?;
        self.look_inside(observer)?;
        let Run { network, data, tasks, .. } = *self.run;
        let windows = self.feed.windows();
        let (predictions, of_features) = self.with_kept_weights(|| {
            let samples = data.samples(Split::Validation);
            let predictions = predict_from(network, windows, samples, EVALUATION_BATCH)?;
            Ok((predictions, score::feature_metrics(network, windows, tasks)?))
        })?;
        let mut metrics = score::validation_metrics(data, tasks, &predictions)?;
        metrics.extend(of_features);
        metrics.extend(std::mem::take(&mut self.state.running).metrics());
        metrics.extend(self.curriculum.coverage(self.state.epoch));
        metrics.extend(self.stepper.balance.metrics(self.run.tasks)?);
        metrics.extend(self.skips_and_scale()?);
        if self.run.training.task_gradients {
            metrics.extend(task_gradients::metrics(self.run)?);
        }
        let (epoch, step) = (self.state.epoch, self.state.step);
        observer.observe(&Event::EpochEnded {
            epoch: self.current_epoch(),
            step: step as u64,
            metrics: metrics.clone(),
        });
        self.state.history.push(EpochRecord { epoch, step, metrics });
        let guards = &self.run.training.guards;
        let dead = dead_units(guards, score::dead_features(&predictions), predictions.features.width);
        let idle = no_learning(guards, &self.state.history, self.run.tasks);
        for finding in dead.iter().chain(&idle) {
            tell_finding(finding, step, self.current_epoch(), observer);
        }
        self.state.epoch += 1;
        self.state.cursor = 0;
        self.state.stopped = self.stops_after_epoch;
        Ok(())
    }

    /// Tells where the time of the epoch's steps went, and how weights and gradients lie.
    pub(super) fn look_inside(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        let (step, epoch) = (self.state.step as u64, self.current_epoch());
        if let Some(times) = self.stepper.stages.take() {
            observer.observe(&Event::StepTimes { step, epoch, times });
        }
        if self.run.histograms {
            let (weights, gradients) = self.stepper.histograms()?;
            observer.observe(&Event::Histograms { step, epoch, weights, gradients });
        }
        Ok(())
    }

    /// Does `work` while the network has the weights that a checkpoint keeps: where they are averaged, the average.
    pub(super) fn with_kept_weights<T>(
        &self,
        work: impl FnOnce() -> Result<T, TrainError>,
    ) -> Result<T, TrainError> {
        match &self.stepper.average {
            Some(average) => average.in_place(self.run.network, work),
            None => work(),
        }
    }

    /// With a loss scale, or where steps were skipped: how many, and what the scale is.
    pub(super) fn skips_and_scale(&self) -> Result<BTreeMap<String, Option<f64>>, TrainError> {
        let mut metrics = BTreeMap::new();
        let skipped = self.state.skipped_steps.len();
        if let Some(scaler) = &self.stepper.scaler {
            metrics.insert("train/loss_scale".to_owned(), Some(f64::try_from(scaler.scale())?));
        }
        if skipped > 0 || self.stepper.scaler.is_some() {
            metrics.insert("train/skipped_steps".to_owned(), Some(skipped as f64));
        }
        Ok(metrics)
    }

    pub(super) fn was_the_last_epoch(&self) -> bool {
        self.state.epoch == self.run.training.num_epochs
            || self.state.stopped
            || self.progress().exhausted(&self.run.training.early_stopping)
    }
}
