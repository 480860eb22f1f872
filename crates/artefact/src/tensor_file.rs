//! Named 32-bit tensors as the bytes of a safetensors file: the same bytes for the same tensors.

use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use tch::{Device, Kind, Tensor};

use crate::error::ArtefactError;

/// The file that holds `tensors`, which are of kind `Float` on any device.
///
/// # Errors
/// [`ArtefactError::TensorKind`] if a tensor is of another kind; [`ArtefactError::Torch`] if one cannot be copied to the host.
pub fn tensors_to_bytes(tensors: &[(String, Tensor)]) -> Result<Vec<u8>, ArtefactError> {
    let mut copies = Vec::with_capacity(tensors.len());
    for (name, tensor) in tensors {
        if tensor.kind() != Kind::Float {
            return Err(ArtefactError::TensorKind {
                name: name.clone(),
                found: format!("{:?}", tensor.kind()),
            });
        }
        let host = tensor.f_detach()?.f_to_device(Device::Cpu)?.f_contiguous()?;
        let mut bytes = vec![0; host.numel() * size_of::<f32>()];
        host.f_copy_data_u8(&mut bytes, host.numel())?;
        let shape: Vec<usize> = host.size().iter().filter_map(|&size| usize::try_from(size).ok()).collect();
        copies.push((name, shape, bytes));
    }
    let view = |shape: &[usize], bytes| TensorView::new(Dtype::F32, shape.to_vec(), bytes);
    let views = copies.iter().map(|(name, shape, bytes)| Ok((name, view(shape, bytes)?)));
    let views: Vec<_> = views.collect::<Result<_, _>>().map_err(ArtefactError::TensorFile)?;
    safetensors::serialize(views, None).map_err(ArtefactError::TensorFile)
}

/// The tensors in `bytes`, on the host, in the order of their names.
///
/// # Errors
/// [`ArtefactError::TensorFile`] if the bytes are not a whole safetensors file; [`ArtefactError::TensorKind`] if a tensor in
/// it is not 32-bit.
pub fn tensors_from_bytes(bytes: &[u8]) -> Result<Vec<(String, Tensor)>, ArtefactError> {
    let file = SafeTensors::deserialize(bytes).map_err(ArtefactError::TensorFile)?;
    let mut tensors = Vec::with_capacity(file.len());
    for (name, view) in file.tensors() {
        if view.dtype() != Dtype::F32 {
            return Err(ArtefactError::TensorKind { name, found: view.dtype().to_string() });
        }
        let shape: Vec<i64> = view.shape().iter().map(|&size| size as i64).collect();
        tensors.push((name, Tensor::f_from_data_size(view.data(), &shape, Kind::Float)?));
    }
    tensors.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(tensors)
}
