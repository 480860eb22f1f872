//! A replica is the same network for another thread: shared weights, gradients of its own.

use std::thread;

use tapeline_models::{Mode, Network, build, weights_to_bytes};
use tapeline_torch_ext::set_threads;
use tch::{Device, Kind, Tensor};

use crate::contract::{BATCH, all_outputs, inputs, networks};

const TRAIN: Mode = Mode::Train { seed: 3, cursor: 8, rank: 0, first: 0 };
/// How often two threads run side by side, so that they meet in more than one place.
const ROUNDS: u64 = 8;

fn for_each_pair(check: impl Fn(&str, Box<dyn Network>, Box<dyn Network>, Vec<Tensor>)) {
    set_threads(1).unwrap();
    for (name, spec) in networks() {
        let network = build(&spec, 1, Device::Cpu).unwrap();
        let replica = network.replicate().unwrap();
        check(&name, network, replica, inputs(&spec));
    }
}

/// The gradients of a scalar of `network`'s heads, in the order of its parameters, as numbers.
fn gradients(network: &dyn Network, inputs: &[Tensor], mode: Mode) -> Vec<Vec<f32>> {
    let outputs = network.forward(inputs, mode).unwrap();
    let total: Tensor = outputs.heads.iter().map(|head| head.square().sum(Kind::Float)).sum();
    let parameters = network.parameters().tensors();
    let gradients = Tensor::run_backward(&[&total], &parameters, false, false);
    gradients.iter().map(|gradient| Vec::try_from(gradient.flatten(0, -1)).unwrap()).collect()
}

fn half(inputs: &[Tensor], which: i64) -> Vec<Tensor> {
    inputs.iter().map(|input| input.narrow(0, which * BATCH / 2, BATCH / 2)).collect()
}

#[test]
fn a_replica_says_what_the_network_says() {
    for_each_pair(|name, network, replica, inputs| {
        assert_eq!(replica.spec(), network.spec(), "{name}");
        assert!(
            replica
                .parameters()
                .iter()
                .map(|(name, _)| name)
                .eq(network.parameters().iter().map(|(name, _)| name)),
            "{name}: other weights"
        );
        for mode in [Mode::Evaluate, TRAIN] {
            let expected = all_outputs(network.as_ref(), &inputs, mode);
            assert!(all_outputs(replica.as_ref(), &inputs, mode) == expected, "{name}: {mode:?}");
        }
    });
}

#[test]
fn what_is_written_into_the_weights_is_seen_by_the_replica() {
    for_each_pair(|name, network, replica, inputs| {
        let before = all_outputs(replica.as_ref(), &inputs, Mode::Evaluate);
        tch::no_grad(|| {
            for tensor in network.parameters().tensors() {
                let _ = tensor.shallow_clone().g_mul_scalar_(1.5);
            }
        });
        assert!(
            weights_to_bytes(replica.parameters()).unwrap()
                == weights_to_bytes(network.parameters()).unwrap(),
            "{name}: the weights went apart"
        );
        let after = all_outputs(replica.as_ref(), &inputs, Mode::Evaluate);
        assert!(after != before && after == all_outputs(network.as_ref(), &inputs, Mode::Evaluate), "{name}");
    });
}

#[test]
fn each_has_gradients_of_its_own() {
    for_each_pair(|name, network, replica, inputs| {
        let outputs = replica.forward(&inputs, TRAIN).unwrap();
        outputs.heads[0].sum(Kind::Float).backward();
        for ((parameter, tensor), ours) in network.parameters().iter().zip(replica.parameters().tensors()) {
            assert!(!tensor.grad().defined(), "{name}: {parameter} got a gradient from the replica's pass");
            assert!(ours.requires_grad() && ours.is_leaf(), "{name}: {parameter}");
        }
    });
}

#[test]
fn two_threads_at_once_find_the_gradients_of_one_after_the_other() {
    for_each_pair(|name, network, replica, inputs| {
        let [first, second] = [half(&inputs, 0), half(&inputs, 1)];
        let mode = |round| Mode::Train { seed: 3, cursor: round, rank: 0, first: 0 };
        let run = |network: &dyn Network, inputs: &[Tensor]| -> Vec<_> {
            (0..ROUNDS).map(|round| gradients(network, inputs, mode(round))).collect()
        };
        let expected = (run(network.as_ref(), &first), run(network.as_ref(), &second));
        let elsewhere = thread::spawn(move || {
            set_threads(1).unwrap();
            (0..ROUNDS).map(|round| gradients(replica.as_ref(), &second, mode(round))).collect::<Vec<_>>()
        });
        let here = run(network.as_ref(), &first);
        assert!(here == expected.0, "{name}: the first half");
        assert!(elsewhere.join().unwrap() == expected.1, "{name}: the second half");
    });
}
