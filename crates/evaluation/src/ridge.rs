//! Linear regression with a penalty: the least that a network has to beat.

use crate::error::{EvaluationError, check_finite, check_shape};

/// A pivot that keeps less than this share of its diagonal is rounding.
const PIVOT_SHARE: f64 = 1e-13;

/// The linear function that minimises Σ(y − b − x·w)² + λ‖w‖² (Hoerl and Kennard 1970); the intercept b is not penalised.
#[derive(Clone, Debug, PartialEq)]
pub struct Ridge {
    intercept: f64,
    weights: Vec<f64>,
}

impl Ridge {
    /// Solves the centred normal equations by Cholesky. `x` is row-major `[row, column]` with `columns` columns, `y` has a
    /// number per row, `penalty` is λ ≥ 0 in the unit of Σx²: standardise columns first if they differ in scale.
    ///
    /// # Errors
    /// [`EvaluationError::WrongShape`], [`EvaluationError::NotFinite`], [`EvaluationError::NegativePenalty`], and
    /// [`EvaluationError::Singular`] where the columns do
    /// not determine the weights or there are no rows.
    pub fn fit(x: &[f64], columns: usize, y: &[f64], penalty: f64) -> Result<Self, EvaluationError> {
        check_shape("x", x.len(), (y.len(), columns))?;
        check_finite("x", x)?;
        check_finite("y", y)?;
        check_finite("penalty", &[penalty])?;
        if penalty < 0.0 {
            return Err(EvaluationError::NegativePenalty { penalty });
        }
        let rows = y.len() as f64;
        let row = |row: usize| &x[row * columns..(row + 1) * columns];
        let centre: Vec<f64> =
            (0..columns).map(|column| (0..y.len()).map(|i| row(i)[column]).sum::<f64>() / rows).collect();
        let y_mean = y.iter().sum::<f64>() / rows;

        let mut gram = vec![0.0; columns * columns];
        let mut moment = vec![0.0; columns];
        let mut centred = vec![0.0; columns];
        for (i, outcome) in y.iter().enumerate() {
            for (deviation, (value, mean)) in centred.iter_mut().zip(row(i).iter().zip(&centre)) {
                *deviation = value - mean;
            }
            for (j, &deviation) in centred.iter().enumerate() {
                moment[j] += deviation * (outcome - y_mean);
                for (sum, other) in gram[j * columns..=j * columns + j].iter_mut().zip(&centred) {
                    *sum += deviation * other;
                }
            }
        }
        (0..columns).for_each(|j| gram[j * columns + j] += penalty);

        factor(&mut gram, columns)?;
        solve(&gram, &mut moment);
        let intercept = y_mean - centre.iter().zip(&moment).map(|(mean, weight)| mean * weight).sum::<f64>();
        check_finite("intercept", &[intercept]).map_err(|_| EvaluationError::Singular { column: 0 })?;
        Ok(Self { intercept, weights: moment })
    }

    /// The forecast where every column is 0.
    #[must_use]
    pub const fn intercept(&self) -> f64 {
        self.intercept
    }

    /// One weight per column.
    #[must_use]
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The forecast for each row of `x`, row-major `[row, column]`.
    ///
    /// # Errors
    /// [`EvaluationError::WrongShape`] where `x` is no whole number of rows.
    pub fn predict(&self, x: &[f64]) -> Result<Vec<f64>, EvaluationError> {
        let columns = self.weights.len();
        check_shape("x", x.len(), (x.len() / columns.max(1), columns))?;
        let forecast =
            |row: &[f64]| self.intercept + row.iter().zip(&self.weights).map(|(a, b)| a * b).sum::<f64>();
        Ok(x.chunks_exact(columns.max(1)).map(forecast).collect())
    }
}

/// Overwrites the lower triangle of a symmetric matrix with its Cholesky factor.
fn factor(matrix: &mut [f64], size: usize) -> Result<(), EvaluationError> {
    for row in 0..size {
        for column in 0..=row {
            let (left, right) =
                (&matrix[row * size..row * size + column], &matrix[column * size..column * size + column]);
            let known: f64 = left.iter().zip(right).map(|(a, b)| a * b).sum();
            let rest = matrix[row * size + column] - known;
            matrix[row * size + column] = if column < row {
                rest / matrix[column * size + column]
            } else if rest > PIVOT_SHARE * matrix[row * size + row] {
                rest.sqrt()
            } else {
                return Err(EvaluationError::Singular { column: row });
            };
        }
    }
    Ok(())
}

/// Solves L Lᵀ w = b in place.
fn solve(lower: &[f64], b: &mut [f64]) {
    let size = b.len();
    for row in 0..size {
        let known: f64 = (0..row).map(|column| lower[row * size + column] * b[column]).sum();
        b[row] = (b[row] - known) / lower[row * size + row];
    }
    for row in (0..size).rev() {
        let known: f64 = (row + 1..size).map(|below| lower[below * size + row] * b[below]).sum();
        b[row] = (b[row] - known) / lower[row * size + row];
    }
}
