//! Updates against PyTorch's (`tests/golden/optimizer.json`, made by `scripts/golden_trainer.py`), and state that survives.

use serde::Deserialize;
use tapeline_artefact::{tensors_from_bytes, tensors_to_bytes};
use tapeline_models::Network;
use tapeline_testkit::assert_close;
use tch::{Device, Kind, Tensor};

use super::{Learned, Optimizer, decaying_parameters, learned, restore};
use crate::error::TrainError;
use crate::small_network;
use crate::spec::{AdamSpec, DecaySpec, OptimizerSpec, PartRatesSpec, SgdSpec};

/// Five steps in single precision.
const TOLERANCE: f64 = 1e-6;

#[derive(Deserialize)]
struct Case {
    optimizer: OptimizerSpec,
    shapes: Vec<Vec<i64>>,
    start: Vec<Vec<f32>>,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    rate: f64,
    gradients: Vec<Vec<f32>>,
    parameters: Vec<Vec<f32>>,
}

fn numbers(tensor: &Tensor) -> Vec<f32> {
    Vec::try_from(tensor.detach().reshape([-1])).unwrap()
}

fn all(parameters: &[Tensor]) -> Vec<&Tensor> {
    parameters.iter().collect()
}

#[test]
fn five_steps_are_those_of_pytorch() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../../tests/golden/optimizer.json")).unwrap();
    assert_eq!(cases.len(), 7);
    for case in cases {
        let tensors = |lists: &[Vec<f32>]| -> Vec<Tensor> {
            let shaped = lists.iter().zip(&case.shapes);
            shaped.map(|(list, shape)| Tensor::from_slice(list).reshape(shape)).collect()
        };
        let parameters = tensors(&case.start);
        let decay = case.optimizer.decay();
        let learned: Vec<Learned<'_>> = parameters
            .iter()
            .map(|tensor| Learned {
                name: "",
                tensor,
                decays: decay.covers(&tensor.size()),
                rate_factor: 1.0,
            })
            .collect();
        let mut optimizer = Optimizer::new(&case.optimizer, &learned).unwrap();
        for step in &case.steps {
            let gradients = tensors(&step.gradients);
            optimizer.step(&all(&parameters), &all(&gradients), step.rate, None).unwrap();
            for (parameter, expected) in parameters.iter().zip(&step.parameters) {
                assert_close(&numbers(parameter), expected, TOLERANCE);
            }
        }
    }
}

fn every_kind() -> [OptimizerSpec; 4] {
    [
        OptimizerSpec::Adamw(AdamSpec::default()),
        OptimizerSpec::Adam(AdamSpec::default()),
        OptimizerSpec::Sgd(SgdSpec::default()),
        OptimizerSpec::Sgd(SgdSpec { momentum: 0.0, nesterov: false, ..SgdSpec::default() }),
    ]
}

fn fresh(spec: &OptimizerSpec, network: &dyn Network) -> Optimizer {
    Optimizer::new(spec, &learned(spec, &PartRatesSpec::default(), network.parameters()).collect::<Vec<_>>())
        .unwrap()
}

fn state(optimizer: &Optimizer, network: &dyn Network) -> Vec<(String, Tensor)> {
    optimizer.named(
        &learned(optimizer.spec(), &PartRatesSpec::default(), network.parameters()).collect::<Vec<_>>(),
    )
}

fn go(optimizer: &mut Optimizer, network: &dyn Network) {
    let parameters = network.parameters().tensors();
    let gradients: Vec<Tensor> = parameters.iter().map(|tensor| tensor.detach() * 0.5).collect();
    optimizer.step(&parameters, &all(&gradients), 1e-3, None).unwrap();
}

#[test]
fn state_survives_a_file() {
    for spec in every_kind() {
        let network = small_network::network();
        let mut optimizer = fresh(&spec, network.as_ref());
        go(&mut optimizer, network.as_ref());
        let saved = tensors_to_bytes(&state(&optimizer, network.as_ref())).unwrap();
        let other = fresh(&spec, network.as_ref());
        restore(state(&other, network.as_ref()), &tensors_from_bytes(&saved).unwrap()).unwrap();
        assert_eq!(tensors_to_bytes(&state(&other, network.as_ref())).unwrap(), saved, "{spec:?}");
    }
}

#[test]
fn each_part_of_the_state_is_saved_under_the_name_of_its_weight() {
    let network = small_network::network();
    for (spec, parts) in every_kind().iter().zip([
        &["first_moment", "second_moment", "step"][..],
        &["first_moment", "second_moment", "step"],
        &["momentum"],
        &[],
    ]) {
        let names = network.parameters().iter().map(|(name, _)| name);
        let mut expected: Vec<String> =
            names.flat_map(|name| parts.iter().map(move |part| format!("{part}/{name}"))).collect();
        let optimizer = fresh(spec, network.as_ref());
        let mut found: Vec<String> =
            state(&optimizer, network.as_ref()).into_iter().map(|(name, _)| name).collect();
        expected.sort();
        found.sort();
        assert_eq!(found, expected, "{spec:?}");
    }
}

#[test]
fn state_of_another_network_is_refused_and_nothing_changes() {
    let network = small_network::network();
    let spec = OptimizerSpec::default();
    let mut optimizer = fresh(&spec, network.as_ref());
    go(&mut optimizer, network.as_ref());
    let mut saved = state(&optimizer, network.as_ref());
    let name = saved[3].0.clone();

    let refusal = |saved: &[(String, Tensor)]| {
        let other = fresh(&spec, network.as_ref());
        let refused = restore(state(&other, network.as_ref()), saved).unwrap_err();
        let is_fresh = |(_, tensor): &(String, Tensor)| tensor.abs().max().double_value(&[]) == 0.0;
        assert!(state(&other, network.as_ref()).iter().all(is_fresh));
        let TrainError::OptimizerState { name, found } = refused else { panic!("{refused}") };
        (name, found)
    };
    let right = std::mem::replace(&mut saved[3].1, Tensor::zeros([2, 99], (Kind::Float, Device::Cpu)));
    assert_eq!(refusal(&saved), (name.clone(), "a tensor of shape [2, 99]".into()));
    saved[3].1 = right;
    saved.push(("step/nobody".into(), Tensor::zeros([0_i64; 0], (Kind::Float, Device::Cpu))));
    assert_eq!(refusal(&saved), ("step/nobody".into(), "of no parameter of this network".into()));
    saved.pop();
    drop(saved.remove(3));
    assert_eq!(refusal(&saved), (name, "missing".into()));
}

#[test]
fn biases_norms_and_queries_do_not_decay() {
    let network = small_network::network();
    let spec = OptimizerSpec::default();
    let mut decaying = 0;
    for Learned { name, tensor, decays, .. } in
        learned(&spec, &PartRatesSpec::default(), network.parameters())
    {
        let is_vector = tensor.dim() == 1 || name.ends_with(".q");
        assert_eq!(decays, !is_vector, "{name} {:?}", tensor.size());
        assert!(!(decays && name.contains("bias")), "{name}");
        decaying += if decays { tensor.numel() } else { 0 };
    }
    let of = |spec| decaying_parameters(&OptimizerSpec::Adamw(spec), network.parameters());
    assert_eq!(of(AdamSpec::default()), decaying);
    assert_eq!(of(AdamSpec { decay: DecaySpec::All, ..AdamSpec::default() }), network.parameters().count());
    assert_eq!(of(AdamSpec { weight_decay: 0.0, ..AdamSpec::default() }), 0);
    assert!(decaying > 0 && decaying < network.parameters().count());
}

#[test]
fn parts_learn_at_rates_of_their_own_and_not_at_all_at_none() {
    let rates = PartRatesSpec { cnn: 0.0, lstm: 0.5, fusion: 1.0, heads: 2.0 };
    for spec in every_kind() {
        let way = |rates: &PartRatesSpec| {
            let network = small_network::network();
            let parameters = network.parameters();
            let before: Vec<Vec<f32>> = parameters.tensors().into_iter().map(numbers).collect();
            let mut optimizer =
                Optimizer::new(&spec, &learned(&spec, rates, parameters).collect::<Vec<_>>()).unwrap();
            go(&mut optimizer, network.as_ref());
            let after = parameters.iter().zip(before);
            let ways = after.map(|((name, tensor), before)| {
                let moved =
                    numbers(tensor).iter().zip(before).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>();
                (PartRatesSpec::part_of(name), moved.sqrt())
            });
            ways.collect::<Vec<_>>()
        };
        for ((part, way), (_, whole)) in way(&rates).into_iter().zip(way(&PartRatesSpec::default())) {
            let (_, factor) = rates.factors().into_iter().find(|(key, _)| *key == part).unwrap();
            assert!((way - factor * whole).abs() <= 2e-3 * whole, "{spec:?}, {part}: {way} of {whole}");
        }
    }
}
