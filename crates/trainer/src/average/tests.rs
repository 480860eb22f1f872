//! The average against PyTorch's `AveragedModel` (`tests/golden/average.json`, made by `scripts/golden_trainer.py`).

use serde::Deserialize;
use tapeline_models::{Network, weights_to_bytes};
use tapeline_testkit::assert_close;
use tch::{Device, Kind, Tensor};

use super::{Average, copies, decay_at, put, put_saved};
use crate::error::TrainError;
use crate::small_network;
use crate::spec::AverageSpec;

#[derive(Deserialize)]
struct Case {
    decay: f64,
    start: Vec<f32>,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    weight: Vec<f32>,
    average: Vec<f32>,
}

/// The first numbers of the first weight are those of the golden file.
fn set(network: &dyn Network, values: &[f32]) {
    let first = network.parameters().tensors()[0];
    tch::no_grad(|| first.reshape([-1]).narrow(0, 0, values.len() as i64).copy_(&Tensor::from_slice(values)));
}

fn first(tensor: &Tensor, count: usize) -> Vec<f32> {
    Vec::try_from(tensor.detach().reshape([-1]).narrow(0, 0, count as i64)).unwrap()
}

#[test]
fn the_average_is_that_of_pytorch() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../../tests/golden/average.json")).unwrap();
    for case in cases {
        let network = small_network::network();
        set(network.as_ref(), &case.start);
        let parameters = network.parameters();
        let mut average = Average::new(&AverageSpec { decay: case.decay }, parameters).unwrap();
        for (number, step) in case.steps.iter().enumerate() {
            set(network.as_ref(), &step.weight);
            // Whether the host or the device knows that it was no skip.
            let flag = Tensor::zeros([0_i64; 0], (Kind::Float, Device::Cpu));
            let flag = (number % 2 == 0).then_some(&flag);
            average.follow(parameters, number + 1, flag).unwrap();
            assert_close(&first(&average.tensors[0], step.average.len()), &step.average, 1e-6);
        }
        let before = copies(&average.tensors.iter().collect::<Vec<_>>()).unwrap();
        let skipped = Tensor::ones([0_i64; 0], (Kind::Float, Device::Cpu));
        average.follow(parameters, 99, Some(&skipped)).unwrap();
        assert!(before.iter().zip(&average.tensors).all(|(one, other)| one.equal(other)), "a skip moved it");
    }
    assert_eq!((decay_at(0.999, 1), decay_at(0.999, 1_000_000)), (2.0 / 11.0, 0.999));
}

#[test]
fn it_takes_the_networks_place_for_as_long_as_it_is_asked_to() {
    let network = small_network::network();
    let bytes = || weights_to_bytes(network.parameters()).unwrap();
    let average = Average::new(&AverageSpec::default(), network.parameters()).unwrap();
    let start = bytes();
    let tensors = network.parameters().tensors();
    let doubled: Vec<Tensor> = tensors.iter().map(|tensor| tensor.detach() * 2.0).collect();
    put(&doubled, &tensors).unwrap();
    let own = bytes();
    let (inside, failed) = (
        average.in_place(network.as_ref(), || Ok(bytes())),
        average.in_place(network.as_ref(), || Err::<(), _>(TrainError::WorkerEnded)),
    );
    assert_eq!(inside.unwrap(), start);
    assert!(failed.is_err());
    assert_eq!(bytes(), own);
    average.put_into(network.as_ref()).unwrap();
    assert_eq!(bytes(), start);
}

#[test]
fn what_was_saved_is_found_by_name_and_what_is_missing_named() {
    let network = small_network::network();
    let average = Average::new(&AverageSpec::default(), network.parameters()).unwrap();
    let mut saved = average.named(network.parameters());
    put_saved(&saved, network.as_ref()).unwrap();
    put_saved(&[], network.as_ref()).unwrap();
    let (name, _) = saved.remove(1);
    match put_saved(&saved, network.as_ref()) {
        Err(TrainError::OptimizerState { name: named, .. }) => assert_eq!(named, name),
        other => panic!("not refused: {other:?}"),
    }
}
