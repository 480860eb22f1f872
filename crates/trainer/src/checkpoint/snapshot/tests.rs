use tapeline_models::Network;
use tch::Tensor;

use super::Snapshot;
use crate::small_network;
use crate::state::State;

/// The optimiser's tensors of a step.
fn moments() -> Vec<(String, Tensor)> {
    vec![("first_moment/a".into(), Tensor::from_slice(&[1.0_f32, 2.0]))]
}

fn take(network: &dyn Network, moments: &[(String, Tensor)]) -> Snapshot {
    let named = moments.iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone()));
    Snapshot::take(&State::fresh(small_network::lineage()), network, named.collect()).unwrap()
}

#[test]
fn what_a_snapshot_holds_does_not_change_when_the_training_goes_on() {
    let (network, moments) = (small_network::network(), moments());
    let snapshot = take(network.as_ref(), &moments);
    let before = snapshot.files().unwrap();
    let _no_grad = tch::no_grad_guard();
    for tensor in network.parameters().tensors().into_iter().chain(moments.iter().map(|(_, it)| it)) {
        let _ = tensor.shallow_clone().f_add_scalar_(1.0).unwrap();
    }
    assert!(snapshot.files().unwrap() == before, "the snapshot has moved with the training");
    let later = take(network.as_ref(), &moments).files().unwrap();
    for ((name, bytes), (_, earlier)) in later.iter().zip(&before).take(2) {
        assert!(bytes != earlier, "{name} does not hold what has changed");
    }
}
