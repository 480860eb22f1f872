//! The rank test of Mann and Whitney.

#[cfg(test)]
mod tests;

/// The probability of ranks of `left` as high as these if it is no more than `right`: the one-sided test in its normal
/// approximation, with ties and continuity corrected (Mann and Whitney, 1947). `None` where one is empty or all are equal.
pub(super) fn probability_of_no_more(left: &[f64], right: &[f64]) -> Option<f64> {
    let mut all: Vec<(f64, bool)> =
        left.iter().map(|value| (*value, true)).chain(right.iter().map(|value| (*value, false))).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut rank_sum, mut ties) = (0.0, 0.0);
    let mut start = 0;
    while start < all.len() {
        let end = start + all[start..].iter().take_while(|(value, _)| *value == all[start].0).count();
        let count = (end - start) as f64;
        let rank = (start + end + 1) as f64 / 2.0;
        rank_sum += rank * all[start..end].iter().filter(|(_, is_left)| *is_left).count() as f64;
        ties += count * count * count - count;
        start = end;
    }
    let (m, n) = (left.len() as f64, right.len() as f64);
    let total = m + n;
    let above = rank_sum - m * (m + 1.0) / 2.0;
    let variance = m * n / 12.0 * (total + 1.0 - ties / (total * (total - 1.0)));
    let z = (above - m * n / 2.0 - 0.5) / variance.sqrt();
    (variance > 0.0 && z.is_finite()).then(|| upper_tail(z))
}

/// The normal distribution above `z`, to 10⁻⁷ (Abramowitz and Stegun, 26.2.17).
fn upper_tail(z: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * z.abs());
    let series = [0.319_381_530, -0.356_563_782, 1.781_477_937, -1.821_255_978, 1.330_274_429];
    let density = (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt();
    let tail = density * series.iter().rev().fold(0.0, |sum, coefficient| (sum + coefficient) * t);
    if z >= 0.0 { tail } else { 1.0 - tail }
}
