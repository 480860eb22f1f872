//! The axes of a covariance matrix.

use super::LEAST_EIGENVALUE;

/// Sweeps over all pairs of axes; three to eight bring doubles to their last digits.
const MOST_SWEEPS: usize = 50;

/// A symmetric matrix as its axes and the square roots of its eigenvalues.
#[derive(Clone, Debug)]
pub(super) struct Eigen {
    pub(super) roots: Vec<f64>,
    /// Column by column: one axis after the other.
    axes: Vec<f64>,
}

impl Eigen {
    /// By cyclic rotations of pairs of axes (Jacobi, 1846; Golub and Van Loan, "Matrix computations", 8.5). `matrix` is row by
    /// row; of what is not symmetric in it the mean is taken.
    pub(super) fn of(matrix: &[f64], n: usize) -> Self {
        let mut left: Vec<f64> =
            (0..n * n).map(|cell| (matrix[cell] + matrix[cell % n * n + cell / n]) / 2.0).collect();
        let mut axes = vec![0.0; n * n];
        axes.iter_mut().step_by(n + 1).for_each(|cell| *cell = 1.0);
        for _ in 0..MOST_SWEEPS {
            let mut rotated = false;
            for p in 0..n {
                for q in p + 1..n {
                    let off = left[p * n + q];
                    let (at_p, at_q) = (left[p * n + p], left[q * n + q]);
                    if off.abs() <= f64::EPSILON / 2.0 * (at_p.abs() * at_q.abs()).sqrt() || !off.is_finite()
                    {
                        continue;
                    }
                    rotated = true;
                    let ratio = (at_q - at_p) / (2.0 * off);
                    let tangent = ratio.signum() / (ratio.abs() + ratio.hypot(1.0));
                    let cosine = 1.0 / tangent.hypot(1.0);
                    let sine = tangent * cosine;
                    for k in 0..n {
                        let (row_p, row_q) = (left[k * n + p], left[k * n + q]);
                        left[k * n + p] = cosine * row_p - sine * row_q;
                        left[k * n + q] = sine * row_p + cosine * row_q;
                    }
                    for k in 0..n {
                        let (column_p, column_q) = (left[p * n + k], left[q * n + k]);
                        left[p * n + k] = cosine * column_p - sine * column_q;
                        left[q * n + k] = sine * column_p + cosine * column_q;
                        let (axis_p, axis_q) = (axes[p * n + k], axes[q * n + k]);
                        axes[p * n + k] = cosine * axis_p - sine * axis_q;
                        axes[q * n + k] = sine * axis_p + cosine * axis_q;
                    }
                }
            }
            if !rotated {
                break;
            }
        }
        let root = |axis: usize| {
            let value = left[axis * n + axis];
            if value < 0.0 { LEAST_EIGENVALUE } else { value }.sqrt()
        };
        Self { roots: (0..n).map(root).collect(), axes }
    }

    /// A vector given along the axes, in the coordinates of the space.
    pub(super) fn out_of_axes(&self, along: &[f64]) -> Vec<f64> {
        let n = self.roots.len();
        let mut vector = vec![0.0; n];
        for (axis, length) in self.axes.chunks(n).zip(along) {
            vector.iter_mut().zip(axis).for_each(|(total, part)| *total += length * part);
        }
        vector
    }

    /// A vector times the inverse square root of the matrix.
    pub(super) fn whiten(&self, vector: &[f64]) -> Vec<f64> {
        let n = self.roots.len();
        let along: Vec<f64> = self
            .axes
            .chunks(n)
            .zip(&self.roots)
            .map(|(axis, root)| axis.iter().zip(vector).map(|(part, value)| part * value).sum::<f64>() / root)
            .collect();
        self.out_of_axes(&along)
    }

    /// Writes the matrix anew from its axes, which differs from the one it was made of where an eigenvalue was negative.
    pub(super) fn rebuild(&self, matrix: &mut [f64]) {
        let n = self.roots.len();
        matrix.fill(0.0);
        for (axis, root) in self.axes.chunks(n).zip(&self.roots) {
            for (row, left) in axis.iter().enumerate() {
                for (column, right) in axis.iter().enumerate() {
                    matrix[row * n + column] += root * root * left * right;
                }
            }
        }
    }
}
