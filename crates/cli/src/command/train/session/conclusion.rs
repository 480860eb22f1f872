//! The end of a run: best weights, artefact, scores, report.

use anyhow::Context;
use tapeline_artefact::{ARTEFACT_VERSION, Description, Extractor, Predictions, predict, replace_file};
use tapeline_data_pipeline::Split;
use tapeline_events::{Event, Journal};
use tapeline_models::{Network, weights_to_bytes};
use tapeline_trainer::{
    Calibration, EVALUATION_BATCH, Metric, Purpose, Scorecard, TrainError, child_seed, metric, scorecard,
};

use super::Session;
use crate::failure::Failure;
use crate::openings::{Look, Opened, Openings};
use crate::signal::Interrupt;
use crate::{pictures, predictions, report, targets};

impl Session<'_> {
    /// Takes the best weights, saves the artefact, scores the validation span, writes predictions and report. None when a
    /// signal came in between; resuming does all of it again.
    pub(super) fn conclude(
        &self,
        network: &dyn Network,
        journal: &mut Journal,
        interrupt: &Interrupt,
    ) -> Result<Option<Scorecard>, Failure> {
        let (data, tasks, device) = (self.data, &self.checked.tasks, self.checked.device);
        let best = self.best_by()?;
        let epochs = self.take_best_weights(&best, network, journal)?;
        let samples = data.samples(Split::Validation);
        self.save_artefact(network, samples)?;
        if interrupt.came() {
            return Ok(None);
        }
        let said = predict(network, data, samples, EVALUATION_BATCH, device).map_err(Failure::failed)?;
        let calibration = Calibration::on_validation(data, tasks, &said);
        let seed = child_seed(self.config.seed, Purpose::Bootstrap, 0);
        let card = scorecard(data, tasks, Split::Validation, &said, &calibration, seed)?;
        if interrupt.came() {
            return Ok(None);
        }
        journal.append(&Event::Scored { split: card.split.clone(), metrics: card.metrics.clone() });
        let mut metrics = card.metrics.clone();
        metrics.insert(metric::EPOCHS_TO_BEST.into(), epochs.map(|epochs| epochs as f64));
        targets::check(self.folder, &self.config.targets, &metrics, journal)?;

        predictions::write(&self.folder.predictions(), data, tasks, &[(Split::Validation, &said)])?;
        self.write_for_trackers(&card, &said);
        let json = serde_json::to_vec_pretty(&card).map_err(Failure::failed)?;
        replace_file(&self.folder.scores(&card.split), &json).map_err(Failure::failed)?;
        let look = Look::of(Opened::Test, &self.config.data.source, data);
        let openings = Openings::of(self.folder.output()).count(&look)?;
        report::write(self.folder, &self.folder.scorecards()?, openings)?;
        Ok(Some(card))
    }

    /// Puts the weights of the best checkpoint into `network`, which holds those of the last step. They stay where the disk
    /// refused every checkpoint: hours of training are not thrown away at the end. After how many epochs the weights were those
    /// of a checkpoint.
    fn take_best_weights(
        &self,
        metric: &Metric,
        network: &dyn Network,
        journal: &mut Journal,
    ) -> Result<Option<usize>, Failure> {
        match self.folder.checkpoints().best(metric) {
            Ok(best) => {
                for damaged in &best.damaged {
                    eprintln!("warning: checkpoint {damaged}; {} is used instead", best.name);
                    journal.append(&Event::CheckpointDamaged {
                        folder: damaged.name.clone(),
                        reason: damaged.reason.clone(),
                        used_instead: Some(best.name.clone()),
                    });
                }
                best.restore_weights(network)?;
                Ok(Some(best.state.epoch))
            }
            Err(error @ TrainError::NoCheckpoint { .. }) => {
                let message = format!(
                    "{error}: the artefact holds the weights of the last step, not of the best epoch"
                );
                eprintln!("warning: {message}");
                journal.append(&Event::Warning { message });
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// What the best epoch is the best by.
    fn best_by(&self) -> Result<Metric, Failure> {
        let metric = metric::find(&self.config.training.checkpointing.metric, &self.checked.tasks);
        Ok(metric.map_err(|nearest| anyhow::anyhow!("no such metric; the nearest are {nearest:?}"))?)
    }

    fn save_artefact(&self, network: &dyn Network, samples: &[u32]) -> Result<(), Failure> {
        let description = Description {
            version: ARTEFACT_VERSION,
            data: self.config.data.clone(),
            labels: self.checked.tasks.labels().to_vec(),
            fitted: self.data.fitted().clone(),
            network: self.lineage.network.clone(),
            lineage: serde_json::to_value(self.lineage).map_err(Failure::failed)?,
        };
        let folder = self.folder.artefact();
        if self.is_saved(network, &description)? {
            return Ok(());
        }
        let device = self.checked.device;
        if !folder.exists() {
            return Extractor::save(&folder, &description, network, self.data, samples, device)
                .map_err(Failure::failed);
        }
        // The old one stays whole until the new one is.
        let (new, old) = (folder.with_extension("new"), folder.with_extension("old"));
        let context = || format!("cannot replace {}", folder.display());
        for leftover in [&new, &old] {
            if leftover.exists() {
                std::fs::remove_dir_all(leftover).with_context(context)?;
            }
        }
        Extractor::save(&new, &description, network, self.data, samples, device).map_err(Failure::failed)?;
        std::fs::rename(&folder, &old).with_context(context)?;
        std::fs::rename(&new, &folder).with_context(context)?;
        std::fs::remove_dir_all(&old).with_context(context)?;
        Ok(())
    }

    /// True when the artefact of this very network is there already: the run was resumed after its end.
    fn is_saved(&self, network: &dyn Network, description: &Description) -> Result<bool, Failure> {
        let Ok(saved) = Extractor::load(&self.folder.artefact(), self.checked.device) else {
            return Ok(false);
        };
        let weights = |network: &dyn Network| weights_to_bytes(network.parameters()).map_err(Failure::failed);
        Ok(saved.description() == description && weights(saved.network())? == weights(network)?)
    }

    /// Pictures and the embedding, where somebody shows them. That they cannot be written is no reason to fail.
    fn write_for_trackers(&self, card: &Scorecard, said: &Predictions) {
        let (run, tracking) = (self.folder.path(), &self.config.tracking);
        let mut written = Ok(());
        if tracking.shows_pictures() {
            written = pictures::write(run, card);
        }
        if tracking.shows_embeddings() {
            written =
                written.and_then(|()| pictures::write_embedding(run, self.data, &self.checked.tasks, said));
        }
        if let Err(error) = written {
            eprintln!("warning: trackers get no pictures: {error:#}");
        }
    }
}
