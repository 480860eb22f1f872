//! The volume that a set of points dominates.

use super::{dominates, lexicographic};

/// The volume of all that some point dominates and that is no worse than `reference`, exact for any number of objectives.
///
/// Two objectives take n log n steps, three n²; beyond it is the algorithm of While, Bradstreet and Barone, "A fast way of
/// calculating exact hypervolumes" (2012), exponential in the worst case. Points that are not better than `reference`
/// everywhere add nothing. A point of -∞ somewhere, or a reference of +∞, makes it infinite.
#[must_use]
pub fn hypervolume(points: &[Vec<f64>], reference: &[f64]) -> f64 {
    let inside = |point: &&Vec<f64>| point.iter().zip(reference).all(|(loss, limit)| loss < limit);
    let mut points: Vec<&[f64]> = points.iter().filter(inside).map(Vec::as_slice).collect();
    if points.is_empty() {
        return 0.0;
    }
    points.sort_by(|left, right| lexicographic(left, right));
    let volume = match reference.len() {
        1 => reference[0] - points[0][0],
        2 => area(&points, reference),
        3 => slices(&points, reference),
        _ => by_exclusion(&points, reference),
    };
    // ∞ - ∞: something of infinite volume is among them.
    if volume.is_nan() { f64::INFINITY } else { volume }
}

/// The volume of the box between `point` and `reference`.
pub(super) fn inclusive(point: &[f64], reference: &[f64]) -> f64 {
    let volume: f64 = point.iter().zip(reference).map(|(loss, limit)| (limit - loss).max(0.0)).product();
    // 0 · ∞: a box without width has no volume, however long it is.
    if volume.is_nan() { 0.0 } else { volume }
}

/// What `point` adds to the volume of `others`.
pub(super) fn exclusive(point: &[f64], others: &[&[f64]], reference: &[f64]) -> f64 {
    let limited: Vec<Vec<f64>> = others.iter().map(|other| worse_of(point, other)).collect();
    inclusive(point, reference) - hypervolume(&limited, reference)
}

fn worse_of(left: &[f64], right: &[f64]) -> Vec<f64> {
    left.iter().zip(right).map(|(left, right)| left.max(*right)).collect()
}

/// Two objectives: rectangles from left to right. `points` are in lexicographic order.
fn area(points: &[&[f64]], reference: &[f64]) -> f64 {
    let mut lowest = reference[1];
    let mut area = 0.0;
    for point in points {
        if point[1] < lowest {
            area += (reference[0] - point[0]) * (lowest - point[1]);
            lowest = point[1];
        }
    }
    area
}

/// Three objectives: slices along the third, whose areas grow as points come in.
fn slices(points: &[&[f64]], reference: &[f64]) -> f64 {
    let mut upwards = points.to_vec();
    upwards.sort_by(|left, right| left[2].total_cmp(&right[2]));
    let mut stairs: Vec<&[f64]> = Vec::new();
    let mut volume = 0.0;
    for (index, point) in upwards.iter().enumerate() {
        let covered = stairs.iter().any(|stair| stair[0] <= point[0] && stair[1] <= point[1]);
        if !covered {
            stairs.retain(|stair| stair[0] < point[0] || stair[1] < point[1]);
            let place = stairs.partition_point(|stair| stair[0] < point[0]);
            stairs.insert(place, point);
        }
        let end = upwards.get(index + 1).map_or(reference[2], |next| next[2]);
        if end > point[2] {
            volume += area(&stairs, reference) * (end - point[2]);
        }
    }
    volume
}

/// Four objectives and more: each point adds its box less what later points cover of it.
fn by_exclusion(points: &[&[f64]], reference: &[f64]) -> f64 {
    let mut volume = 0.0;
    for (index, point) in points.iter().enumerate() {
        let limited: Vec<Vec<f64>> = points[index + 1..].iter().map(|other| worse_of(point, other)).collect();
        let covered = match limited.len() {
            0 => 0.0,
            1 => inclusive(&limited[0], reference),
            _ => by_exclusion(&undominated(&limited), reference),
        };
        volume += inclusive(point, reference) - covered;
    }
    volume
}

/// The points that no other dominates, each once, in lexicographic order.
fn undominated(points: &[Vec<f64>]) -> Vec<&[f64]> {
    let mut order: Vec<&[f64]> = points.iter().map(Vec::as_slice).collect();
    order.sort_by(|left, right| lexicographic(left, right));
    order.dedup();
    let mut kept: Vec<&[f64]> = Vec::new();
    for point in order {
        if !kept.iter().any(|better| dominates(better, point)) {
            kept.push(point);
        }
    }
    kept
}
