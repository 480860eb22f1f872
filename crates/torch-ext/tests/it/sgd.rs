//! The fused step of SGD against its update rule in double precision.

use tapeline_testkit::assert_close;
use tapeline_torch_ext::{Error, Sgd, sgd_step};
use tch::{Device, Kind, Tensor};

const SHAPES: [&[i64]; 3] = [&[4, 9], &[21], &[]];

/// Numbers between -1 and 1 without a pattern, the same every time.
fn values(count: usize, salt: f64) -> Vec<f64> {
    (0..count).map(|i| ((i as f64 + 1.0) * 12.9898 + salt).sin() * 43_758.545_3).map(f64::fract).collect()
}

fn tensor(values: &[f64], shape: &[i64]) -> Tensor {
    Tensor::from_slice(values).reshape(shape).to_kind(Kind::Float)
}

fn read(tensor: &Tensor) -> Vec<f32> {
    Vec::try_from(tensor.flatten(0, -1)).unwrap()
}

fn buffers(update: &Sgd) -> Vec<Tensor> {
    let zeros = SHAPES.iter().map(|shape| Tensor::zeros(*shape, (Kind::Float, Device::Cpu)));
    if update.momentum > 0.0 { zeros.collect() } else { Vec::new() }
}

#[test]
fn five_steps_equal_the_update_rule() {
    for (momentum, nesterov) in [(0.0, false), (0.9, false), (0.8, true)] {
        let update = Sgd { learning_rate: 0.05, momentum, nesterov, weight_decay: 0.3 };
        let mut expected: Vec<Vec<f64>> = (0..3)
            .map(|index| values(SHAPES[index].iter().product::<i64>() as usize, index as f64))
            .collect();
        let mut running: Vec<Vec<f64>> = expected.iter().map(|list| vec![0.0; list.len()]).collect();
        let owned: Vec<Tensor> =
            (0..3).map(|index| tensor(&expected[index], SHAPES[index]).set_requires_grad(true)).collect();
        let parameters: Vec<&Tensor> = owned.iter().collect();
        let buffers = buffers(&update);
        for step in 0..5 {
            let mut gradients = Vec::new();
            for index in 0..3 {
                let gradient = values(expected[index].len(), f64::from(10 * step) + index as f64 + 3.0);
                for (i, &gradient) in gradient.iter().enumerate() {
                    let g = gradient + update.weight_decay * expected[index][i];
                    let b = momentum * running[index][i] + g;
                    running[index][i] = b;
                    expected[index][i] -= update.learning_rate * if nesterov { g + momentum * b } else { b };
                }
                gradients.push(tensor(&gradient, SHAPES[index]));
            }
            sgd_step(&parameters, &gradients.iter().collect::<Vec<_>>(), &buffers, &update, None).unwrap();
        }
        let single = |values: &[f64]| values.iter().map(|&value| value as f32).collect::<Vec<_>>();
        for (index, parameter) in parameters.iter().enumerate() {
            assert_close(&read(parameter), &single(&expected[index]), 1e-6);
            assert!(parameter.requires_grad());
        }
        for (index, buffer) in buffers.iter().enumerate() {
            assert_close(&read(buffer), &single(&running[index]), 1e-6);
        }
    }
}

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    let parameter = tensor(&values(6, 3.0), &[2, 3]);
    let before = read(&parameter);
    let good = tensor(&values(6, 4.0), &[2, 3]);
    let buffer = [Tensor::zeros([2, 3], (Kind::Float, Device::Cpu))];
    let update = Sgd { momentum: 0.9, ..Sgd::default() };
    let refused = |gradients: &[&Tensor], buffers: &[Tensor], update: Sgd| {
        sgd_step(&[&parameter], gradients, buffers, &update, None).unwrap_err()
    };

    let error = refused(&[&good.reshape([3, 2])], &buffer, update);
    assert_eq!(error.to_string(), "sgd_step: gradients[0] has shape [3, 2], expected [2, 3]");
    let error = refused(&[&good], &[], update);
    assert_eq!(error.to_string(), "sgd_step: expected 1 buffers, found 0");
    let error = refused(&[&good], &buffer, Sgd::default());
    assert_eq!(error.to_string(), "sgd_step: expected 0 buffers, found 1");
    let error = refused(&[&good], &[buffer[0].reshape([6])], update);
    assert_eq!(error.to_string(), "sgd_step: buffers[0] has shape [6], expected [2, 3]");
    let error = refused(&[&good], &[], Sgd { nesterov: true, ..Sgd::default() });
    assert_eq!(error.to_string(), "sgd_step: momentum is 0, expected 0 < μ < 1 with Nesterov");
    let error = refused(&[&good], &buffer, Sgd { learning_rate: f64::INFINITY, ..update });
    assert!(matches!(error, Error::Number { name: "learning_rate", .. }), "{error}");
    assert_eq!(read(&parameter), before);
}
