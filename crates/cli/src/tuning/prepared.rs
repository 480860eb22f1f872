//! The data of trials. Those that see the same bars in the same way share them.

use tapeline_data_pipeline::{Dataset, Fingerprint, Folds, Split};

use crate::config::{RunConfig, ScoredOn};
use crate::failure::Failure;
use crate::preparation::Checked;
use crate::seen::Seen;

/// Samples, and of which bars they are.
pub(crate) struct Prepared {
    /// All that decides what the samples are.
    key: String,
    pub(crate) samples: Samples,
    pub(crate) fingerprint: Fingerprint,
    /// What scores are of: the validation span, or the validation blocks of the folds.
    pub(crate) scored_on: Seen,
}

/// What the trainings of a trial see.
pub(crate) enum Samples {
    /// The split of the configuration.
    Span(Dataset),
    /// The folds of its `walk_forward`.
    Folds(Folds),
}

/// What the last trial saw: the next one mostly sees the same.
#[derive(Default)]
pub(crate) struct Shared(Option<Prepared>);

impl Shared {
    /// What a trial sees.
    pub(crate) fn of(
        &mut self,
        scored_on: ScoredOn,
        config: &RunConfig,
        checked: &Checked,
    ) -> Result<&Prepared, Failure> {
        let key = serde_json::to_string(&(&config.data, checked.tasks.labels())).map_err(Failure::failed)?;
        if self.0.as_ref().is_none_or(|prepared| prepared.key != key) {
            // Before the new ones are read: both at once may be more than the memory holds.
            self.0 = None;
            let (bars, _, fingerprint) = checked.read()?;
            let (pipeline, labels) = (&checked.pipeline, checked.tasks.labels());
            let samples = match scored_on {
                ScoredOn::Span => Samples::Span(pipeline.prepare(bars, labels)?),
                ScoredOn::Folds => Samples::Folds(pipeline.folds(bars, labels, &config.walk_forward)?),
            };
            let source = &config.data.source;
            let scored_on = match &samples {
                Samples::Span(data) => Seen::of(source, data, Split::Validation),
                Samples::Folds(folds) => Seen::validation_of(source, folds),
            };
            self.0 = Some(Prepared { key, samples, fingerprint, scored_on });
        }
        self.0.as_ref().ok_or_else(|| Failure::failed(anyhow::anyhow!("no samples were prepared")))
    }
}
