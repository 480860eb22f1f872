//! Weights as bytes: safetensors with two words of metadata, the same bytes for the same weights.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use safetensors::{Dtype, SafeTensors};
use serde_json::{Map, Value, json};
use tch::{Device, Kind, Tensor};

use crate::error::{ModelError, WeightFault};
use crate::parameters::Parameters;

const FORMAT: &str = "tapeline-weights";
const VERSION: &str = "1";

/// The data of a safetensors file starts at a multiple of this many bytes.
const ALIGNMENT: usize = 8;

const _: () = assert!(
    cfg!(target_endian = "little"),
    "safetensors are little-endian, and tensors are copied as they lie"
);

/// Writes the weights to `path`, which is the old file or the whole new one, never half of it.
///
/// # Errors
/// When a weight cannot be copied from its device, or the file cannot be written.
pub fn save_weights(parameters: &Parameters, path: &Path) -> Result<(), ModelError> {
    let bytes = weights_to_bytes(parameters)?;
    replace_file(path, &bytes).map_err(|source| ModelError::WriteWeights { path: path.to_owned(), source })
}

/// Reads weights that [`save_weights`] wrote into the network's own tensors.
///
/// # Errors
/// When the file cannot be read, is not whole, has another version, or belongs to another network; nothing has changed then.
pub fn load_weights(parameters: &Parameters, path: &Path) -> Result<(), ModelError> {
    let bytes = fs::read(path).map_err(|source| ModelError::ReadWeights { path: path.to_owned(), source })?;
    weights_from_bytes(parameters, &bytes)
        .map_err(|source| ModelError::RefusedWeights { path: path.to_owned(), source: Box::new(source) })
}

/// The weights as a safetensors file, in the order of `parameters`.
///
/// # Errors
/// When a weight cannot be copied from its device.
pub fn weights_to_bytes(parameters: &Parameters) -> Result<Vec<u8>, ModelError> {
    let mut header = Map::new();
    header.insert("__metadata__".into(), json!({ "format": FORMAT, "version": VERSION }));
    let mut data = vec![0; parameters.count() * size_of::<f32>()];
    let mut start = 0;
    for (name, tensor) in parameters.iter() {
        let end = start + tensor.numel() * size_of::<f32>();
        let host = tensor.f_detach()?.f_to_device(Device::Cpu)?.f_contiguous()?;
        host.f_copy_data_u8(&mut data[start..end], tensor.numel())?;
        let entry = json!({ "dtype": "F32", "shape": tensor.size(), "data_offsets": [start, end] });
        header.insert(name.into(), entry);
        start = end;
    }
    let mut header = Value::Object(header).to_string().into_bytes();
    header.resize(header.len().next_multiple_of(ALIGNMENT), b' ');
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.append(&mut header);
    bytes.append(&mut data);
    Ok(bytes)
}

/// Copies the weights in `bytes` into the network's own tensors.
///
/// # Errors
/// When the bytes are not a whole file of weights, have another version, or belong to another network (every difference is
/// named); nothing has changed then.
pub fn weights_from_bytes(parameters: &Parameters, bytes: &[u8]) -> Result<(), ModelError> {
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(ModelError::ParseWeights)?;
    let word = |key: &str| header.metadata().as_ref().and_then(|words| words.get(key)).cloned();
    let format = word("format");
    if format.as_deref() != Some(FORMAT) {
        return Err(ModelError::WeightsFormat { found: format });
    }
    let version = word("version");
    if version.as_deref() != Some(VERSION) {
        return Err(ModelError::WeightsVersion { found: version });
    }
    let file = SafeTensors::deserialize(bytes).map_err(ModelError::ParseWeights)?;
    let faults = differences(parameters, &file);
    if !faults.is_empty() {
        return Err(ModelError::WeightsMismatch { faults });
    }
    let mut loaded = Vec::with_capacity(parameters.len());
    for (name, tensor) in parameters.iter() {
        let view = file.tensor(name).map_err(ModelError::ParseWeights)?;
        loaded.push(Tensor::f_from_data_size(view.data(), &tensor.size(), Kind::Float)?);
    }
    let _no_grad = tch::no_grad_guard();
    for (tensor, loaded) in parameters.tensors().into_iter().zip(&loaded) {
        tensor.shallow_clone().f_copy_(loaded)?;
    }
    Ok(())
}

/// Every way in which `file` is not the weights of this network.
fn differences(parameters: &Parameters, file: &SafeTensors<'_>) -> Vec<WeightFault> {
    let mut faults = Vec::new();
    for (name, tensor) in parameters.iter() {
        let name = name.to_owned();
        let Ok(view) = file.tensor(&name) else {
            faults.push(WeightFault::Missing { name });
            continue;
        };
        let expected = tensor.size();
        if !view.shape().iter().map(|&size| size as i64).eq(expected.iter().copied()) {
            faults.push(WeightFault::Shape { name, expected, found: view.shape().to_vec() });
        } else if view.dtype() != Dtype::F32 {
            faults.push(WeightFault::Kind { name, found: view.dtype().to_string() });
        }
    }
    let names: BTreeSet<&str> = file.names().into_iter().collect();
    let unexpected = names.into_iter().filter(|name| parameters.get(name).is_none());
    faults.extend(unexpected.map(|name| WeightFault::Unexpected { name: name.to_owned() }));
    faults
}

fn replace_file(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    let partial = path.with_file_name(name);
    let mut file = File::create(&partial)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&partial, path)
}
