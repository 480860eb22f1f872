//! The data of trials. Those that see the same samples share them.

use tapeline_data_pipeline::{Dataset, Fingerprint};

use crate::config::RunConfig;
use crate::failure::Failure;
use crate::preparation::Checked;

/// Samples, and of which bars they are.
pub(crate) struct Prepared {
    /// All that decides what the samples are.
    key: String,
    pub(crate) data: Dataset,
    pub(crate) fingerprint: Fingerprint,
}

/// The samples that the last trial saw: the next one mostly sees the same.
#[derive(Default)]
pub(crate) struct Samples(Option<Prepared>);

impl Samples {
    /// The samples of a trial.
    pub(crate) fn of(&mut self, config: &RunConfig, checked: &Checked) -> Result<&Prepared, Failure> {
        let key = serde_json::to_string(&(&config.data, checked.tasks.labels())).map_err(Failure::failed)?;
        if self.0.as_ref().is_none_or(|prepared| prepared.key != key) {
            // Before the new ones are read: both at once may be more than the memory holds.
            self.0 = None;
            let (bars, _, fingerprint) = checked.read()?;
            let data = checked.pipeline.prepare(bars, checked.tasks.labels())?;
            self.0 = Some(Prepared { key, data, fingerprint });
        }
        self.0.as_ref().ok_or_else(|| Failure::failed(anyhow::anyhow!("no samples were prepared")))
    }
}
