//! Weights dropped on the way from state to state: keyed by the batch, the same for each of its parts, none in evaluation.

use tapeline_models::{
    FusionSpec, HeadKind, HeadSpec, InputShape, LstmModelSpec, LstmSpec, Mode, ModelSpec, Network,
    NetworkSpec, build,
};
use tch::{Device, Kind, Tensor};

fn network(recurrent_dropout: f64) -> Box<dyn Network> {
    let lstm = LstmSpec {
        hidden_size: 8,
        num_layers: 2,
        bidirectional: true,
        attention_heads: 2,
        dropout: 0.0,
        recurrent_dropout,
    };
    let fusion = FusionSpec { output_size: 4, dropout: 0.0, ..FusionSpec::default() };
    let spec = NetworkSpec {
        model: ModelSpec::Lstm(LstmModelSpec { lstm, fusion }),
        inputs: vec![InputShape { length: 9, features: 3 }],
        heads: vec![HeadSpec { name: "task".into(), kind: HeadKind::Regression { outputs: 2 } }],
    };
    build(&spec, 4, Device::Cpu).unwrap()
}

fn x(rows: i64) -> Tensor {
    (Tensor::arange(rows * 27, (Kind::Float, Device::Cpu)) * 0.37).sin().reshape([rows, 9, 3])
}

fn train(cursor: u64, first: u64) -> Mode {
    Mode::Train { seed: 1, cursor, rank: 0, first }
}

fn features(network: &dyn Network, x: &Tensor, mode: Mode) -> Tensor {
    network.forward(&[x.shallow_clone()], mode).unwrap().features
}

#[test]
fn a_batch_and_its_parts_have_one_mask_and_another_batch_has_another() {
    tch::set_num_threads(1);
    let network = network(0.5);
    let x = x(6);
    let whole = features(network.as_ref(), &x, train(3, 0));
    let parts = [(0, 2), (2, 4)]
        .map(|(first, rows)| features(network.as_ref(), &x.narrow(0, first, rows), train(3, first as u64)));
    let off = (Tensor::cat(&parts, 0) - &whole).abs().max().double_value(&[]);
    assert!(off < 1e-6, "parts are off by {off:e}");
    let distance = |other: &Tensor| (other - &whole).abs().max().double_value(&[]);
    assert!(distance(&features(network.as_ref(), &x, train(4, 0))) > 1e-3);
    assert!(distance(&features(network.as_ref(), &x, Mode::Evaluate)) > 1e-3);
}

#[test]
fn nothing_is_dropped_in_evaluation_and_what_is_dropped_has_no_gradient() {
    tch::set_num_threads(1);
    let (with, without) = (network(0.5), network(0.0));
    let x = x(4);
    let same =
        features(with.as_ref(), &x, Mode::Evaluate).equal(&features(without.as_ref(), &x, Mode::Evaluate));
    assert!(same, "the same weights, and none of them dropped");
    // A layer norm makes a plain sum the same whatever the weights.
    let upstream = Tensor::arange(4, (Kind::Float, Device::Cpu));
    (features(with.as_ref(), &x, train(0, 0)) * upstream).sum(Kind::Float).backward();
    let gradient = with.parameters().get("lstm.0.lstm.weight_hh_l0").unwrap().grad();
    let share = gradient.eq(0.0).to_kind(Kind::Float).mean(Kind::Float).double_value(&[]);
    assert!((0.35..0.65).contains(&share), "{share} of the gradient is zero");
}
