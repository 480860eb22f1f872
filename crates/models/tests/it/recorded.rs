//! A pass that PyTorch recorded, repeated here. `examples/forward.rs` uses this file too.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use safetensors::{Dtype, SafeTensors};
use tapeline_models::{Mode, NetworkSpec, build};
use tch::{Device, Kind, Tensor};

/// Tensors by name.
pub(crate) type Tensors = BTreeMap<String, Tensor>;

/// The spec and the tensors of a file that `scripts/golden_networks.py` describes.
pub(crate) fn read(path: &Path) -> Result<(NetworkSpec, Tensors), Box<dyn Error>> {
    let bytes = std::fs::read(path)?;
    let (_, header) = SafeTensors::read_metadata(&bytes)?;
    let words = header.metadata().as_ref().ok_or("the file has no metadata")?;
    let spec = serde_json::from_str(words.get("spec").ok_or("the metadata has no spec")?)?;
    let mut tensors = Tensors::new();
    for (name, view) in SafeTensors::deserialize(&bytes)?.tensors() {
        if view.dtype() != Dtype::F32 {
            return Err(format!("{name} holds {}", view.dtype()).into());
        }
        let shape: Vec<i64> = view.shape().iter().map(|&size| size as i64).collect();
        tensors.insert(name, Tensor::f_from_data_size(view.data(), &shape, Kind::Float)?);
    }
    Ok((spec, tensors))
}

/// Runs the recorded weights on the recorded inputs; returns outputs and gradients under the names the file uses for them.
pub(crate) fn repeat(spec: &NetworkSpec, recorded: &Tensors) -> Result<Tensors, Box<dyn Error>> {
    let part = |name: String| recorded.get(&name).ok_or_else(|| format!("the file has no {name}"));
    let network = build(spec, 0, Device::Cpu)?;
    for (name, parameter) in network.parameters().iter() {
        tch::no_grad(|| {
            parameter.shallow_clone().f_copy_(part(format!("weight/{name}"))?).map_err(Box::<dyn Error>::from)
        })?;
    }
    let weights = recorded.keys().filter(|name| name.starts_with("weight/")).count();
    if weights != network.parameters().len() {
        return Err(
            format!("the file has {weights} weights, the network {}", network.parameters().len()).into()
        );
    }
    let inputs: Vec<Tensor> = (0..spec.inputs.len())
        .map(|timeframe| Ok(part(format!("input/{timeframe}"))?.shallow_clone()))
        .collect::<Result<_, String>>()?;

    let outputs = network.forward(&inputs, Mode::Evaluate)?;
    let mut results = Tensors::from([("output/features".to_owned(), outputs.features.detach())]);
    let mut total = Tensor::zeros([], (Kind::Float, Device::Cpu));
    for (head, output) in spec.heads.iter().zip(&outputs.heads) {
        total += (output * part(format!("upstream/{}", head.name))?).sum(Kind::Float);
        results.insert(format!("output/{}", head.name), output.detach());
    }
    total.f_backward()?;
    for (name, parameter) in network.parameters().iter() {
        let gradient = parameter.f_grad()?;
        if !gradient.defined() {
            return Err(format!("{name} has no gradient").into());
        }
        results.insert(format!("gradient/{name}"), gradient);
    }
    Ok(results)
}
