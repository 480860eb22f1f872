//! What makes rows unfit to be scored.

/// Rows that have no score because they are malformed. A score that is merely undefined is `None`, not an error.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluationError {
    /// Two columns that belong together differ in length.
    #[error("{left} has {left_rows} rows but {right} has {right_rows}")]
    UnequalLengths {
        /// The column given first.
        left: &'static str,
        /// Its rows.
        left_rows: usize,
        /// The column given second.
        right: &'static str,
        /// Its rows.
        right_rows: usize,
    },
    /// A number is NaN or infinite.
    #[error("row {row} of {column} is {value}, not a finite number")]
    NotFinite {
        /// Where it was found.
        column: &'static str,
        /// The row, from 0.
        row: usize,
        /// What was found.
        value: f64,
    },
    /// A variance is not above zero.
    #[error("row {row} of {column} is {value}, not above zero")]
    NotPositive {
        /// Where it was found.
        column: &'static str,
        /// The row, from 0.
        row: usize,
        /// What was found.
        value: f64,
    },
    /// One series has two rows at one time.
    #[error("series {series} has more than one row at time {time}")]
    DuplicateRow {
        /// The series.
        series: u32,
        /// The time both rows carry.
        time: i64,
    },
    /// A class is outside `0..classes`.
    #[error("row {row} of {column} is class {class}, but there are {classes} classes")]
    UnknownClass {
        /// Where it was found.
        column: &'static str,
        /// The row, from 0.
        row: usize,
        /// What was found.
        class: u32,
        /// How many classes there are.
        classes: usize,
    },
    /// The probabilities of a row are negative or do not sum to 1.
    #[error("the class probabilities of row {row} are no distribution: least {least}, sum {sum}")]
    NotADistribution {
        /// The row, from 0.
        row: usize,
        /// Its smallest probability.
        least: f64,
        /// The sum over its classes.
        sum: f64,
    },
    /// A row-major matrix does not hold rows × columns numbers.
    #[error("{matrix} of shape [{rows}, {columns}] needs {} numbers but has {found}", rows.saturating_mul(*columns))]
    WrongShape {
        /// Which matrix.
        matrix: &'static str,
        /// Its rows.
        rows: usize,
        /// Its columns.
        columns: usize,
        /// How many numbers it holds.
        found: usize,
    },
    /// More dimensions than the eigenvalue solver is meant for.
    #[error("{found} dimensions are more than the {most} that a spectrum is computed for")]
    TooManyDimensions {
        /// How many there are.
        found: usize,
        /// How many are allowed.
        most: usize,
    },
    /// A penalty rewards what it should restrain.
    #[error("the penalty is {penalty}, below zero")]
    NegativePenalty {
        /// What was given.
        penalty: f64,
    },
    /// The normal equations have no unique solution.
    #[error("the normal equations are singular at column {column}: raise the penalty or drop the column")]
    Singular {
        /// The first column that the ones before it determine.
        column: usize,
    },
    /// A label ends before it starts or after the last step.
    #[error("label {label} spans {start}..{end}, which is empty or leaves the {steps} steps")]
    SpanOutside {
        /// The label's row, from 0.
        label: usize,
        /// Its first step.
        start: usize,
        /// One past its last step.
        end: usize,
        /// How many steps there are.
        steps: usize,
    },
}

pub(crate) fn check_equal_lengths(
    (left, left_rows): (&'static str, usize),
    (right, right_rows): (&'static str, usize),
) -> Result<(), EvaluationError> {
    if left_rows == right_rows {
        Ok(())
    } else {
        Err(EvaluationError::UnequalLengths { left, left_rows, right, right_rows })
    }
}

pub(crate) fn check_finite(column: &'static str, values: &[f64]) -> Result<(), EvaluationError> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(row) => Err(EvaluationError::NotFinite { column, row, value: values[row] }),
    }
}

pub(crate) fn check_classes(
    column: &'static str,
    labels: &[u32],
    classes: usize,
) -> Result<(), EvaluationError> {
    match labels.iter().position(|&class| class as usize >= classes) {
        None => Ok(()),
        Some(row) => Err(EvaluationError::UnknownClass { column, row, class: labels[row], classes }),
    }
}

pub(crate) fn check_shape(
    matrix: &'static str,
    found: usize,
    (rows, columns): (usize, usize),
) -> Result<(), EvaluationError> {
    if rows.checked_mul(columns) == Some(found) {
        Ok(())
    } else {
        Err(EvaluationError::WrongShape { matrix, rows, columns, found })
    }
}
