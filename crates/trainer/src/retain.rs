//! Which checkpoint is the best and which may go: pure functions from what there is.

use crate::metric::Direction;

/// A checkpoint as the retention rule sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Kept {
    /// The optimiser step it was made at.
    pub(crate) step: usize,
    /// The metric at the epoch's end; none for one made inside an epoch.
    pub(crate) metric: Option<f64>,
}

/// The steps of the checkpoints with a finite metric, the best first; of equals, the first made.
pub(crate) fn best_first(checkpoints: &[Kept], direction: Direction) -> Vec<usize> {
    let scored =
        checkpoints.iter().filter_map(|kept| Some((kept.metric.filter(|m| m.is_finite())?, kept.step)));
    let mut scored: Vec<(f64, usize)> = scored.collect();
    scored.sort_by(|(a, first), (b, second)| direction.order(*a, *b).then(first.cmp(second)));
    scored.into_iter().map(|(_, step)| step).collect()
}

/// The steps of the checkpoints that may be deleted: neither among the `last` newest nor among the `best` best. The newest
/// and the best stay whatever the counts say.
pub(crate) fn superfluous(
    checkpoints: &[Kept],
    last: usize,
    best: usize,
    direction: Direction,
) -> Vec<usize> {
    let mut newest: Vec<usize> = checkpoints.iter().map(|kept| kept.step).collect();
    newest.sort_unstable_by(|a, b| b.cmp(a));
    newest.truncate(last.max(1));
    let best: Vec<usize> = best_first(checkpoints, direction).into_iter().take(best.max(1)).collect();
    let stays = |step: &usize| newest.contains(step) || best.contains(step);
    checkpoints.iter().map(|kept| kept.step).filter(|step| !stays(step)).collect()
}

#[cfg(test)]
mod tests {
    use super::{Kept, best_first, superfluous};
    use crate::metric::Direction::{Maximise, Minimise};

    fn kept(checkpoints: &[(usize, Option<f64>)]) -> Vec<Kept> {
        checkpoints.iter().map(|&(step, metric)| Kept { step, metric }).collect()
    }

    #[test]
    fn the_newest_and_the_best_stay() {
        let there = kept(&[(1, Some(0.5)), (2, Some(0.1)), (3, Some(0.3)), (4, Some(0.4)), (5, Some(0.6))]);
        assert_eq!(superfluous(&there, 2, 1, Minimise), [1, 3]);
        assert_eq!(superfluous(&there, 1, 2, Minimise), [1, 4]);
        assert_eq!(superfluous(&there, 1, 1, Maximise), [1, 2, 3, 4]);
        assert_eq!(superfluous(&there, 0, 0, Minimise), [1, 3, 4]);
        assert!(superfluous(&there, 9, 9, Minimise).is_empty());
    }

    #[test]
    fn a_checkpoint_without_a_finite_metric_counts_among_the_newest_alone() {
        let there = kept(&[(1, Some(0.2)), (2, None), (3, Some(f64::NAN)), (4, None), (5, None)]);
        assert_eq!(best_first(&there, Minimise), [1]);
        assert_eq!(best_first(&there, Maximise), [1]);
        assert_eq!(superfluous(&there, 2, 3, Minimise), [2, 3]);
    }

    #[test]
    fn of_equal_checkpoints_the_first_is_the_best() {
        let there = kept(&[(7, Some(0.1)), (3, Some(0.1)), (5, Some(0.2))]);
        assert_eq!(best_first(&there, Minimise), [3, 7, 5]);
        assert_eq!(best_first(&there, Maximise), [5, 3, 7]);
    }
}
