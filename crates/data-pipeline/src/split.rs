//! Who is learned from, who is chosen by and who is kept shut: blocks of decision times, oldest first, over all symbols at
//! once. A sample whose label reaches over the start of the next block is purged from its own.
//!
//! Fractions are resolved once, into [`SplitInstants`] that the run stores. A random split does not exist here.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::error::DataError;
use crate::spec::SplitSpec;
use crate::time::Timestamp;

/// A block of decision times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// What is learned from.
    Train,
    /// What is chosen by.
    Validation,
    /// What is opened once, at the end.
    Test,
}

impl Split {
    /// All of them, oldest first.
    pub const ALL: [Self; 3] = [Self::Train, Self::Validation, Self::Test];
}

impl std::fmt::Display for Split {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        })
    }
}

/// Where the blocks begin, and where learning ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitInstants {
    /// The last decision of a train sample, after the purge. Nothing that is fitted has seen a row available after it.
    pub last_train_decision: Timestamp,
    /// The first decision of the validation block.
    pub validation_from: Timestamp,
    /// The first decision of the test block.
    pub test_from: Timestamp,
}

/// How many samples a label that reaches into the next block has cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purged {
    /// Train samples whose label ends after the first validation decision.
    pub train: usize,
    /// Validation samples whose label ends after the first test decision.
    pub validation: usize,
}

/// The samples of each block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Blocks {
    instants: SplitInstants,
    decided_by_last_train: usize,
    samples: [Vec<u32>; 3],
    purged: Purged,
}

/// The past of a split as something to fit on: the only thing that scalers, target scalings and thresholds are made from.
#[derive(Clone, Copy, Debug)]
pub struct TrainSplit {
    decided: usize,
    until: Timestamp,
}

impl TrainSplit {
    /// The ids of all samples decided by the last train decision. Some of them may be purged, for a label that reaches too
    /// far: their other labels, and the bars they see, are as much of the past as anyone's. Leaving them out would let the
    /// fit depend on when later bars came.
    #[must_use]
    pub fn decided(&self) -> Range<usize> {
        0..self.decided
    }

    /// The last train decision. Rows available after it, and labels that end after it, are not fitted on.
    #[must_use]
    pub fn until(&self) -> Timestamp {
        self.until
    }
}

impl Blocks {
    /// Shares out the samples whose decision times are `decisions` (ascending) and whose last label ends at `ends`.
    ///
    /// # Errors
    /// [`DataError::EmptySplit`] when a block is left without a sample.
    pub(crate) fn resolve(
        decisions: &[Timestamp],
        ends: &[Timestamp],
        shares: &SplitSpec,
    ) -> Result<Self, DataError> {
        let mut times = decisions.to_vec();
        times.dedup();
        let first_of = |share: f64, split| {
            let index = (share * times.len() as f64).round() as usize;
            times.get(index).copied().ok_or(DataError::EmptySplit { split, decisions: times.len() })
        };
        let validation_from = first_of(shares.train, Split::Validation)?;
        let test_from = first_of(shares.train + shares.validation, Split::Test)?;
        let open = SplitInstants { last_train_decision: Timestamp::MAX, validation_from, test_from };
        let mut blocks = Self::at(decisions, ends, open);
        for (split, samples) in Split::ALL.into_iter().zip(&blocks.samples) {
            if samples.is_empty() {
                return Err(DataError::EmptySplit { split, decisions: times.len() });
            }
        }
        if let Some(&last) = blocks.samples[0].last() {
            let last_train_decision = decisions[last as usize];
            blocks = Self::at(decisions, ends, SplitInstants { last_train_decision, ..open });
        }
        Ok(blocks)
    }

    /// Shares out the samples at instants that were resolved before. A block may be empty.
    pub(crate) fn at(decisions: &[Timestamp], ends: &[Timestamp], instants: SplitInstants) -> Self {
        let validation = decisions.partition_point(|&decision| decision < instants.validation_from);
        let test = decisions.partition_point(|&decision| decision < instants.test_from);
        let keep = |rows: Range<usize>, next: Timestamp| -> Vec<u32> {
            rows.filter(|&sample| ends[sample] <= next).map(|sample| sample as u32).collect()
        };
        let train = keep(0..validation, instants.validation_from);
        let middle = keep(validation..test.max(validation), instants.test_from);
        let purged = Purged {
            train: validation - train.len(),
            validation: test.max(validation) - validation - middle.len(),
        };
        let train =
            train.into_iter().filter(|&id| decisions[id as usize] <= instants.last_train_decision).collect();
        let last = (test.max(validation)..decisions.len()).map(|sample| sample as u32).collect();
        let decided_by_last_train =
            decisions.partition_point(|&decision| decision <= instants.last_train_decision);
        Self { instants, decided_by_last_train, samples: [train, middle, last], purged }
    }

    pub(crate) fn instants(&self) -> SplitInstants {
        self.instants
    }

    pub(crate) fn samples(&self, split: Split) -> &[u32] {
        match split {
            Split::Train => &self.samples[0],
            Split::Validation => &self.samples[1],
            Split::Test => &self.samples[2],
        }
    }

    pub(crate) fn purged(&self) -> Purged {
        self.purged
    }

    pub(crate) fn train(&self) -> TrainSplit {
        TrainSplit { decided: self.decided_by_last_train, until: self.instants.last_train_decision }
    }
}
