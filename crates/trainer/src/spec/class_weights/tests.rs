//! Weights against sums written out, and a cross entropy under them against PyTorch's (`tests/golden/class_weights.json`, made
//! by `scripts/golden_trainer.py`).

use serde::Deserialize;
use tapeline_testkit::assert_close;

use super::ClassWeightsSpec;

#[derive(Deserialize)]
struct Golden {
    counts: Vec<u64>,
    balanced: Vec<f64>,
    effective_number: Vec<Effective>,
}

#[derive(Deserialize)]
struct Effective {
    beta: f64,
    weights: Vec<f64>,
}

#[test]
fn weights_are_those_of_the_formulas() {
    let golden: Golden =
        serde_json::from_str(include_str!("../../../tests/golden/class_weights.json")).unwrap();
    assert_close(&ClassWeightsSpec::Balanced.weights(&golden.counts), &golden.balanced, 1e-12);
    for Effective { beta, weights } in golden.effective_number {
        let found = ClassWeightsSpec::EffectiveNumber { beta }.weights(&golden.counts);
        assert_close(&found, &weights, 1e-9);
    }
    assert_eq!(ClassWeightsSpec::None.weights(&golden.counts), [1.0; 4]);
}

#[test]
fn the_mean_over_the_samples_is_1_and_rare_classes_weigh_more() {
    let counts = [500, 20, 3, 90];
    for spec in [ClassWeightsSpec::Balanced, ClassWeightsSpec::EffectiveNumber { beta: 0.99 }] {
        let weights = spec.weights(&counts);
        let mean: f64 = weights.iter().zip(counts).map(|(weight, count)| weight * count as f64).sum();
        assert!((mean / 613.0 - 1.0).abs() < 1e-12, "{spec:?}: {weights:?}");
        assert!(weights[2] > weights[1] && weights[1] > weights[3] && weights[3] > weights[0], "{weights:?}");
    }
}

#[test]
fn a_class_that_was_not_seen_weighs_as_if_seen_once() {
    let weights = ClassWeightsSpec::Balanced.weights(&[10, 0, 10, 1]);
    assert!(weights.iter().all(|weight| weight.is_finite()) && weights[1] == weights[3], "{weights:?}");
}
