//! The targets of all samples on a device.

use std::ops::Range;

use tch::{TchError, Tensor};

use super::{Feed, Targets};
use crate::error::TrainError;

/// The targets of all samples and what they count for, `[sample, label]` each.
pub(super) struct DeviceTargets {
    values: Tensor,
    weights: Tensor,
}

impl DeviceTargets {
    /// What `feed` says of every sample, without augmentation.
    pub(super) fn new(feed: &mut Feed<'_>) -> Result<Self, TrainError> {
        let all: Vec<u32> = (0..feed.data.windows().len() as u32).collect();
        let Targets { values, weights } = feed.targets(0..feed.data.labels().len(), &all)?;
        Ok(Self { values, weights })
    }

    /// The targets of some labels for the samples `numbers`, `[batch]`.
    pub(super) fn of(&self, labels: Range<usize>, numbers: &Tensor) -> Result<Targets, TchError> {
        let of = |all: &Tensor| {
            all.f_narrow(1, labels.start as i64, labels.len() as i64)?.f_index_select(0, numbers)
        };
        Ok(Targets { values: of(&self.values)?, weights: of(&self.weights)? })
    }
}
