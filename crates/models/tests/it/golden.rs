//! The numbers are PyTorch's: outputs and gradients of `tests/golden`, which `scripts/golden_hybrid.py` made.

use std::path::Path;

use tapeline_testkit::largest_difference;
use tch::Tensor;

use crate::recorded::{read, repeat};

/// Two implementations in single precision, some hundred operations deep.
const TOLERANCE: f64 = 1e-5;

fn numbers(tensor: &Tensor) -> Vec<f32> {
    Vec::try_from(tensor.flatten(0, -1)).unwrap()
}

fn compare(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    let (spec, recorded) = read(&path).unwrap();
    let results = repeat(&spec, &recorded).unwrap();
    let expected = |name: &&String| name.starts_with("output/") || name.starts_with("gradient/");
    assert!(recorded.keys().filter(expected).eq(results.keys()), "{name}: other outputs or gradients");
    for (tensor, found) in &results {
        let expected = &recorded[tensor];
        assert_eq!(found.size(), expected.size(), "{name}: {tensor}");
        let worst = largest_difference(&numbers(found), &numbers(expected)).unwrap();
        assert!(worst.distance <= TOLERANCE, "{name}: {tensor} is off by {:e}", worst.distance);
    }
}

#[test]
fn three_timeframes_of_different_shapes() {
    compare("hybrid_three_timeframes.safetensors");
}

#[test]
fn one_timeframe_read_both_ways() {
    compare("hybrid_bidirectional.safetensors");
}

#[test]
fn one_sample_and_one_bar() {
    compare("hybrid_smallest.safetensors");
}
