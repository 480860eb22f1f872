//! Clipping against its formula.

use tapeline_testkit::assert_close;
use tapeline_torch_ext::{Error, clip_gradient_norm};
use tch::{Kind, Tensor};

fn gradients() -> Vec<Tensor> {
    let ramp = Tensor::arange(12, (Kind::Float, tch::Device::Cpu)) / 7.0 - 1.0;
    vec![ramp.reshape([3, 4]), ramp.narrow(0, 2, 5).copy(), Tensor::from(-0.75_f32)]
}

fn read(tensors: &[Tensor]) -> Vec<f32> {
    tensors.iter().flat_map(|tensor| Vec::<f32>::try_from(tensor.flatten(0, -1)).unwrap()).collect()
}

fn clip(tensors: &[Tensor], max_norm: f64) -> f64 {
    let borrowed: Vec<&Tensor> = tensors.iter().collect();
    clip_gradient_norm(&borrowed, max_norm).unwrap().double_value(&[])
}

#[test]
fn long_gradients_are_scaled_by_one_factor() {
    let tensors = gradients();
    let before: Vec<f64> = read(&tensors).into_iter().map(f64::from).collect();
    let norm = before.iter().map(|value| value * value).sum::<f64>().sqrt();
    assert!(norm > 1.0);

    assert_close(&[clip(&tensors, 0.5)], &[norm], 1e-6);

    let expected: Vec<f64> = before.iter().map(|value| value * 0.5 / (norm + 1e-6)).collect();
    let after: Vec<f64> = read(&tensors).into_iter().map(f64::from).collect();
    assert_close(&after, &expected, 1e-7);
}

#[test]
fn short_and_zero_gradients_stay_as_they_are() {
    let tensors = gradients();
    let before = read(&tensors);
    clip(&tensors, 1e3);
    assert_eq!(read(&tensors), before);

    let zeros = [Tensor::zeros([4], (Kind::Float, tch::Device::Cpu))];
    assert_eq!(clip(&zeros, 1.0), 0.0);
    assert_eq!(read(&zeros), [0.0; 4]);
}

#[test]
fn a_norm_that_is_not_finite_is_returned_as_such() {
    let tensors = [Tensor::from_slice(&[1.0_f32, f32::INFINITY])];
    assert_eq!(clip(&tensors, 1.0), f64::INFINITY);
    let tensors = [Tensor::from_slice(&[1.0_f32, f32::NAN])];
    assert!(clip(&tensors, 1.0).is_nan());
}

#[test]
fn what_does_not_fit_is_refused() {
    let tensors = gradients();
    let borrowed: Vec<&Tensor> = tensors.iter().collect();
    assert!(matches!(clip_gradient_norm(&[], 1.0), Err(Error::Empty { .. })));
    for norm in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(clip_gradient_norm(&borrowed, norm), Err(Error::Number { .. })), "{norm}");
    }
}

#[test]
fn an_exception_of_libtorch_becomes_an_error() {
    let whole_numbers = Tensor::from_slice(&[1_i64, 2]);
    let error = clip_gradient_norm(&[&whole_numbers], 1.0).unwrap_err();
    let Error::Libtorch { operation, message } = error else { unreachable!("{error}") };
    assert_eq!(operation, "clip_gradient_norm");
    assert!(!message.is_empty() && !message.contains("frame #"), "{message}");
}
