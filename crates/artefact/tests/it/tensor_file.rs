//! Named tensors as bytes.

use tapeline_artefact::{ArtefactError, tensors_from_bytes, tensors_to_bytes};
use tch::{Device, Kind, Tensor};

#[test]
fn tensors_come_back_by_name_with_shape_and_bits() {
    let tensors = [
        ("b".to_owned(), Tensor::from_slice(&[1.5_f32, f32::NAN, -0.0]).reshape([3, 1])),
        ("a".to_owned(), Tensor::from_slice(&[7.0_f32]).reshape([0_i64; 0])),
        ("c".to_owned(), Tensor::arange(6, (Kind::Float, Device::Cpu)).reshape([2, 3]).transpose(0, 1)),
    ];
    let bytes = tensors_to_bytes(&tensors).unwrap();
    let found = tensors_from_bytes(&bytes).unwrap();
    assert!(found.iter().map(|(name, _)| name.as_str()).eq(["a", "b", "c"]));
    for (name, tensor) in &tensors {
        let (_, back) = found.iter().find(|(key, _)| key == name).unwrap();
        assert_eq!(back.size(), tensor.size());
        let bits = |tensor: &Tensor| {
            let values = Vec::<f32>::try_from(tensor.contiguous().reshape([-1])).unwrap();
            values.into_iter().map(f32::to_bits).collect::<Vec<_>>()
        };
        assert_eq!(bits(back), bits(tensor), "{name}");
    }
    assert_eq!(tensors_to_bytes(&found).unwrap(), bytes);
}

#[test]
fn other_kinds_are_refused_by_name() {
    let double = [("x".to_owned(), Tensor::zeros([2], (Kind::Double, Device::Cpu)))];
    let refused = tensors_to_bytes(&double);
    assert!(matches!(&refused, Err(ArtefactError::TensorKind { name, .. }) if name == "x"), "{refused:?}");
    assert!(matches!(tensors_from_bytes(b"no tensors"), Err(ArtefactError::TensorFile(_))));
}
