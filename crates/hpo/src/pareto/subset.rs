//! A few points that stand for many.

use super::hypervolume::{exclusive, inclusive};
use super::{lexicographic, ranks};

/// Stands in for a reference of 0, of which no multiple is any worse.
const TINY: f64 = 1e-12;

/// The positions of the best `count` points, ascending: whole ranks as long as they fit, and of the rank that does not those
/// that [`greedy_subset`] chooses, with a reference a tenth worse than the worst of that rank.
#[must_use]
pub fn best_points(points: &[Vec<f64>], count: usize) -> Vec<usize> {
    let ranks = ranks(points);
    let mut best: Vec<usize> = Vec::with_capacity(count);
    for rank in 0.. {
        let here: Vec<usize> = (0..points.len()).filter(|position| ranks[*position] == rank).collect();
        let open = count.saturating_sub(best.len());
        if open == 0 || here.is_empty() {
            break;
        }
        let front: Vec<Vec<f64>> = here.iter().map(|position| points[*position].clone()).collect();
        best.extend(greedy_subset(&front, open, &reference(&front)).into_iter().map(|place| here[place]));
    }
    best.sort_unstable();
    best
}

/// A point that is a tenth worse than the worst in every objective.
fn reference(front: &[Vec<f64>]) -> Vec<f64> {
    let objectives = front.first().map_or(0, Vec::len);
    let worst = |axis: usize| front.iter().map(|point| point[axis]).fold(f64::NEG_INFINITY, f64::max);
    let worse = |worst: f64| if worst == 0.0 { TINY } else { (1.1 * worst).max(0.9 * worst) };
    (0..objectives).map(worst).map(worse).collect()
}

/// The positions of `size` points whose hypervolume is large, chosen greedily: each adds the most to those before it. It
/// reaches at least 1 - 1/e of what the best choice reaches (Guerreiro, Fonseca and Paquete, "Greedy hypervolume subset
/// selection in low dimensions", 2016).
///
/// Positions come in the order in which they were chosen; of equal points one is taken, and its twins only when nothing else
/// is left, in their own order, all positions then ascending. Among points that add the same, the lexicographically first goes
/// first. A reference that is not finite says nothing about volumes: then the lexicographically first points are taken.
#[must_use]
pub fn greedy_subset(points: &[Vec<f64>], size: usize, reference: &[f64]) -> Vec<usize> {
    if size >= points.len() {
        return (0..points.len()).collect();
    }
    // Positions of the points without their twins.
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_by(|left, right| lexicographic(&points[*left], &points[*right]));
    order.dedup_by(|later, earlier| points[*later] == points[*earlier]);
    if order.len() < size {
        let twins = (0..points.len()).filter(|position| !order.contains(position));
        let mut chosen: Vec<usize> = order.iter().copied().chain(twins.take(size - order.len())).collect();
        chosen.sort_unstable();
        return chosen;
    }
    if order.len() == size || !reference.iter().all(|limit| limit.is_finite()) {
        order.truncate(size);
        return order;
    }

    // What a point adds can only shrink as others are chosen, so an old figure is an upper bound, and most are never renewed.
    let mut open: Vec<(usize, f64)> =
        order.iter().map(|position| (*position, inclusive(&points[*position], reference))).collect();
    let mut chosen: Vec<usize> = Vec::with_capacity(size);
    while chosen.len() < size {
        let taken: Vec<&[f64]> = chosen.iter().map(|position| points[*position].as_slice()).collect();
        let mut by_bound: Vec<usize> = (0..open.len()).collect();
        by_bound.sort_by(|left, right| open[*right].1.total_cmp(&open[*left].1));
        let mut best: Option<(usize, f64)> = None;
        for place in by_bound {
            let (position, bound) = open[place];
            if best.is_some_and(|(_, most)| bound < most) {
                break;
            }
            let adds = if taken.is_empty() || bound.is_infinite() {
                bound
            } else {
                exclusive(&points[position], &taken, reference)
            };
            open[place].1 = adds;
            let first = |(other, most): (usize, f64)| adds > most || (adds == most && place < other);
            if best.is_none_or(first) {
                best = Some((place, adds));
            }
        }
        let Some((place, _)) = best else { break };
        chosen.push(open.remove(place).0);
    }
    chosen
}
