//! The numbers are PyTorch's: outputs and gradients of `tests/golden`, which `scripts/golden_networks.py` made.

use std::path::Path;

use tapeline_models::{FusionKind, ModelSpec, NetworkSpec};
use tapeline_testkit::largest_difference;
use tch::Tensor;

use crate::recorded::{read, repeat};

/// Two implementations in single precision, some hundred operations deep; of the largest number of a tensor where that is
/// above 1. The smallest hybrid normalises over two numbers, which makes gradients of 50 out of rounding: PyTorch's own are
/// off from what it finds in double precision by half of this.
const TOLERANCE: f64 = 1e-5;

fn numbers(tensor: &Tensor) -> Vec<f32> {
    Vec::try_from(tensor.flatten(0, -1)).unwrap()
}

/// The golden file called `name` against our own pass.
fn compare(name: &str) -> NetworkSpec {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    let (spec, recorded) = read(&path).unwrap();
    let results = repeat(&spec, &recorded).unwrap();
    let expected = |name: &&String| name.starts_with("output/") || name.starts_with("gradient/");
    assert!(recorded.keys().filter(expected).eq(results.keys()), "{name}: other outputs or gradients");
    for (tensor, found) in &results {
        let expected = &recorded[tensor];
        assert_eq!(found.size(), expected.size(), "{name}: {tensor}");
        let worst = largest_difference(&numbers(found), &numbers(expected)).unwrap();
        let size = expected.abs().max().double_value(&[]).max(1.0);
        assert!(worst.distance <= TOLERANCE * size, "{name}: {tensor} is off by {:e}", worst.distance);
    }
    spec
}

#[test]
fn hybrid_of_three_timeframes_of_different_shapes() {
    compare("hybrid_three_timeframes.safetensors");
}

#[test]
fn hybrid_of_one_timeframe_read_both_ways() {
    compare("hybrid_bidirectional.safetensors");
}

#[test]
fn hybrid_of_one_sample_and_one_bar() {
    compare("hybrid_smallest.safetensors");
}

#[test]
fn every_architecture_with_every_fusion() {
    for fusion in [FusionKind::Concat, FusionKind::Gated, FusionKind::Attention, FusionKind::Bilinear] {
        let word = format!("{fusion:?}").to_lowercase();
        let ModelSpec::Cnn(cnn) = compare(&format!("cnn_{word}.safetensors")).model else {
            unreachable!("another architecture")
        };
        let ModelSpec::Lstm(lstm) = compare(&format!("lstm_{word}.safetensors")).model else {
            unreachable!("another architecture")
        };
        assert_eq!((cnn.fusion.kind, lstm.fusion.kind), (fusion, fusion));
        if fusion != FusionKind::Concat {
            let ModelSpec::Hybrid(hybrid) = compare(&format!("hybrid_{word}.safetensors")).model else {
                unreachable!("another architecture")
            };
            assert_eq!(hybrid.fusion.kind, fusion);
        }
    }
}
