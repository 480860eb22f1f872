//! Who is learned from, who is chosen by and who is kept shut: blocks of decision times, oldest first, over all symbols at
//! once. A sample whose label reaches over the start of the next block is purged from its own.
//!
//! Fractions are resolved once, into [`SplitInstants`] that the run stores. A random split does not exist here. The splits of
//! several folds are resolved by [`FoldsSpec`](crate::FoldsSpec); they bound the blocks on more sides.

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
    /// Decisions before this one are learned from by nobody: a rolling train span, or one that follows its test block.
    /// Without it, learning begins with the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train_from: Option<Timestamp>,
    /// The part of the train block that follows the test block, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train_again: Option<TrainAgain>,
    /// The first decision after the validation block; without it, that block ends where the test block begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_until: Option<Timestamp>,
    /// The first decision after the test block; without it, that block is open to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_until: Option<Timestamp>,
}

/// The train decisions after the test block of a fold: from the embargo's end on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainAgain {
    /// The first of them.
    pub from: Timestamp,
    /// The last of them.
    pub last_decision: Timestamp,
}

impl SplitInstants {
    /// Blocks that are bounded by their beginnings alone: train, validation, test, each up to the next.
    #[must_use]
    pub const fn chronological(
        last_train_decision: Timestamp,
        validation_from: Timestamp,
        test_from: Timestamp,
    ) -> Self {
        Self {
            last_train_decision,
            validation_from,
            test_from,
            train_from: None,
            train_again: None,
            validation_until: None,
            test_until: None,
        }
    }

    /// The last decision of all train samples, whichever part they are in.
    #[must_use]
    pub fn last_decision_learned_from(&self) -> Timestamp {
        self.train_again.map_or(self.last_train_decision, |again| again.last_decision)
    }

    /// Whether the weights, or their choice on the validation block, know of this time: all up to the last decision that was
    /// learned or chosen from, but for the test block. What a purge or an embargo left out, and what lies before all that was
    /// learned from, counts as known.
    #[must_use]
    pub fn is_in_sample(&self, decision: Timestamp) -> bool {
        if decision < self.test_from {
            return true;
        }
        // An open test block goes on to the end.
        let Some(test_until) = self.test_until.filter(|until| decision >= *until) else { return false };
        let is_learned = self.train_again.is_some_and(|again| decision <= again.last_decision);
        let is_validation_later = self.validation_from >= test_until;
        is_learned || is_validation_later && self.validation_until.is_none_or(|until| decision < until)
    }
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
    train: TrainSplit,
    samples: [Vec<u32>; 3],
    purged: Purged,
}

/// What may be fitted on: the only thing that scalers, target scalings and thresholds are made from. It has one part, or two
/// where a fold's test block lies between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrainSplit {
    first: TrainPart,
    again: Option<TrainPart>,
}

/// A stretch of time to fit on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrainPart {
    decided: (usize, usize),
    from: Timestamp,
    until: Timestamp,
}

impl TrainSplit {
    /// Its parts, oldest first.
    pub fn parts(&self) -> impl Iterator<Item = TrainPart> + use<> {
        std::iter::once(self.first).chain(self.again)
    }

    /// Whether what was decided at `decision` and ended at `end` lies within one of its parts.
    #[must_use]
    pub fn knows(&self, decision: Timestamp, end: Timestamp) -> bool {
        self.parts().any(|part| part.from <= decision && end <= part.until)
    }
}

impl TrainPart {
    /// The ids of all samples decided in this part. Some of them may be purged, for a label that reaches too far: their other
    /// labels, and the bars they see, are as much of the past as anyone's. Leaving them out would let the fit depend on when
    /// later bars came.
    #[must_use]
    pub fn decided(&self) -> Range<usize> {
        self.decided.0..self.decided.1
    }

    /// Rows available before it are not fitted on.
    #[must_use]
    pub fn from(&self) -> Timestamp {
        self.from
    }

    /// Its last train decision. Rows available after it, and labels that end after it, are not fitted on.
    #[must_use]
    pub fn until(&self) -> Timestamp {
        self.until
    }

    fn of(decisions: &[Timestamp], from: Timestamp, until: Timestamp) -> Self {
        let first = decisions.partition_point(|&decision| decision < from);
        let end = decisions.partition_point(|&decision| decision <= until);
        Self { decided: (first, end.max(first)), from, until }
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
        let open = SplitInstants::chronological(Timestamp::MAX, validation_from, test_from);
        let blocks = Self::learning_to_the_end(decisions, ends, open);
        for (split, samples) in Split::ALL.into_iter().zip(&blocks.samples) {
            if samples.is_empty() {
                return Err(DataError::EmptySplit { split, decisions: times.len() });
            }
        }
        Ok(blocks)
    }

    /// As [`at`](Self::at), with the last decision of each train part put to that of its last sample.
    pub(crate) fn learning_to_the_end(
        decisions: &[Timestamp],
        ends: &[Timestamp],
        open: SplitInstants,
    ) -> Self {
        let blocks = Self::at(decisions, ends, open);
        let before = |instant: Timestamp| move |&id: &u32| decisions[id as usize] < instant;
        let train = &blocks.samples[0];
        let (first, again) = train.split_at(train.partition_point(before(open.validation_from)));
        let last = |part: &[u32]| part.last().map(|&id| decisions[id as usize]);
        let instants = SplitInstants {
            // Without a sample before the validation block nothing is learned there.
            last_train_decision: last(first).unwrap_or(Timestamp::MIN),
            train_again: open
                .train_again
                .and_then(|part| Some(TrainAgain { from: part.from, last_decision: last(again)? })),
            ..open
        };
        Self::at(decisions, ends, instants)
    }

    /// Shares out the samples at instants that were resolved before. A block may be empty.
    pub(crate) fn at(decisions: &[Timestamp], ends: &[Timestamp], instants: SplitInstants) -> Self {
        let before = |instant: Timestamp| decisions.partition_point(|&decision| decision < instant);
        let between = |from: usize, until: usize| from..until.max(from);
        let keep = |rows: Range<usize>, next: Timestamp| -> Vec<u32> {
            rows.filter(|&sample| ends[sample] <= next).map(|sample| sample as u32).collect()
        };
        let all_learned = between(instants.train_from.map_or(0, before), before(instants.validation_from));
        let train = keep(all_learned.clone(), instants.validation_from);
        let next = instants.validation_until.unwrap_or(instants.test_from);
        let all_chosen_by = between(before(instants.validation_from), before(next));
        let middle = match instants.validation_until {
            // Nothing comes after it that was not taken care of when this instant was resolved.
            Some(_) => all_chosen_by.clone().map(|sample| sample as u32).collect(),
            None => keep(all_chosen_by.clone(), next),
        };
        let purged =
            Purged { train: all_learned.len() - train.len(), validation: all_chosen_by.len() - middle.len() };
        let mut train: Vec<u32> =
            train.into_iter().filter(|&id| decisions[id as usize] <= instants.last_train_decision).collect();
        let first = TrainPart::of(
            decisions,
            instants.train_from.unwrap_or(Timestamp::MIN),
            instants.last_train_decision,
        );
        let again = instants.train_again.map(|part| TrainPart::of(decisions, part.from, part.last_decision));
        train.extend(again.iter().flat_map(TrainPart::decided).map(|sample| sample as u32));
        let test_end = instants.test_until.map_or(decisions.len(), before);
        let test = between(before(instants.test_from), test_end);
        let last = test.map(|sample| sample as u32).collect();
        Self { instants, train: TrainSplit { first, again }, samples: [train, middle, last], purged }
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
        self.train
    }
}
