use tapeline_artefact::tensors_to_bytes;
use tch::Tensor;

use super::{differing_bytes, differing_tensors};

fn file(tensors: &[(&str, &[f32])]) -> Vec<u8> {
    let named: Vec<(String, Tensor)> =
        tensors.iter().map(|(name, values)| ((*name).to_owned(), Tensor::from_slice(values))).collect();
    tensors_to_bytes(&named).unwrap()
}

#[test]
fn a_tensor_that_differs_is_named_with_how_much() {
    let one = file(&[("a", &[1.0, 2.0]), ("b", &[0.5])]);
    assert_eq!((differing_bytes(&one, &one), differing_tensors(&one, &one)), (0, Vec::new()));
    let other = file(&[("a", &[1.0, 2.5]), ("b", &[0.5])]);
    assert!(differing_bytes(&one, &other) > 0);
    assert_eq!(differing_tensors(&one, &other), ["a: 1 of 2 numbers differ, by 5e-1 at most"]);
}

#[test]
fn zeros_of_another_sign_differ() {
    let lines = differing_tensors(&file(&[("a", &[0.0])]), &file(&[("a", &[-0.0])]));
    assert_eq!(lines, ["a: 1 of 1 numbers differ, by 0e0 at most"]);
}

#[test]
fn a_tensor_that_is_missing_or_of_another_shape_is_named() {
    let one = file(&[("a", &[1.0]), ("b", &[1.0])]);
    let lines = differing_tensors(&one, &file(&[("a", &[1.0, 2.0])]));
    assert_eq!(lines, ["a has the shape [1], and then [2]", "b is missing after the interruption"]);
}

#[test]
fn files_without_tensors_differ_in_bytes_alone() {
    assert_eq!(differing_bytes(b"{1}", b"{2}!"), 2);
    assert!(differing_tensors(b"{1}", b"{2}!").is_empty());
}
