//! Weights as bytes, for every network of the contract.

use std::collections::{BTreeMap, HashMap};

use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use tapeline_models::{
    ModelError, Network, WeightFault, build, load_weights, save_weights, weights_from_bytes, weights_to_bytes,
};
use tch::Device;

use crate::contract::networks;

fn for_each_network(check: impl Fn(&str, &dyn Network)) {
    for (name, spec) in networks() {
        check(&name, build(&spec, 1, Device::Cpu).unwrap().as_ref());
    }
}

/// What a file of weights holds, open to changes.
struct Contents {
    words: HashMap<String, String>,
    tensors: BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)>,
}

impl Contents {
    fn of(bytes: &[u8]) -> Self {
        let (_, header) = SafeTensors::read_metadata(bytes).unwrap();
        let words = header.metadata().clone().unwrap();
        let tensors = SafeTensors::deserialize(bytes)
            .unwrap()
            .iter()
            .map(|(name, view)| {
                (name.to_owned(), (view.dtype(), view.shape().to_vec(), view.data().to_vec()))
            })
            .collect();
        Self { words, tensors }
    }

    fn bytes(&self) -> Vec<u8> {
        let views = self.tensors.iter().map(|(name, (dtype, shape, data))| {
            (name.as_str(), TensorView::new(*dtype, shape.clone(), data).unwrap())
        });
        safetensors::serialize(views, Some(self.words.clone())).unwrap()
    }
}

/// What loading says to the file of `network` after `change`; the network must be as it was.
fn refusal(network: &dyn Network, change: impl FnOnce(&mut Contents)) -> ModelError {
    let before = weights_to_bytes(network.parameters()).unwrap();
    let mut contents = Contents::of(&before);
    change(&mut contents);
    let error = weights_from_bytes(network.parameters(), &contents.bytes()).unwrap_err();
    assert!(weights_to_bytes(network.parameters()).unwrap() == before, "a refused file changed the network");
    error
}

fn faults(error: ModelError) -> Vec<WeightFault> {
    match error {
        ModelError::WeightsMismatch { faults } => faults,
        other => unreachable!("{other}"),
    }
}

#[test]
fn saved_and_loaded_weights_are_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    for (name, spec) in networks() {
        let saved = build(&spec, 1, Device::Cpu).unwrap();
        let other = build(&spec, 2, Device::Cpu).unwrap();
        let bytes = weights_to_bytes(saved.parameters()).unwrap();
        assert!(
            bytes != weights_to_bytes(other.parameters()).unwrap(),
            "{name}: seeds give the same weights"
        );

        save_weights(saved.parameters(), &path).unwrap();
        assert!(std::fs::read(&path).unwrap() == bytes, "{name}: the file holds other bytes");
        load_weights(other.parameters(), &path).unwrap();
        assert!(
            weights_to_bytes(other.parameters()).unwrap() == bytes,
            "{name}: loading changed the weights"
        );
        assert!(other.parameters().tensors().iter().all(|tensor| tensor.requires_grad()), "{name}");
    }
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "a partial file was left behind");
}

#[test]
fn the_file_is_read_by_the_safetensors_crate() {
    for_each_network(|name, network| {
        let bytes = weights_to_bytes(network.parameters()).unwrap();
        let contents = Contents::of(&bytes);
        assert_eq!(contents.words["format"], "tapeline-weights", "{name}");
        assert_eq!(contents.tensors.len(), network.parameters().len(), "{name}");
        for (parameter, tensor) in network.parameters().iter() {
            let (dtype, shape, data) = &contents.tensors[parameter];
            let values: Vec<u8> = Vec::<f32>::try_from(tensor.detach().flatten(0, -1))
                .unwrap()
                .into_iter()
                .flat_map(f32::to_le_bytes)
                .collect();
            assert_eq!(*dtype, Dtype::F32, "{name}: {parameter}");
            assert!(shape.iter().map(|&size| size as i64).eq(tensor.size()), "{name}: {parameter}");
            assert!(*data == values, "{name}: {parameter}");
        }
    });
}

#[test]
fn another_format_or_version_is_refused() {
    for_each_network(|name, network| {
        let error = refusal(network, |file| {
            file.words.insert("version".into(), "2".into());
        });
        assert!(
            matches!(&error, ModelError::WeightsVersion { found: Some(found) } if found == "2"),
            "{name}: {error}"
        );
        let error = refusal(network, |file| {
            file.words.remove("format");
        });
        assert!(matches!(error, ModelError::WeightsFormat { found: None }), "{name}: {error}");
    });
}

#[test]
fn every_difference_is_named() {
    for_each_network(|_, network| {
        let names: Vec<&str> = network.parameters().iter().map(|(name, _)| name).collect();
        let head = names.iter().position(|name| *name == "price_prediction.weight").unwrap();
        let last_of_fusion = names[head - 1];
        let error = refusal(network, |file| {
            let bias = file.tensors.remove("price_prediction.bias").unwrap();
            file.tensors.insert("price.bias".into(), bias);
            file.tensors.get_mut("price_prediction.weight").unwrap().1.reverse();
            let norm = file.tensors.get_mut(last_of_fusion).unwrap();
            norm.0 = Dtype::I32;
        });
        assert_eq!(
            faults(error),
            [
                WeightFault::Kind { name: last_of_fusion.into(), found: "I32".into() },
                WeightFault::Shape {
                    name: "price_prediction.weight".into(),
                    expected: vec![3, 16],
                    found: vec![16, 3]
                },
                WeightFault::Missing { name: "price_prediction.bias".into() },
                WeightFault::Unexpected { name: "price.bias".into() },
            ]
        );
    });
}

#[test]
fn a_file_cut_short_or_absent_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let (_, spec) = networks().remove(0);
    let network = build(&spec, 1, Device::Cpu).unwrap();

    let error = load_weights(network.parameters(), &path).unwrap_err();
    assert!(matches!(error, ModelError::ReadWeights { .. }), "{error}");

    let bytes = weights_to_bytes(network.parameters()).unwrap();
    for length in [0, 7, 100, bytes.len() - 1] {
        std::fs::write(&path, &bytes[..length]).unwrap();
        let error = load_weights(network.parameters(), &path).unwrap_err();
        let ModelError::RefusedWeights { path: named, source } = error else { unreachable!("{error}") };
        assert_eq!(named, path);
        assert!(matches!(*source, ModelError::ParseWeights(_)), "{length} bytes: {source}");
    }
}
