//! Rows that are refused, and what is said of them.

use tapeline_evaluation::baseline::{self, VarianceHistory};
use tapeline_evaluation::calibration::Probabilities;
use tapeline_evaluation::classification::Confusion;
use tapeline_evaluation::representation::{MAX_DIMENSIONS, feature_quality};
use tapeline_evaluation::ridge::Ridge;
use tapeline_evaluation::volatility::Variances;
use tapeline_evaluation::{EvaluationError, Pairs, Panel, uniqueness};

#[track_caller]
fn says<T: std::fmt::Debug>(result: Result<T, EvaluationError>, message: &str) {
    assert_eq!(result.unwrap_err().to_string(), message);
}

#[test]
fn malformed_rows_are_named() {
    says(Pairs::new(&[1.0], &[]), "forecast has 1 rows but realised has 0");
    says(Pairs::new(&[1.0, f64::NAN], &[1.0, 1.0]), "row 1 of forecast is NaN, not a finite number");
    says(Panel::new(&[1], &[1, 2], &[1.0], &[1.0]), "series has 1 rows but time has 2");
    says(Panel::new(&[1], &[1], &[1.0], &[f64::INFINITY]), "row 0 of realised is inf, not a finite number");
    says(Panel::new(&[4, 4], &[9, 9], &[1.0; 2], &[1.0; 2]), "series 4 has more than one row at time 9");
    says(Variances::new(&[1.0], &[0.0]), "row 0 of realised is 0, not above zero");
    says(
        VarianceHistory::new(&[1.0], &[1], &[1.0]),
        "label 0 spans 1..2, which is empty or leaves the 1 steps",
    );
    says(VarianceHistory::new(&[1.0], &[0], &[0.0]), "row 0 of realised is 0, not above zero");
    let (empty, long) = (2..2, 1..5);
    says(uniqueness::concurrency(&[empty], 4), "label 0 spans 2..2, which is empty or leaves the 4 steps");
    says(uniqueness::mean_uniqueness(&[long], 4), "label 0 spans 1..5, which is empty or leaves the 4 steps");
}

#[test]
fn malformed_classes_are_named() {
    says(Confusion::new(2, &[0, 2], &[0, 1]), "row 1 of predicted is class 2, but there are 2 classes");
    says(Confusion::from_counts(2, &[1.0]), "counts of shape [2, 2] needs 4 numbers but has 1");
    says(baseline::majority(&[3], 2), "row 0 of train is class 3, but there are 2 classes");
    says(baseline::stratified(&[3], 2, 1, 0), "row 0 of train is class 3, but there are 2 classes");
    let sum = "the class probabilities of row 1 are no distribution: least 0.5, sum 1.25";
    says(Probabilities::new(2, &[0.5, 0.5, 0.5, 0.75], &[0, 0]), sum);
    let least = "the class probabilities of row 0 are no distribution: least -0.5, sum 1";
    says(Probabilities::new(2, &[-0.5, 1.5], &[0]), least);
    says(Probabilities::new(2, &[1.0], &[0]), "probabilities of shape [1, 2] needs 2 numbers but has 1");
    says(Probabilities::new(2, &[1.0, 0.0], &[2]), "row 0 of actual is class 2, but there are 2 classes");
}

#[test]
fn malformed_matrices_are_named() {
    says(Ridge::fit(&[1.0; 3], 2, &[1.0; 2], 1.0), "x of shape [2, 2] needs 4 numbers but has 3");
    says(Ridge::fit(&[1.0; 2], 1, &[1.0; 2], -1.0), "the penalty is -1, below zero");
    let twins = [1.0, 1.0, 2.0, 2.0, 4.0, 4.0];
    let singular = "the normal equations are singular at column 1: raise the penalty or drop the column";
    says(Ridge::fit(&twins, 2, &[1.0, 2.0, 3.0], 0.0), singular);
    assert!(Ridge::fit(&twins, 2, &[1.0, 2.0, 3.0], 0.1).is_ok());
    assert!(matches!(Ridge::fit(&[], 1, &[], 1.0), Err(EvaluationError::Singular { .. })));
    assert!(Ridge::fit(&twins, 2, &[1.0, 2.0, 3.0], 0.1).unwrap().predict(&[1.0; 3]).is_err());
    says(feature_quality(&[1.0; 3], 2), "features of shape [1, 2] needs 2 numbers but has 3");
    says(feature_quality(&[1.0, f32::NAN], 1), "row 1 of features is NaN, not a finite number");
    let wide = vec![0.0; MAX_DIMENSIONS + 1];
    says(
        feature_quality(&wide, wide.len()),
        "513 dimensions are more than the 512 that a spectrum is computed for",
    );
}
