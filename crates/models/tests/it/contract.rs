//! What holds for every network. A new one adds a row to [`networks`].

use std::collections::BTreeSet;

use tapeline_models::{
    CnnModelSpec, CnnSpec, FusionKind, FusionSpec, HeadKind, HeadSpec, HybridSpec, InputShape, LstmModelSpec,
    LstmSpec, Mode, ModelError, ModelSpec, Network, NetworkSpec, build,
};
use tapeline_testkit::assert_close;
use tapeline_torch_ext::{AdamW, adamw_step, set_threads};
use tch::{Device, Kind, Tensor};

pub(crate) const BATCH: i64 = 6;
const TRAIN: Mode = Mode::Train { seed: 11, cursor: 5, rank: 0, first: 0 };

/// Every network, small: each architecture with each fusion, and what is special. All have dropout, so that the modes differ.
pub(crate) fn networks() -> Vec<(String, NetworkSpec)> {
    let cnn = CnnSpec { channels: 12, dilations: vec![1, 2], attention_heads: 3, ..CnnSpec::default() };
    let lstm = LstmSpec { hidden_size: 16, attention_heads: 2, ..LstmSpec::default() };
    let three = [
        InputShape { length: 14, features: 4 },
        InputShape { length: 10, features: 4 },
        InputShape { length: 7, features: 3 },
    ];
    let network =
        |model, inputs: &[InputShape]| NetworkSpec { model, inputs: inputs.to_vec(), heads: heads() };
    let mut networks = Vec::new();
    for kind in [FusionKind::Concat, FusionKind::Gated, FusionKind::Attention, FusionKind::Bilinear] {
        let fusion = FusionSpec { kind, output_size: 16, ..FusionSpec::default() };
        let hybrid = |cnn, lstm| ModelSpec::Hybrid(HybridSpec { cnn, lstm, fusion: fusion.clone() });
        let convolutions = ModelSpec::Cnn(CnnModelSpec { cnn: cnn.clone(), fusion: fusion.clone() });
        let recurrent = ModelSpec::Lstm(LstmModelSpec { lstm: lstm.clone(), fusion: fusion.clone() });
        let mut add = |name: &str, model, inputs| {
            networks.push((format!("{name}, {kind:?}"), network(model, inputs)));
        };
        add("hybrid", hybrid(cnn.clone(), lstm.clone()), &three[..]);
        add("cnn", convolutions.clone(), &three[..]);
        add("cnn, one timeframe", convolutions, &three[..1]);
        add("lstm", recurrent, &three[..2]);
        if kind == FusionKind::Concat {
            add("hybrid, one timeframe", hybrid(cnn.clone(), lstm.clone()), &three[..1]);
            let (cnn, lstm) = (cnn.clone(), lstm.clone());
            let cnn = CnnSpec { kernel_sizes: vec![5], ..cnn };
            let lstm = LstmSpec { bidirectional: true, num_layers: 1, ..lstm };
            add("hybrid, bidirectional, one layer, one kernel", hybrid(cnn, lstm.clone()), &three[..]);
            let both_ways = LstmModelSpec { lstm, fusion: fusion.clone() };
            add("lstm, bidirectional, one timeframe", ModelSpec::Lstm(both_ways), &three[..1]);
        }
    }
    networks
}

fn heads() -> Vec<HeadSpec> {
    vec![
        HeadSpec { name: "price_prediction".into(), kind: HeadKind::Regression { outputs: 3 } },
        HeadSpec {
            name: "regime_detection".into(),
            kind: HeadKind::Classification { horizons: 2, classes: 4 },
        },
    ]
}

/// The network called `name` with its inputs, for each row of the table.
fn for_each_network(check: impl Fn(&str, &dyn Network, &[Tensor])) {
    // The tests run side by side already.
    set_threads(1).unwrap();
    for (name, spec) in networks() {
        let network = build(&spec, 1, Device::Cpu).unwrap();
        check(&name, network.as_ref(), &inputs(&spec));
    }
}

/// `[BATCH, time, feature]` per timeframe, without a pattern, the same every time.
pub(crate) fn inputs(spec: &NetworkSpec) -> Vec<Tensor> {
    let window = |(timeframe, shape): (usize, &InputShape)| {
        let count = BATCH * (shape.length * shape.features) as i64;
        let steps = Tensor::arange(count, (Kind::Float, Device::Cpu)) + timeframe as f64 * 1000.0;
        (steps.square() * 0.37).sin().reshape([BATCH, shape.length as i64, shape.features as i64])
    };
    spec.inputs.iter().enumerate().map(window).collect()
}

pub(crate) fn all_outputs(network: &dyn Network, inputs: &[Tensor], mode: Mode) -> Vec<f32> {
    let outputs = network.forward(inputs, mode).unwrap();
    let flat = [&outputs.features].into_iter().chain(&outputs.heads).map(|tensor| tensor.flatten(0, -1));
    Vec::try_from(Tensor::cat(&flat.collect::<Vec<_>>(), 0)).unwrap()
}

#[test]
fn outputs_have_the_shapes_the_spec_says() {
    for_each_network(|name, network, inputs| {
        let outputs = network.forward(inputs, Mode::Evaluate).unwrap();
        assert_eq!(outputs.features.size(), [BATCH, 16], "{name}");
        let shapes: Vec<_> = outputs.heads.iter().map(Tensor::size).collect();
        assert_eq!(shapes, [[BATCH, 3], [BATCH, 8]], "{name}");
    });
}

#[test]
fn evaluation_repeats_itself_and_ignores_batch_mates() {
    for_each_network(|name, network, inputs| {
        let together = network.forward(inputs, Mode::Evaluate).unwrap();
        assert_eq!(together.features, network.forward(inputs, Mode::Evaluate).unwrap().features, "{name}");
        for row in 0..BATCH {
            let alone: Vec<Tensor> = inputs.iter().map(|input| input.narrow(0, row, 1)).collect();
            let alone = network.forward(&alone, Mode::Evaluate).unwrap();
            for (alone, together) in alone.heads.iter().zip(&together.heads) {
                let read = |tensor: Tensor| Vec::<f32>::try_from(tensor.flatten(0, -1)).unwrap();
                assert_close(&read(alone.get(0)), &read(together.get(row)), 1e-6);
            }
        }
    });
}

#[test]
fn every_timeframe_counts() {
    for_each_network(|name, network, inputs| {
        let reference = all_outputs(network, inputs, Mode::Evaluate);
        for timeframe in 0..inputs.len() {
            let mut others: Vec<Tensor> = inputs.iter().map(Tensor::shallow_clone).collect();
            others[timeframe] = &others[timeframe] * -1.0;
            assert_ne!(all_outputs(network, &others, Mode::Evaluate), reference, "{name}: {timeframe}");
        }
    });
}

#[test]
fn inputs_in_another_layout_count_by_position() {
    for_each_network(|name, network, inputs| {
        let strided: Vec<Tensor> =
            inputs.iter().map(|input| input.transpose(1, 2).contiguous().transpose(1, 2)).collect();
        assert!(!strided[0].is_contiguous(), "{name}");
        let expected = all_outputs(network, inputs, Mode::Evaluate);
        assert_close(&all_outputs(network, &strided, Mode::Evaluate), &expected, 1e-6);
    });
}

#[test]
fn training_depends_on_every_number_of_the_mode() {
    for_each_network(|name, network, inputs| {
        let reference = all_outputs(network, inputs, TRAIN);
        assert_eq!(all_outputs(network, inputs, TRAIN), reference, "{name}: the same key, another output");
        for other in [
            Mode::Train { seed: 12, cursor: 5, rank: 0, first: 0 },
            Mode::Train { seed: 11, cursor: 6, rank: 0, first: 0 },
            Mode::Train { seed: 11, cursor: 5, rank: 1, first: 0 },
            Mode::Evaluate,
        ] {
            assert_ne!(all_outputs(network, inputs, other), reference, "{name}: {other:?}");
        }
    });
}

#[test]
fn every_parameter_is_named_once_and_gets_a_gradient() {
    for_each_network(|name, network, inputs| {
        let names: BTreeSet<&str> = network.parameters().iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), network.parameters().len(), "{name}");
        let outputs = network.forward(inputs, TRAIN).unwrap();
        let total: Tensor = outputs.heads.iter().map(|head| head.square().sum(Kind::Float)).sum();
        total.backward();
        for (parameter, tensor) in network.parameters().iter() {
            let gradient = tensor.grad();
            assert!(gradient.defined(), "{name}: {parameter} has no gradient");
            assert_eq!(gradient.size(), tensor.size(), "{name}: {parameter}");
            assert_ne!(gradient.abs().sum(Kind::Double).double_value(&[]), 0.0, "{name}: {parameter}");
        }
    });
}

#[test]
fn one_batch_can_be_learned_by_heart() {
    for_each_network(|name, network, inputs| {
        let targets: Vec<Tensor> = network
            .forward(inputs, Mode::Evaluate)
            .unwrap()
            .heads
            .iter()
            .map(|head| {
                (Tensor::arange(head.numel() as i64, (Kind::Float, Device::Cpu)) * 1.7).sin().reshape_as(head)
            })
            .collect();
        let parameters = network.parameters().tensors();
        let zeros = |tensor: &&Tensor| tensor.zeros_like().detach();
        let first: Vec<Tensor> = parameters.iter().map(zeros).collect();
        let second: Vec<Tensor> = parameters.iter().map(zeros).collect();
        let steps: Vec<Tensor> =
            parameters.iter().map(|_| Tensor::zeros([], (Kind::Float, Device::Cpu))).collect();
        let update = AdamW { learning_rate: 5e-3, ..AdamW::default() };
        let step = || {
            let outputs = network.forward(inputs, Mode::Evaluate).unwrap();
            let losses = outputs
                .heads
                .iter()
                .zip(&targets)
                .map(|(head, target)| head.mse_loss(target, tch::Reduction::Mean));
            let loss: Tensor = losses.sum();
            let gradients = Tensor::run_backward(&[&loss], &parameters, false, false);
            let gradients: Vec<&Tensor> = gradients.iter().collect();
            adamw_step(&parameters, &gradients, &first, &second, &steps, &update, None).unwrap();
            loss.double_value(&[])
        };
        let start = step();
        let end = (0..200).fold(start, |_, _| step());
        assert!(end < 0.01 * start, "{name}: the loss went from {start} to {end}");
    });
}

#[test]
fn what_does_not_fit_at_the_door_is_named() {
    for_each_network(|name, network, inputs| {
        let refused = |inputs: &[Tensor]| network.forward(inputs, Mode::Evaluate).unwrap_err();
        let copies = || inputs.iter().map(Tensor::shallow_clone).collect::<Vec<_>>();
        let last = inputs.len() - 1;

        let error = refused(&inputs[1..]);
        assert!(matches!(error, ModelError::InputCount { .. }), "{name}: {error}");

        for wrong in [
            inputs[last].narrow(1, 1, inputs[last].size()[1] - 1),
            inputs[last].narrow(2, 1, inputs[last].size()[2] - 1),
            inputs[last].get(0),
            inputs[last].narrow(0, 0, 0),
        ] {
            let mut inputs = copies();
            let shape = wrong.size();
            inputs[last] = wrong;
            let error = refused(&inputs);
            let named = matches!(&error, ModelError::InputShape { timeframe, found, .. } if *timeframe == last && *found == shape);
            assert!(named, "{name}: {error}");
        }

        let mut inputs = copies();
        inputs[last] = inputs[last].to_kind(Kind::Double);
        let error = refused(&inputs);
        assert!(matches!(error, ModelError::InputKind { found: Kind::Double, .. }), "{name}: {error}");
    });
}

#[test]
fn windows_may_be_shorter_while_a_network_learns_and_then_only() {
    let learning = Mode::Train { seed: 1, cursor: 0, rank: 0, first: 0 };
    for_each_network(|name, network, inputs| {
        for bars in [1, 3] {
            let newest = |input: &Tensor| input.narrow(1, input.size()[1] - bars, bars);
            let short: Vec<Tensor> = inputs.iter().map(newest).collect();
            let outputs = network.forward(&short, learning).unwrap();
            assert!(outputs.heads.iter().all(|head| head.size()[0] == BATCH), "{name}");
            assert!(network.forward(&short, Mode::Evaluate).is_err(), "{name}");
        }
        let none: Vec<Tensor> = inputs.iter().map(|input| input.narrow(1, 0, 0)).collect();
        let twice: Vec<Tensor> = inputs.iter().map(|input| Tensor::cat(&[input, input], 1)).collect();
        for wrong in [none, twice] {
            let error = network.forward(&wrong, learning).unwrap_err();
            assert!(matches!(error, ModelError::InputShape { .. }), "{name}: {error}");
        }
    });
}

#[test]
fn batches_of_one_network_have_one_size() {
    let (_, spec) = networks().remove(0);
    let network = build(&spec, 1, Device::Cpu).unwrap();
    let mut inputs = inputs(&spec);
    inputs[1] = inputs[1].narrow(0, 0, BATCH - 1);
    let error = network.forward(&inputs, Mode::Evaluate).unwrap_err();
    assert_eq!(
        error.to_string(),
        "input of timeframe 1 has shape [5, 10, 4], expected [batch, time, feature] = [6, 10, 4]"
    );
}
