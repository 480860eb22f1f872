//! An MLflow tracking server (REST 2.0, servers 2.x and 3.x).

mod spec;

pub use spec::MlflowSpec;

use crate::{Cursor, RunFacts, Secrets, Sink, SinkFault, Told, TrackingError};

/// A run on an MLflow server.
#[derive(Debug)]
pub(crate) struct Mlflow;

impl Mlflow {
    pub(crate) fn new(
        _spec: &MlflowSpec,
        _facts: &RunFacts,
        _secrets: &Secrets,
    ) -> Result<Self, TrackingError> {
        Ok(Self)
    }
}

impl Sink for Mlflow {
    fn name(&self) -> &'static str {
        "mlflow"
    }

    fn take(&mut self, told: &[Told], _cursor: &mut Cursor) -> Result<u64, SinkFault> {
        Ok(told[told.len() - 1].record.seq)
    }
}
