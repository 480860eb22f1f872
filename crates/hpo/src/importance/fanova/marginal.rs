//! What of a tree's variance some of its columns explain.

use std::ops::Range;

use crate::importance::forest::{Node, Tree};

/// The leaves of a tree: each a box, in shares of the whole one, with a value.
pub(in crate::importance) struct Leaves {
    /// Per leaf and column, from and to.
    boxes: Vec<Vec<(f64, f64)>>,
    values: Vec<f64>,
    /// The share of the whole box that each leaf takes.
    volumes: Vec<f64>,
    mean: f64,
}

impl Leaves {
    /// The leaves of `tree` in the box of `bounds`, one pair per column.
    pub(in crate::importance) fn of(tree: &Tree, bounds: &[(f64, f64)]) -> Self {
        let mut leaves = Self { boxes: Vec::new(), values: Vec::new(), volumes: Vec::new(), mean: 0.0 };
        let mut open = vec![(0, vec![(0.0, 1.0); bounds.len()])];
        while let Some((node, part)) = open.pop() {
            match tree.nodes[node] {
                Node::Leaf { value } => {
                    leaves.volumes.push(part.iter().map(|(from, to)| to - from).product());
                    leaves.values.push(value);
                    leaves.boxes.push(part);
                }
                Node::Split { column, threshold, left, right } => {
                    let (low, high) = bounds[column];
                    let at = (threshold - low) / (high - low);
                    let (mut below, mut above) = (part.clone(), part);
                    below[column].1 = at;
                    above[column].0 = at;
                    open.extend([(left, below), (right, above)]);
                }
            }
        }
        leaves.mean = leaves.values.iter().zip(&leaves.volumes).map(|(value, volume)| value * volume).sum();
        leaves
    }

    /// The variance of the tree over the box.
    pub(in crate::importance) fn variance(&self) -> f64 {
        let squares = self.values.iter().zip(&self.volumes);
        squares.map(|(value, volume)| volume * (value - self.mean).powi(2)).sum()
    }

    /// The variance of the tree's mean given the columns, over the other columns.
    pub(in crate::importance) fn marginal_variance(&self, columns: Range<usize>) -> f64 {
        if columns.len() == 1 { self.along(columns.start) } else { self.among(columns) }
    }

    /// One column: the mean is a step function, which changes where leaves begin and end.
    fn along(&self, column: usize) -> f64 {
        let mut changes: Vec<(f64, f64)> = Vec::with_capacity(2 * self.values.len());
        for ((part, value), volume) in self.boxes.iter().zip(&self.values).zip(&self.volumes) {
            let (from, to) = part[column];
            if to > from {
                let height = (value - self.mean) * volume / (to - from);
                changes.extend([(from, height), (to, -height)]);
            }
        }
        changes.sort_by(|left, right| left.0.total_cmp(&right.0));
        let (mut height, mut variance) = (0.0, 0.0);
        for pair in changes.windows(2) {
            height += pair[0].1;
            variance += height * height * (pair[1].0 - pair[0].0);
        }
        variance
    }

    /// Several columns: leaves that are alike in them count together, and every two overlap by so much.
    fn among(&self, columns: Range<usize>) -> f64 {
        let mut kinds: Vec<(&[(f64, f64)], f64)> = Vec::new();
        for ((part, value), volume) in self.boxes.iter().zip(&self.values).zip(&self.volumes) {
            let part = &part[columns.clone()];
            let inside: f64 = part.iter().map(|(from, to)| to - from).product();
            if inside > 0.0 {
                let height = (value - self.mean) * volume / inside;
                match kinds.iter_mut().find(|(known, _)| *known == part) {
                    Some((_, sum)) => *sum += height,
                    None => kinds.push((part, height)),
                }
            }
        }
        let overlap = |left: &[(f64, f64)], right: &[(f64, f64)]| -> f64 {
            left.iter()
                .zip(right)
                .map(|(left, right)| (left.1.min(right.1) - left.0.max(right.0)).max(0.0))
                .product()
        };
        let pairs = kinds.iter().flat_map(|left| kinds.iter().map(move |right| (left, right)));
        pairs.map(|(left, right)| left.1 * right.1 * overlap(left.0, right.0)).sum()
    }
}
