//! How lonely a point is on its front.

/// The crowding distance of each point (Deb et al., 2002): along each objective, the distance between its two neighbours, in
/// shares of the width of the front. The outermost points have no neighbour on one side, so they are infinitely far from it.
///
/// Infinite losses: an objective in which all are equal adds nothing, the width is that of the finite losses, and two equal
/// infinities are no distance apart.
pub(super) fn crowding(points: &[&[f64]]) -> Vec<f64> {
    let mut distances = vec![0.0; points.len()];
    let objectives = 0..points.first().map_or(0, |point| point.len());
    // Kept from one objective to the next: it decides which of equal ones is the outermost.
    let mut order: Vec<usize> = (0..points.len()).collect();
    for objective in objectives {
        order.sort_by(|left, right| points[*left][objective].total_cmp(&points[*right][objective]));
        let losses: Vec<f64> = order.iter().map(|index| points[*index][objective]).collect();
        if losses.first() == losses.last() {
            continue;
        }
        let low = losses.iter().copied().find(|loss| *loss != f64::NEG_INFINITY).unwrap_or(0.0);
        let high = losses.iter().rev().copied().find(|loss| *loss != f64::INFINITY).unwrap_or(0.0);
        let width = if high > low && (high - low).is_finite() { high - low } else { 1.0 };
        for (place, index) in order.iter().enumerate() {
            let below = place.checked_sub(1).map_or(f64::NEG_INFINITY, |below| losses[below]);
            let above = losses.get(place + 1).copied().unwrap_or(f64::INFINITY);
            distances[*index] += if below == above { 0.0 } else { (above - below) / width };
        }
    }
    distances
}
