//! One run from data to scores, for commands that make several.

use anyhow::{Context, anyhow};
use tapeline_artefact::Extractor;
use tapeline_data_pipeline::{Dataset, Fingerprint};
use tapeline_trainer::{Lineage, Scorecard};

use super::session::Session;
use super::several::Several;
use crate::config::RunConfig;
use crate::failure::Failure;
use crate::run_folder::RunFolder;

/// What one run is made from.
pub(crate) struct OneRun<'a> {
    /// Those that it is one of.
    pub(crate) several: &'a Several,
    /// With the seed of this run.
    pub(crate) config: &'a RunConfig,
    /// Split as it will be trained on.
    pub(crate) data: &'a Dataset,
    /// Of the bars, and of what was done to them besides.
    pub(crate) fingerprint: &'a Fingerprint,
    pub(crate) folder: &'a RunFolder,
}

/// What a run came to.
pub(crate) struct Trained {
    /// With the weights of the best epoch.
    pub(crate) extractor: Extractor,
    /// Its scores on its validation span.
    pub(crate) validation: Scorecard,
}

impl OneRun<'_> {
    /// Trains the run in its folder to its end and scores its validation span, wherever it stands: from the start, from its
    /// newest checkpoint, or not at all where that was done before. `None` when a signal came in between; done again, it goes on
    /// there.
    pub(crate) fn train_to_the_end(&self) -> Result<Option<Trained>, Failure> {
        let Several { checked, .. } = self.several;
        let lineage = checked.lineage(self.config, self.data, self.fingerprint);
        // The report is what a run writes last.
        if !self.folder.report().exists() && !self.train(&lineage)? {
            return Ok(None);
        }
        let (folder, device) = (self.folder, checked.device);
        let extractor = Extractor::load(&folder.artefact(), device).map_err(Failure::bad_input)?;
        let saved: Lineage = serde_json::from_value(extractor.description().lineage.clone())
            .context("the artefact's lineage cannot be understood")?;
        lineage.ensure_is(&saved)?;
        let cards = folder.scorecards()?;
        let validation = cards.into_iter().find(|card| card.split == "validation");
        let validation = validation.ok_or_else(|| anyhow!("{} has no scores", folder.path().display()))?;
        Ok(Some(Trained { extractor, validation }))
    }

    /// False when a signal came.
    fn train(&self, lineage: &Lineage) -> Result<bool, Failure> {
        let Several { checked, audit, interrupt, progress, .. } = self.several;
        let network = checked.build_network(lineage).map_err(Failure::bad_input)?;
        let session = Session {
            config: self.config,
            checked,
            data: self.data,
            lineage,
            folder: self.folder,
            audit,
            progress: Some(progress),
        };
        Ok(session.to_the_end(network.as_ref(), interrupt)?.is_some())
    }
}
