//! A Gaussian process: a distribution over functions, given the values of one of them at some points.
//!
//! Rasmussen and Williams, "Gaussian processes for machine learning", 2006: algorithm 2.1 and equations 5.8 and 5.9.

/// How points are alike and how certain values are.
#[derive(Clone, Debug)]
pub(super) struct Likeness {
    /// 1 / length², one per axis: how fast the function changes along it.
    pub(super) rates: Vec<f64>,
    /// The variance of the function.
    pub(super) variance: f64,
    /// The variance of what is told of it.
    pub(super) noise: f64,
}

/// What is told of a function: points `[point][axis]` and a value at each.
pub(super) struct Told<'a> {
    pub(super) points: &'a [Vec<f64>],
    pub(super) values: &'a [f64],
    /// The axes on which only equal or unequal counts.
    pub(super) unordered: &'a [bool],
}

/// The process, given what was told.
pub(super) struct Process<'a> {
    told: Told<'a>,
    likeness: Likeness,
    /// The lower triangle L of the covariance L Lᵀ, row by row.
    lower: Vec<f64>,
    /// The covariance's inverse times the values.
    alpha: Vec<f64>,
}

const SQRT_5: f64 = 2.236_067_977_499_79;

/// The Matérn kernel of smoothness 5/2 at a squared distance, and its derivative there, both for a variance of 1.
fn matern(square: f64) -> (f64, f64) {
    let distance = SQRT_5 * square.sqrt();
    let falls = (-distance).exp();
    ((1.0 + distance + 5.0 / 3.0 * square) * falls, -5.0 / 6.0 * (1.0 + distance) * falls)
}

impl Told<'_> {
    fn square(&self, axis: usize, a: f64, b: f64) -> f64 {
        if self.unordered[axis] { f64::from(u8::from(a != b)) } else { (a - b) * (a - b) }
    }

    fn distance(&self, rates: &[f64], a: &[f64], b: &[f64]) -> f64 {
        rates.iter().enumerate().map(|(axis, rate)| rate * self.square(axis, a[axis], b[axis])).sum()
    }
}

impl<'a> Process<'a> {
    /// `None` if the covariance is not positive, which numbers that are too large or too much alike make it.
    pub(super) fn new(told: Told<'a>, likeness: Likeness) -> Option<Self> {
        let count = told.points.len();
        let mut lower = vec![0.0; count * count];
        for row in 0..count {
            for column in 0..row {
                let square = told.distance(&likeness.rates, &told.points[row], &told.points[column]);
                lower[row * count + column] = likeness.variance * matern(square).0;
            }
            lower[row * count + row] = likeness.variance + likeness.noise;
        }
        decompose(&mut lower, count)?;
        let mut alpha = told.values.to_vec();
        solve_lower(&lower, &mut alpha);
        solve_upper(&lower, &mut alpha);
        Some(Self { told, likeness, lower, alpha })
    }

    /// The log likelihood of the values, up to a constant, and its derivatives by the logs of the rates, of the variance and of
    /// the noise.
    pub(super) fn evidence(&self) -> (f64, Vec<f64>) {
        let count = self.told.points.len();
        let axes = self.likeness.rates.len();
        let fit: f64 = self.told.values.iter().zip(&self.alpha).map(|(value, alpha)| value * alpha).sum();
        let log_determinant: f64 = (0..count).map(|row| self.lower[row * count + row].ln()).sum();
        let inverse = inverse(&self.lower, count);
        let mut slopes = vec![0.0; axes + 2];
        let mut squares = vec![0.0; axes];
        for row in 0..count {
            for column in 0..row {
                let (a, b) = (&self.told.points[row], &self.told.points[column]);
                for (axis, square) in squares.iter_mut().enumerate() {
                    *square = self.likeness.rates[axis] * self.told.square(axis, a[axis], b[axis]);
                }
                let (value, slope) = matern(squares.iter().sum());
                // Both triangles, and the half before the trace, make one.
                let weight = self.alpha[row] * self.alpha[column] - inverse[row * count + column];
                for (sum, square) in slopes.iter_mut().zip(&squares) {
                    *sum += weight * self.likeness.variance * slope * square;
                }
                slopes[axes] += weight * self.likeness.variance * value;
            }
            let weight = 0.5 * (self.alpha[row] * self.alpha[row] - inverse[row * count + row]);
            slopes[axes] += weight * self.likeness.variance;
            slopes[axes + 1] += weight * self.likeness.noise;
        }
        (-0.5 * fit - log_determinant, slopes)
    }

    /// Mean and standard deviation of the function at a point.
    pub(super) fn at(&self, point: &[f64], covariances: &mut Vec<f64>) -> (f64, f64) {
        covariances.clear();
        let variance = self.likeness.variance;
        covariances.extend(
            self.told
                .points
                .iter()
                .map(|known| variance * matern(self.told.distance(&self.likeness.rates, known, point)).0),
        );
        let mean = covariances.iter().zip(&self.alpha).map(|(covariance, alpha)| covariance * alpha).sum();
        solve_lower(&self.lower, covariances);
        let explained: f64 = covariances.iter().map(|part| part * part).sum();
        (mean, (variance - explained).max(variance * 1e-12).sqrt())
    }
}

/// Cholesky, in place of the lower triangle.
fn decompose(matrix: &mut [f64], count: usize) -> Option<()> {
    for row in 0..count {
        let (above, below) = matrix.split_at_mut(row * count);
        for column in 0..row {
            let known = &above[column * count..column * count + column];
            let sum: f64 = dot(known, &below[..column]);
            below[column] = (below[column] - sum) / above[column * count + column];
        }
        let rest = below[row] - dot(&below[..row], &below[..row]);
        if !(rest > 0.0 && rest.is_finite()) {
            return None;
        }
        below[row] = rest.sqrt();
    }
    Some(())
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    // Four sums at once: one waits for itself.
    let mut sums = [0.0; 4];
    let (a_blocks, b_blocks) = (a.chunks_exact(4), b.chunks_exact(4));
    let rest: f64 = a_blocks.remainder().iter().zip(b_blocks.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in a_blocks.zip(b_blocks) {
        for lane in 0..4 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums[0] + sums[1] + sums[2] + sums[3] + rest
}

/// L x = b, in place.
fn solve_lower(lower: &[f64], values: &mut [f64]) {
    let count = values.len();
    for row in 0..count {
        let sum = dot(&lower[row * count..row * count + row], &values[..row]);
        values[row] = (values[row] - sum) / lower[row * count + row];
    }
}

/// Lᵀ x = b, in place.
fn solve_upper(lower: &[f64], values: &mut [f64]) {
    let count = values.len();
    for row in (0..count).rev() {
        values[row] /= lower[row * count + row];
        let value = values[row];
        for column in 0..row {
            values[column] -= lower[row * count + column] * value;
        }
    }
}

/// The lower triangle of (L Lᵀ)⁻¹.
fn inverse(lower: &[f64], count: usize) -> Vec<f64> {
    // The columns of L⁻¹, each as a row, so that what is multiplied lies together.
    let mut columns = vec![0.0; count * count];
    for column in 0..count {
        let this = &mut columns[column * count..(column + 1) * count];
        this[column] = 1.0 / lower[column * count + column];
        for row in column + 1..count {
            let sum = dot(&lower[row * count + column..row * count + row], &this[column..row]);
            this[row] = -sum / lower[row * count + row];
        }
    }
    let mut product = vec![0.0; count * count];
    for row in 0..count {
        for column in 0..=row {
            let (a, b) = (
                &columns[row * count + row..(row + 1) * count],
                &columns[column * count + row..(column + 1) * count],
            );
            product[row * count + column] = dot(a, b);
        }
    }
    product
}
