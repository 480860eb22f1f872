//! Correlation and least squares, small and apart from the library.

/// Pearson's correlation.
pub(crate) fn correlation(x: &[f64], y: &[f64]) -> f64 {
    assert_eq!(x.len(), y.len());
    let n = x.len() as f64;
    let (mean_x, mean_y) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    let covariance: f64 = x.iter().zip(y).map(|(a, b)| (a - mean_x) * (b - mean_y)).sum();
    let spread = |values: &[f64], mean: f64| values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    covariance / (spread(x, mean_x) * spread(y, mean_y)).sqrt()
}

/// Ridge regression with an intercept on standardised columns.
pub(crate) struct Ridge {
    centre: Vec<f64>,
    spread: Vec<f64>,
    weights: Vec<f64>,
}

impl Ridge {
    /// Fits `targets` by `rows`, all of one width. `penalty` is relative to the number of rows.
    pub(crate) fn fit(rows: &[Vec<f64>], targets: &[f64], penalty: f64) -> Self {
        let (n, width) = (rows.len() as f64, rows[0].len());
        let centre: Vec<f64> = (0..width).map(|c| rows.iter().map(|row| row[c]).sum::<f64>() / n).collect();
        let spread: Vec<f64> = (0..width)
            .map(|c| {
                (rows.iter().map(|row| (row[c] - centre[c]).powi(2)).sum::<f64>() / n).sqrt().max(1e-300)
            })
            .collect();
        let mean = targets.iter().sum::<f64>() / n;
        let mut normal = vec![vec![0.0; width + 1]; width];
        for (row, target) in rows.iter().zip(targets) {
            let scaled: Vec<f64> = (0..width).map(|c| (row[c] - centre[c]) / spread[c]).collect();
            for i in 0..width {
                for j in 0..width {
                    normal[i][j] += scaled[i] * scaled[j] / n;
                }
                normal[i][width] += scaled[i] * (target - mean) / n;
            }
        }
        for (i, row) in normal.iter_mut().enumerate() {
            row[i] += penalty;
        }
        Self { centre, spread, weights: solve(normal) }
    }

    /// Forecasts up to the intercept, which no correlation sees.
    pub(crate) fn forecast(&self, rows: &[Vec<f64>]) -> Vec<f64> {
        let one = |row: &Vec<f64>| {
            row.iter()
                .enumerate()
                .map(|(c, value)| self.weights[c] * (value - self.centre[c]) / self.spread[c])
                .sum()
        };
        rows.iter().map(one).collect()
    }
}

/// Solves a positive definite system given as rows with the right-hand side at their end (Gauss and Jordan).
fn solve(mut system: Vec<Vec<f64>>) -> Vec<f64> {
    let width = system.len();
    for pivot in 0..width {
        let scale = system[pivot][pivot];
        system[pivot].iter_mut().for_each(|value| *value /= scale);
        let pivot_row = system[pivot].clone();
        for (index, row) in system.iter_mut().enumerate() {
            if index != pivot {
                let factor = row[pivot];
                row.iter_mut().zip(&pivot_row).for_each(|(value, above)| *value -= factor * above);
            }
        }
    }
    system.into_iter().map(|row| row[width]).collect()
}

#[test]
fn recovers_a_known_plane() {
    let rows: Vec<Vec<f64>> =
        (0..50).map(|i| vec![f64::from(i % 7), f64::from(i % 11), f64::from(i * i % 13)]).collect();
    let targets: Vec<f64> = rows.iter().map(|row| 3.0 + 2.0 * row[0] - row[1] + 0.5 * row[2]).collect();
    let fitted = Ridge::fit(&rows, &targets, 0.0).forecast(&rows);
    let error = fitted
        .iter()
        .zip(&targets)
        .map(|(f, t)| f - t)
        .fold((f64::MAX, f64::MIN), |(low, high), e| (low.min(e), high.max(e)));
    assert!(error.1 - error.0 < 1e-9);
}
