//! Regression trees, grown on samples of the data.

use crate::TrialRandom;

/// A tree that splits a box until its parts are pure; every sample is in one leaf.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    /// The root first; children come after their parents.
    pub(super) nodes: Vec<Node>,
}

/// A part of the box.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Node {
    /// The mean of its samples.
    Leaf {
        /// The mean.
        value: f64,
    },
    /// What is at most the threshold goes left.
    Split {
        /// The column.
        column: usize,
        /// Where.
        threshold: f64,
        /// The place of the child below.
        left: usize,
        /// The place of the child above.
        right: usize,
    },
}

/// Grows a tree on as many rows as there are, drawn with replacement (Breiman, "Random forests", 2001, with all columns tried at
/// every split).
pub(super) fn grow(rows: &[Vec<f64>], targets: &[f64], depth: usize, random: &mut TrialRandom) -> Tree {
    let mut sample: Vec<usize> = (0..rows.len()).map(|_| random.below(rows.len())).collect();
    let mut tree = Tree { nodes: vec![Node::Leaf { value: 0.0 }] };
    // Node, its part of `sample`, splits that are left.
    let mut open = vec![(0, 0, sample.len(), depth)];
    while let Some((node, from, to, depth)) = open.pop() {
        let part = &mut sample[from..to];
        let value = part.iter().map(|row| targets[*row]).sum::<f64>() / part.len() as f64;
        let split = (depth > 0).then(|| best_split(rows, targets, part)).flatten();
        tree.nodes[node] = match split {
            None => Node::Leaf { value },
            Some((column, threshold)) => {
                part.sort_by_key(|row| rows[*row][column] > threshold);
                let below = from + part.partition_point(|row| rows[*row][column] <= threshold);
                let left = tree.nodes.len();
                tree.nodes.extend([Node::Leaf { value }; 2]);
                open.extend([(left, from, below, depth - 1), (left + 1, below, to, depth - 1)]);
                Node::Split { column, threshold, left, right: left + 1 }
            }
        };
    }
    tree
}

/// The column and threshold that leave the least variance; `None` if the part is pure or cannot be split.
fn best_split(rows: &[Vec<f64>], targets: &[f64], part: &[usize]) -> Option<(usize, f64)> {
    let first = targets[*part.first()?];
    if part.iter().all(|row| targets[*row] == first) {
        return None;
    }
    // Sums around the mean, so that large values with small differences lose no digits.
    let mean = part.iter().map(|row| targets[*row]).sum::<f64>() / part.len() as f64;
    let mut best: Option<(f64, usize, f64)> = None;
    let columns = 0..rows[part[0]].len();
    for column in columns {
        let mut pairs: Vec<(f64, f64)> =
            part.iter().map(|row| (rows[*row][column], targets[*row] - mean)).collect();
        pairs.sort_by(|left, right| left.0.total_cmp(&right.0));
        let total: f64 = pairs.iter().map(|(_, target)| target).sum();
        let mut sum = 0.0;
        for (place, pair) in pairs.windows(2).enumerate() {
            sum += pair[0].1;
            if pair[0].0 == pair[1].0 {
                continue;
            }
            let (left, right) = ((place + 1) as f64, (pairs.len() - place - 1) as f64);
            // The less variance is left within, the more is between.
            let between = sum * sum / left + (total - sum) * (total - sum) / right;
            if best.is_none_or(|(most, ..)| between > most) {
                let middle = f64::midpoint(pair[0].0, pair[1].0);
                best = Some((between, column, if middle < pair[1].0 { middle } else { pair[0].0 }));
            }
        }
    }
    best.map(|(_, column, threshold)| (column, threshold))
}
