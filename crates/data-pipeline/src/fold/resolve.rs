//! From shares to instants.

use crate::error::DataError;
use crate::split::{Blocks, Split, SplitInstants, TrainAgain};
use crate::time::Timestamp;

use super::spec::{FoldsSpec, HoldoutSpec, KFoldSpec, WalkForwardSpec};

/// What folds are cut from: samples in the order of their decisions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decided<'a> {
    /// By sample, ascending.
    pub(crate) decisions: &'a [Timestamp],
    /// By sample: the end of its last label.
    pub(crate) ends: &'a [Timestamp],
    /// By sample: the beginning of the oldest bar that its windows, the warm-up of their features and its labels' trailing
    /// figures are made of, as an instant at which the bar before it was available.
    pub(crate) seen_from: &'a [Timestamp],
}

/// The instants of every fold, in the order of their test blocks. `free_share` is what a closed holdout
/// leaves of the decision times.
///
/// # Errors
/// [`DataError::EmptyFold`] when a block of a fold is left without a sample.
pub(crate) fn resolve(
    decided: Decided<'_>,
    spec: &FoldsSpec,
    free_share: f64,
) -> Result<Vec<SplitInstants>, DataError> {
    let mut times = decided.decisions.to_vec();
    times.dedup();
    let all = times.len();
    let limit = match spec.holdout() {
        HoldoutSpec::Open => None,
        HoldoutSpec::Closed => Some(decided.last_free_of(times[share_of(free_share, all).min(all - 1)])),
    };
    if let Some(limit) = limit {
        times.truncate(times.partition_point(|&time| time < limit));
    }
    let folds = match spec {
        FoldsSpec::Anchored(forward) => walk_forward(&times, limit, forward, None),
        FoldsSpec::Rolling(forward) => {
            walk_forward(&times, limit, forward, Some(share_of(forward.train, times.len())))
        }
        FoldsSpec::PurgedKFold(k_fold) => purged_k_fold(decided, &times, limit, k_fold),
    };
    let found = folds.ok_or(DataError::EmptyFold { fold: 1, split: Split::Train, decisions: times.len() })?;
    (1..).zip(found).map(|(fold, open)| decided.learning_to_the_end(fold, open, times.len())).collect()
}

impl Decided<'_> {
    /// The first decision time of a sample that is decided at or after `instant`, or has a label that ends after it.
    fn last_free_of(&self, instant: Timestamp) -> Timestamp {
        let meets = |&(&decision, &end): &(&Timestamp, &Timestamp)| decision >= instant || end > instant;
        self.decisions.iter().zip(self.ends).find(meets).map_or(instant, |(&decision, _)| decision)
    }

    /// The samples decided from `from` on and before `until`, as places in the columns.
    fn between(&self, from: Timestamp, until: Timestamp) -> std::ops::Range<usize> {
        let place = |instant| self.decisions.partition_point(|&decision| decision < instant);
        place(from)..place(until)
    }

    /// The first decision time from which on nothing has seen anything of a block that ends at `end`.
    fn first_after(&self, end: Timestamp) -> Option<Timestamp> {
        let last = (0..self.decisions.len())
            .rev()
            .find(|&sample| self.decisions[sample] <= end || self.seen_from[sample] < end);
        let after = last.map_or(Timestamp::MIN, |sample| self.decisions[sample]);
        self.decisions.iter().copied().find(|&decision| decision > after)
    }

    /// `open` with the last train decisions that the purge leaves.
    fn learning_to_the_end(
        &self,
        fold: usize,
        open: SplitInstants,
        decisions: usize,
    ) -> Result<SplitInstants, DataError> {
        let blocks = Blocks::learning_to_the_end(self.decisions, self.ends, open);
        match Split::ALL.into_iter().find(|&split| blocks.samples(split).is_empty()) {
            Some(split) => Err(DataError::EmptyFold { fold, split, decisions }),
            None => Ok(blocks.instants()),
        }
    }
}

fn share_of(share: f64, count: usize) -> usize {
    (share * count as f64).round() as usize
}

/// `None` where there are too few decision times. `length` is that of a rolling train block in decision times.
fn walk_forward(
    times: &[Timestamp],
    limit: Option<Timestamp>,
    spec: &WalkForwardSpec,
    length: Option<usize>,
) -> Option<Vec<SplitInstants>> {
    let first = share_of(spec.train, times.len());
    let tested = times.len().checked_sub(first)?;
    let start = |fold: usize| first + fold * tested / spec.folds;
    (0..spec.folds)
        .map(|fold| {
            let test = start(fold);
            let train = length.map_or(0, |length| test.saturating_sub(length));
            let validation = test.checked_sub(share_of(spec.validation, test - train))?;
            Some(SplitInstants {
                train_from: (train > 0).then(|| times.get(train).copied()).flatten(),
                test_until: times.get(start(fold + 1)).copied().or(limit),
                ..SplitInstants::chronological(
                    Timestamp::MAX,
                    times.get(validation).copied()?,
                    times.get(test).copied()?,
                )
            })
        })
        .collect()
}

/// `None` where there are too few decision times.
fn purged_k_fold(
    decided: Decided<'_>,
    times: &[Timestamp],
    limit: Option<Timestamp>,
    spec: &KFoldSpec,
) -> Option<Vec<SplitInstants>> {
    let count = times.len();
    let embargo = share_of(spec.embargo, count);
    let start = |fold: usize| fold * count / spec.folds;
    (0..spec.folds)
        .map(|fold| {
            let (first, end) = (start(fold), start(fold + 1));
            let test_from = times.get(first).copied()?;
            let test_until = times.get(end).copied().or(limit);
            let block = decided.between(test_from, test_until.unwrap_or(Timestamp::MAX));
            let outcomes_until = block.map(|sample| decided.ends[sample]).max()?;
            // Embargo: first what has seen the block's outcomes, then the share that was asked for.
            let unseen = decided.first_after(outcomes_until);
            let again = unseen.and_then(|unseen| {
                let place = times.partition_point(|&time| time < unseen);
                let embargoed = times.partition_point(|&time| time <= outcomes_until) + embargo;
                times.get(place.max(embargoed)).copied()
            });
            let length = share_of(spec.validation, count - (end - first));
            let last = *times.last()?;
            Some(if first == 0 {
                SplitInstants {
                    train_from: Some(again?),
                    validation_until: Some(limit.unwrap_or(Timestamp::MAX)),
                    test_until,
                    ..SplitInstants::chronological(
                        Timestamp::MAX,
                        times.get(count.checked_sub(length)?).copied()?,
                        test_from,
                    )
                }
            } else {
                SplitInstants {
                    train_again: again.map(|from| TrainAgain { from, last_decision: last }),
                    test_until,
                    ..SplitInstants::chronological(
                        Timestamp::MAX,
                        times.get(first - length.min(first / 2)).copied()?,
                        test_from,
                    )
                }
            })
        })
        .collect()
}
