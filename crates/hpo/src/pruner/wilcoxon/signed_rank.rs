//! Wilcoxon's signed-rank test.

use std::f64::consts::SQRT_2;

/// Up to so many differences without ties and zeros, their null distribution is counted out; beyond, it is nearly normal.
const MOST_COUNTED: usize = 50;
/// The same for differences with ties or zeros. Both limits are SciPy's, whose answers Optuna's verdicts rest on.
const MOST_COUNTED_WITH_TIES: usize = 13;

/// The probability that differences as large as these, or larger, come about when both signs are equally likely. A difference
/// of 0 counts half for either sign.
pub(in crate::pruner) fn upper_tail(differences: &[f64]) -> f64 {
    let count = differences.len();
    let (ranks, ties) = twice_the_ranks(differences);
    let zeros = differences.iter().filter(|difference| **difference == 0.0).count();
    let sum_where = |keep: fn(f64) -> bool| -> u64 {
        differences
            .iter()
            .zip(&ranks)
            .filter(|(difference, _)| keep(**difference))
            .map(|(_, rank)| rank)
            .sum()
    };
    let positive = sum_where(|difference| difference > 0.0);

    let plain = ties.iter().all(|run| *run == 1) && zeros == 0;
    if count <= if plain { MOST_COUNTED } else { MOST_COUNTED_WITH_TIES } {
        // Zeros add the same whatever the signs, so they drop out of the comparison.
        let signed = differences.iter().zip(&ranks).filter(|(difference, _)| **difference != 0.0);
        return share_at_least(positive, signed.map(|(_, rank)| *rank as usize));
    }

    let from_zeros = sum_where(|difference| difference == 0.0) as f64 / 4.0;
    let count = count as f64;
    let mean = count * (count + 1.0) / 4.0;
    let lost: f64 = ties.iter().map(|run| *run as f64).map(|run| run * run * run - run).sum();
    let deviation = ((count * (count + 1.0) * (2.0 * count + 1.0) - lost / 2.0) / 24.0).sqrt();
    let score = (positive as f64 / 2.0 + from_zeros - mean) / deviation;
    libm::erfc(score / SQRT_2) / 2.0
}

/// Of all choices of some of `ranks`, the share whose sum is at least `least`.
fn share_at_least(least: u64, ranks: impl Iterator<Item = usize>) -> f64 {
    // Counts of the choices by their sum; at most 2⁵⁰, which floats hold exactly.
    let mut counts = vec![1.0];
    for rank in ranks {
        let mut longer = counts.clone();
        longer.resize(counts.len() + rank, 0.0);
        for (sum, count) in counts.iter().enumerate() {
            longer[sum + rank] += count;
        }
        counts = longer;
    }
    let total: f64 = counts.iter().sum();
    counts.get(least as usize..).map_or(0.0, |tail| tail.iter().sum::<f64>() / total)
}

/// Twice the rank of each by its size, which is whole since equal ones share their mean; and how many share each rank.
fn twice_the_ranks(differences: &[f64]) -> (Vec<u64>, Vec<usize>) {
    let mut order: Vec<usize> = (0..differences.len()).collect();
    order.sort_by(|left, right| differences[*left].abs().total_cmp(&differences[*right].abs()));
    let mut ranks = vec![0; differences.len()];
    let mut ties = Vec::new();
    let mut before = 0;
    for run in order.chunk_by(|left, right| differences[*left].abs() == differences[*right].abs()) {
        for place in run {
            ranks[*place] = (2 * before + run.len() + 1) as u64;
        }
        before += run.len();
        ties.push(run.len());
    }
    (ranks, ties)
}
