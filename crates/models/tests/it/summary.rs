//! Counts of the example's network, by hand.

use tapeline_models::{
    FusionKind, FusionSpec, InputShape, LstmModelSpec, ModelSpec, NetworkSpec, build, summary,
};
use tch::Device;

use crate::contract::networks;

#[test]
fn parts_add_up_to_the_whole() {
    let (_, network) = networks().remove(0);
    let inputs = vec![InputShape { length: 60, features: 8 }; 2];
    let spec = NetworkSpec { model: ModelSpec::default(), inputs, heads: network.heads };
    let network = build(&spec, 0, Device::Cpu).unwrap();
    let summary = summary(network.as_ref());

    let attention = |width: usize| width + 4 * width * width + 4 * width;
    let block = 64 * (3 * 22 + 5 * 21 + 7 * 21) + 64 + 2 * 64 + 64 * 64 + 64;
    let cnn = 8 * 64 + 64 + 3 * block + attention(64);
    let layer = |inputs: usize| 4 * 128 * (inputs + 128 + 2);
    let lstm = layer(8) + layer(128) + 2 * 128 + attention(128);
    let fuse = (2 * 64 + 128) * 128 + 128 + 2 * 128;
    let parts: Vec<(&str, usize)> =
        summary.parts.iter().map(|part| (part.name.as_str(), part.parameters)).collect();
    let heads = [("price_prediction", 129 * 3), ("regime_detection", 129 * 8)];
    assert_eq!(
        parts,
        [[("cnn.0", cnn), ("cnn.1", cnn), ("lstm", lstm), ("fuse", fuse)].as_slice(), &heads].concat()
    );
    assert_eq!(summary.total, parts.iter().map(|(_, parameters)| parameters).sum::<usize>());
    assert_eq!(summary.total, network.parameters().count());
    assert!(summary.to_string().ends_with(&summary.total.to_string()));
}

#[test]
fn each_recurrent_branch_is_a_part_and_the_fusion_is_one() {
    let (_, network) = networks().remove(0);
    let fusion = FusionSpec { kind: FusionKind::Gated, output_size: 32, ..FusionSpec::default() };
    let model = ModelSpec::Lstm(LstmModelSpec { fusion, ..LstmModelSpec::default() });
    let inputs = vec![InputShape { length: 60, features: 8 }; 2];
    let network = build(&NetworkSpec { model, inputs, heads: network.heads }, 0, Device::Cpu).unwrap();
    let summary = summary(network.as_ref());

    let layer = |inputs: usize| 4 * 128 * (inputs + 128 + 2);
    let lstm = layer(8) + layer(128) + 2 * 128 + 128 + 4 * 128 * 128 + 4 * 128;
    let fuse = 2 * (128 + 1) * 32 + (2 * 128 + 1) * 2 * 32 + 2 * 32;
    let parts: Vec<(&str, usize)> =
        summary.parts.iter().map(|part| (part.name.as_str(), part.parameters)).collect();
    let heads = [("price_prediction", 33 * 3), ("regime_detection", 33 * 8)];
    assert_eq!(parts, [[("lstm.0", lstm), ("lstm.1", lstm), ("fuse", fuse)].as_slice(), &heads].concat());
    assert_eq!(summary.total, network.parameters().count());
}
