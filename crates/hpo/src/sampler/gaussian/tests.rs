//! Against scikit-learn and mpmath: `scripts/golden_gaussian.py` writes the file.

use serde_json::Value;

use super::process::{Likeness, Process, Told};
use super::{fit, improvement, warp};
use crate::TrialRandom;

fn golden() -> Value {
    serde_json::from_str(include_str!("../../../tests/golden/gaussian.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn close(what: &str, ours: f64, theirs: f64) {
    assert!((ours - theirs).abs() < 1e-8 * theirs.abs().max(1.0), "{what}: {ours}, {theirs} expected");
}

#[test]
fn means_spreads_and_evidence_are_those_of_scikit_learn() {
    for case in golden()["processes"].as_array().unwrap() {
        let points: Vec<Vec<f64>> = case["points"].as_array().unwrap().iter().map(numbers).collect();
        let values = numbers(&case["values"]);
        let likeness = Likeness {
            rates: numbers(&case["rates"]),
            variance: case["variance"].as_f64().unwrap(),
            noise: case["noise"].as_f64().unwrap(),
        };
        let unordered = vec![false; likeness.rates.len()];
        let process =
            Process::new(Told { points: &points, values: &values, unordered: &unordered }, likeness).unwrap();
        let (evidence, slopes) = process.evidence();
        close("evidence", evidence, case["evidence"].as_f64().unwrap());
        for (ours, theirs) in slopes.iter().zip(numbers(&case["slopes"])) {
            close("slope", *ours, theirs);
        }
        let (means, spreads) = (numbers(&case["mean"]), numbers(&case["spread"]));
        for (place, asked) in case["asked"].as_array().unwrap().iter().map(numbers).enumerate() {
            let (mean, spread) = process.at(&asked, &mut Vec::new());
            close("mean", mean, means[place]);
            close("spread", spread, spreads[place]);
        }
    }
}

#[test]
fn the_expected_improvement_holds_far_out() {
    for row in golden()["log_expected"].as_array().unwrap().iter().map(numbers) {
        let ours = improvement::log_expected(row[0], row[1], row[2]);
        assert!((ours - row[3]).abs() < 1e-5, "{row:?}: {ours}");
    }
}

#[test]
fn choices_are_alike_or_not_and_an_axis_that_does_not_matter_is_found_out() {
    let mut random = TrialRandom::of(1, 1);
    let points: Vec<Vec<f64>> =
        (0..40).map(|_| vec![random.unit(), random.unit(), random.below(3) as f64]).collect();
    let losses: Vec<f64> =
        points.iter().map(|point| (6.0 * point[0]).sin() + [0.0, 0.7, 2.0][point[2] as usize]).collect();
    let values = warp::warp(&losses);
    let unordered = [false, false, true];
    let likeness = fit::most_probable(&points, &values, &unordered).unwrap();
    assert!(likeness.rates[0] > 20.0 * likeness.rates[1], "{likeness:?}");
    assert!(likeness.noise < 1e-3, "{likeness:?}");
    let process =
        Process::new(Told { points: &points, values: &values, unordered: &unordered }, likeness).unwrap();
    for (point, value) in points.iter().zip(&values) {
        let (mean, spread) = process.at(point, &mut Vec::new());
        assert!(
            (mean - value).abs() < 0.02 && spread < 0.05,
            "what was told is believed: {mean} for {value} ± {spread}"
        );
    }
}

#[test]
fn values_keep_their_order_and_get_a_scale() {
    let losses = [3.0, f64::INFINITY, 1.0, 1e12, 2.0, f64::NEG_INFINITY, 1.5];
    let values = warp::warp(&losses);
    let mut order: Vec<usize> = (0..losses.len()).collect();
    order.sort_by(|a, b| losses[*a].total_cmp(&losses[*b]));
    assert!(order.windows(2).all(|pair| values[pair[0]] <= values[pair[1]]), "{values:?}");
    let variance = values.iter().map(|value| value * value).sum::<f64>() / values.len() as f64;
    assert!((variance - 1.0).abs() < 1e-9 && values.iter().all(|value| value.is_finite()), "{values:?}");
    assert!(values[4] - values[2] > 0.01, "one outlier does not make the others alike: {values:?}");
    assert_eq!(warp::warp(&[2.0, 2.0]), [0.0, 0.0]);
    assert_eq!(warp::warp(&[f64::INFINITY, 2.0]), [1.0, 0.0]);
}
