//! Unscaling, the movement of the scale, and steps that are skipped on the device.

use tapeline_torch_ext::{
    AdamW, Error, ScaleGrowth, Sgd, adam_step, adamw_step, sgd_step, unscale_gradients, update_loss_scale,
};
use tch::{Device, Kind, Tensor};

fn number(value: f32) -> Tensor {
    Tensor::from(value)
}

#[test]
fn gradients_are_divided_and_what_is_not_finite_is_found() {
    for (bad, found) in [(8.0, 0.0), (f32::INFINITY, 1.0), (f32::NEG_INFINITY, 1.0), (f32::NAN, 1.0)] {
        let gradients = [Tensor::from_slice(&[2.0f32, -4.0]), Tensor::from_slice(&[1.0f32, bad])];
        let [one, other] = &gradients;
        let skip = unscale_gradients(&[one, other], &number(4.0)).unwrap();
        assert_eq!(skip.double_value(&[]), found);
        assert_eq!(Vec::<f32>::try_from(one).unwrap(), [0.5, -1.0]);
        assert_eq!(other.double_value(&[0]), 0.25);
    }
}

#[test]
fn the_scale_halves_at_once_and_doubles_after_good_steps() {
    let growth = ScaleGrowth { interval: 3, ..ScaleGrowth::default() };
    let (scale, good) = (number(1024.0), Tensor::from(0i32));
    let mut seen = Vec::new();
    for found in [0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0] {
        update_loss_scale(&scale, &good, &number(found as f32), &growth).unwrap();
        seen.push((scale.double_value(&[]) as u32, good.int64_value(&[])));
    }
    let expected = [
        (1024, 1),
        (1024, 2),
        (2048, 0),
        (1024, 0),
        (1024, 1),
        (1024, 2),
        (512, 0),
        (512, 1),
        (512, 2),
        (1024, 0),
        (1024, 1),
    ];
    assert_eq!(seen, expected);
}

/// Everything that an update writes to, flat.
fn bits(tensors: &[&Tensor]) -> Vec<f32> {
    tensors.iter().flat_map(|tensor| Vec::<f32>::try_from(tensor.detach().reshape([-1])).unwrap()).collect()
}

#[test]
fn a_skipped_step_moves_nothing_and_another_is_as_without_the_flag() {
    let zeros = |count: i64| Tensor::zeros([count], (Kind::Float, Device::Cpu));
    let start = [0.5f32, -1.5, 2.5];
    let adam = |skip: Option<&Tensor>, decoupled: bool| {
        let (p, g) = (Tensor::from_slice(&start), Tensor::from_slice(&[1.0f32, f32::NAN, -1.0]));
        let g = if skip.is_some_and(|skip| skip.double_value(&[]) > 0.0) {
            g
        } else {
            g.nan_to_num(0.5, 0.0, 0.0)
        };
        let (m, v, t) = ([zeros(3)], [zeros(3)], [Tensor::from(4f32)]);
        let update = AdamW { weight_decay: 0.1, ..AdamW::default() };
        let step = if decoupled { adamw_step } else { adam_step };
        step(&[&p], &[&g], &m, &v, &t, &update, skip).unwrap();
        bits(&[&p, &m[0], &v[0], &t[0]])
    };
    let sgd = |skip: Option<&Tensor>| {
        let (p, g) = (Tensor::from_slice(&start), Tensor::from_slice(&[1.0f32, 2.0, -1.0]));
        let buffers = [Tensor::from_slice(&[0.25f32, 0.5, 0.75])];
        let update = Sgd { momentum: 0.9, nesterov: true, weight_decay: 0.1, ..Sgd::default() };
        sgd_step(&[&p], &[&g], &buffers, &update, skip).unwrap();
        bits(&[&p, &buffers[0]])
    };
    let (go, stay) = (number(0.0), number(1.0));
    for decoupled in [true, false] {
        assert_eq!(adam(Some(&go), decoupled), adam(None, decoupled));
        assert_eq!(adam(Some(&stay), decoupled), [0.5, -1.5, 2.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 4.0]);
    }
    assert_eq!(sgd(Some(&go)), sgd(None));
    assert_eq!(sgd(Some(&stay)), [0.5, -1.5, 2.5, 0.25, 0.5, 0.75]);
}

#[test]
fn what_cannot_be_a_scale_is_refused() {
    let gradient = Tensor::from_slice(&[1.0f32]);
    assert!(matches!(unscale_gradients(&[], &number(1.0)), Err(Error::Empty { .. })));
    let two = Tensor::from_slice(&[1.0f32, 2.0]);
    assert!(matches!(unscale_gradients(&[&gradient], &two), Err(Error::Shape { list: "scale", .. })));
    let refused = |good: &Tensor, growth| {
        update_loss_scale(&number(1.0), good, &number(0.0), &ScaleGrowth { growth, ..ScaleGrowth::default() })
            .unwrap_err()
    };
    assert!(matches!(refused(&number(0.0), 2.0), Error::Kind { list: "growth_tracker", .. }));
    assert!(matches!(refused(&Tensor::from(0i32), -1.0), Error::Number { name: "growth", .. }));
}
