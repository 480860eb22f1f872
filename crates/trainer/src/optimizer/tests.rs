//! Updates against PyTorch's (`tests/golden/adamw.json`, made by `scripts/golden_trainer.py`), and state that survives.

use serde::Deserialize;
use tapeline_artefact::{tensors_from_bytes, tensors_to_bytes};
use tapeline_testkit::assert_close;
use tch::{Kind, Tensor};

use super::Optimizer;
use crate::error::TrainError;
use crate::small_network;
use crate::spec::OptimizerSpec;

/// Ten steps in single precision.
const TOLERANCE: f64 = 1e-6;

#[derive(Deserialize)]
struct Golden {
    weight_decay: f64,
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

#[test]
fn ten_steps_are_those_of_pytorch() {
    let golden: Golden = serde_json::from_str(include_str!("../../tests/golden/adamw.json")).unwrap();
    let tensors = |lists: &[Vec<f32>]| -> Vec<Tensor> {
        lists
            .iter()
            .zip(&golden.shapes)
            .map(|(list, shape)| Tensor::from_slice(list).reshape(shape))
            .collect()
    };
    let parameters = tensors(&golden.start);
    let parameters: Vec<&Tensor> = parameters.iter().collect();
    let spec = OptimizerSpec { weight_decay: golden.weight_decay, ..OptimizerSpec::default() };
    let mut optimizer = Optimizer::new(&spec, &parameters).unwrap();
    for step in &golden.steps {
        let gradients = tensors(&step.gradients);
        optimizer.step(&parameters, &gradients.iter().collect::<Vec<_>>(), step.rate).unwrap();
        for (parameter, expected) in parameters.iter().zip(&step.parameters) {
            assert_close(&numbers(parameter), expected, TOLERANCE);
        }
    }
}

/// A network and an optimiser that has made a step.
fn moved() -> (Box<dyn tapeline_models::Network>, Optimizer) {
    let network = small_network::network();
    let parameters = network.parameters().tensors();
    let mut optimizer = Optimizer::new(&OptimizerSpec::default(), &parameters).unwrap();
    let gradients: Vec<Tensor> = parameters.iter().map(|tensor| tensor.detach() * 0.5).collect();
    tch::no_grad(|| optimizer.step(&parameters, &gradients.iter().collect::<Vec<_>>(), 1e-3)).unwrap();
    drop(parameters);
    (network, optimizer)
}

#[test]
fn state_survives_a_file() {
    let (network, optimizer) = moved();
    let saved = tensors_to_bytes(&optimizer.named(network.parameters())).unwrap();
    let mut fresh = Optimizer::new(&OptimizerSpec::default(), &network.parameters().tensors()).unwrap();
    fresh.restore(network.parameters(), &tensors_from_bytes(&saved).unwrap()).unwrap();
    assert_eq!(tensors_to_bytes(&fresh.named(network.parameters())).unwrap(), saved);
    assert!(fresh.steps.iter().all(|count| count.double_value(&[]) == 1.0));
}

#[test]
fn state_of_another_network_is_refused_and_nothing_changes() {
    let (network, optimizer) = moved();
    let parameters = network.parameters();
    let mut state = optimizer.named(parameters);
    let name = state[3].0.clone();

    let refusal = |state: &[(String, Tensor)]| {
        let mut fresh = Optimizer::new(&OptimizerSpec::default(), &parameters.tensors()).unwrap();
        let refused = fresh.restore(parameters, state).unwrap_err();
        assert!(fresh.steps.iter().all(|count| count.double_value(&[]) == 0.0));
        let TrainError::OptimizerState { name, found } = refused else { panic!("{refused}") };
        (name, found)
    };
    let right = std::mem::replace(&mut state[3].1, Tensor::zeros([2, 99], (Kind::Float, tch::Device::Cpu)));
    assert_eq!(refusal(&state), (name.clone(), "a tensor of shape [2, 99]".into()));
    state[3].1 = right;
    state.push(("step/nobody".into(), Tensor::zeros([0_i64; 0], (Kind::Float, tch::Device::Cpu))));
    assert_eq!(refusal(&state), ("step/nobody".into(), "of no parameter of this network".into()));
    state.pop();
    drop(state.remove(3));
    assert_eq!(refusal(&state), (name, "missing".into()));
}
