//! The eigenvalues of a symmetric matrix.

/// Halvings of an interval of eigenvalues: enough to reach the last bit of the largest.
const HALVINGS: usize = 60;

/// The eigenvalues of a positive semidefinite matrix, row-major `[size, size]`, ascending: Householder's reduction to three
/// diagonals, then bisection on the signs of Sturm's sequence (Golub and Van Loan, *Matrix Computations*, sections 8.3 and
/// 8.4). They are exact to a few roundings of the largest one.
pub(crate) fn eigenvalues(matrix: Vec<f64>, size: usize) -> Vec<f64> {
    let (diagonal, off) = tridiagonal(matrix, size);
    let row_sum = |row: usize| {
        let before = row.checked_sub(1).map_or(0.0, |before| off[before].abs());
        diagonal[row].abs() + before + off.get(row).map_or(0.0, |after| after.abs())
    };
    let largest = (0..size).map(row_sum).fold(0.0, f64::max);
    let nth = |nth: usize| {
        let (mut low, mut high) = (0.0, largest);
        for _ in 0..HALVINGS {
            let middle = 0.5 * (low + high);
            if count_below(middle, &diagonal, &off) > nth {
                high = middle;
            } else {
                low = middle;
            }
        }
        0.5 * (low + high)
    };
    (0..size).map(nth).collect()
}

/// The diagonal and the one beside it of a matrix with the same eigenvalues.
fn tridiagonal(mut matrix: Vec<f64>, size: usize) -> (Vec<f64>, Vec<f64>) {
    let mut off = Vec::with_capacity(size.saturating_sub(1));
    for pivot in 0..size.saturating_sub(1) {
        let mut mirror = matrix[pivot * size + pivot + 1..(pivot + 1) * size].to_vec();
        let norm = mirror.iter().map(|value| value * value).sum::<f64>().sqrt();
        let image = -norm.copysign(mirror[0]);
        off.push(image);
        mirror[0] -= image;
        let square: f64 = mirror.iter().map(|value| value * value).sum();
        if square > 0.0 {
            reflect(&mut matrix, size, &mirror, square);
        }
    }
    ((0..size).map(|row| matrix[row * size + row]).collect(), off)
}

/// Reflects the last rows and columns, as many as `mirror` is long, at the plane orthogonal to it: A − v wᵀ − w vᵀ.
fn reflect(matrix: &mut [f64], size: usize, mirror: &[f64], square: f64) {
    let first = size - mirror.len();
    let tail = |row: usize| row * size + first..(row + 1) * size;
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let mut other: Vec<f64> =
        (first..size).map(|row| 2.0 / square * dot(&matrix[tail(row)], mirror)).collect();
    let overlap = dot(&other, mirror) / square;
    other.iter_mut().zip(mirror).for_each(|(value, v)| *value -= overlap * v);
    for row in first..size {
        let (v, w) = (mirror[row - first], other[row - first]);
        for (value, (a, b)) in matrix[tail(row)].iter_mut().zip(mirror.iter().zip(&other)) {
            *value -= v * b + w * a;
        }
    }
}

/// How many eigenvalues are below `bound`: the negative pivots of the matrix less `bound` on its diagonal.
fn count_below(bound: f64, diagonal: &[f64], off: &[f64]) -> usize {
    let mut pivot = 1.0;
    let mut count = 0;
    for (row, value) in diagonal.iter().enumerate() {
        let coupling = row.checked_sub(1).map_or(0.0, |before| off[before]);
        pivot = value - bound - coupling * coupling / pivot;
        if pivot == 0.0 {
            pivot = -f64::MIN_POSITIVE;
        }
        count += usize::from(pivot < 0.0);
    }
    count
}

#[cfg(test)]
mod tests {
    use super::eigenvalues;

    /// Second differences of `size` points have the eigenvalues 2 − 2 cos(kπ/(size + 1)); here in another basis.
    #[test]
    fn a_spectrum_known_in_closed_form_is_found_in_any_basis() {
        let size = 9;
        let difference = |a: usize, b: usize| match a.abs_diff(b) {
            0 => 2.0,
            1 => -1.0,
            _ => 0.0,
        };
        // A reflection I − 2uuᵀ/n with u of ±1.
        let reflection = |a: usize, b: usize| {
            let identity = if a == b { 1.0 } else { 0.0 };
            let (u, v) =
                (if a.is_multiple_of(3) { 1.0 } else { -1.0 }, if b.is_multiple_of(3) { 1.0 } else { -1.0 });
            identity - 2.0 * u * v / size as f64
        };
        let cell = |a: usize, b: usize| -> f64 {
            let inner = |k: usize| (0..size).map(|l| difference(k, l) * reflection(l, b)).sum::<f64>();
            (0..size).map(|k| reflection(a, k) * inner(k)).sum()
        };
        let matrix = (0..size * size).map(|at| cell(at / size, at % size)).collect();
        for (k, found) in eigenvalues(matrix, size).into_iter().enumerate() {
            let expected = 2.0 - 2.0 * (std::f64::consts::PI * (k + 1) as f64 / (size + 1) as f64).cos();
            assert!((found - expected).abs() < 1e-13, "{k}: {found} for {expected}");
        }
    }

    #[test]
    fn diagonal_and_empty_matrices_are_their_own_spectrum() {
        let found = eigenvalues(vec![3.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0], 3);
        assert!(found.iter().zip([0.0, 1.0, 3.0]).all(|(found, expected)| (found - expected).abs() < 1e-13));
        assert_eq!(eigenvalues(vec![], 0), []);
    }
}
