//! The fused steps of AdamW and Adam against their update rules in double precision.

use tapeline_testkit::assert_close;
use tapeline_torch_ext::{AdamW, Error, adam_step, adamw_step};
use tch::{Device, Kind, Tensor};

const SHAPES: [&[i64]; 3] = [&[5, 7], &[33], &[]];

/// Numbers between -1 and 1 without a pattern, the same every time.
fn values(count: usize, salt: f64) -> Vec<f64> {
    (0..count)
        .map(|i| ((i as f64 + 1.0) * 12.9898 + salt * 78.233).sin() * 43_758.545_3)
        .map(f64::fract)
        .collect()
}

fn tensor(values: &[f64], shape: &[i64]) -> Tensor {
    Tensor::from_slice(values).reshape(shape).to_kind(Kind::Float)
}

fn read(tensor: &Tensor) -> Vec<f32> {
    Vec::try_from(tensor.flatten(0, -1)).unwrap()
}

fn zeros(shapes: &[&[i64]]) -> Vec<Tensor> {
    shapes.iter().map(|shape| Tensor::zeros(*shape, (Kind::Float, Device::Cpu))).collect()
}

/// One parameter tensor and its state, in double precision.
struct Reference {
    parameter: Vec<f64>,
    first: Vec<f64>,
    second: Vec<f64>,
}

impl Reference {
    fn step(&mut self, gradient: &[f64], step: i32, update: &AdamW, decoupled: bool) {
        let AdamW { learning_rate, beta1, beta2, epsilon, weight_decay } = *update;
        for (i, &g) in gradient.iter().enumerate() {
            let g = if decoupled { g } else { g + weight_decay * self.parameter[i] };
            if decoupled {
                self.parameter[i] *= 1.0 - learning_rate * weight_decay;
            }
            self.first[i] = beta1 * self.first[i] + (1.0 - beta1) * g;
            self.second[i] = beta2 * self.second[i] + (1.0 - beta2) * g * g;
            let first = self.first[i] / (1.0 - beta1.powi(step));
            let second = self.second[i] / (1.0 - beta2.powi(step));
            self.parameter[i] -= learning_rate * first / (second.sqrt() + epsilon);
        }
    }
}

#[test]
fn five_steps_equal_the_update_rule() {
    five_steps_equal(true);
    five_steps_equal(false);
}

fn five_steps_equal(decoupled: bool) {
    let update = AdamW { learning_rate: 0.02, weight_decay: 0.3, ..AdamW::default() };
    let mut references = Vec::new();
    let mut parameters = Vec::new();
    for (index, shape) in SHAPES.iter().enumerate() {
        let count = shape.iter().product::<i64>() as usize;
        let parameter = values(count, index as f64);
        parameters.push(tensor(&parameter, shape).set_requires_grad(true));
        references.push(Reference { parameter, first: vec![0.0; count], second: vec![0.0; count] });
    }
    let (first, second, steps) = (zeros(&SHAPES), zeros(&SHAPES), zeros(&[&[], &[], &[]]));
    for step in 1..=5 {
        let mut gradients = Vec::new();
        for (index, shape) in SHAPES.iter().enumerate() {
            let gradient = values(references[index].parameter.len(), f64::from(100 * step) + index as f64);
            references[index].step(&gradient, step, &update, decoupled);
            gradients.push(tensor(&gradient, shape));
        }
        let parameters: Vec<&Tensor> = parameters.iter().collect();
        let gradients: Vec<&Tensor> = gradients.iter().collect();
        let go = if decoupled { adamw_step } else { adam_step };
        go(&parameters, &gradients, &first, &second, &steps, &update, None).unwrap();
    }
    for (index, reference) in references.iter().enumerate() {
        let single = |values: &[f64]| values.iter().map(|&value| value as f32).collect::<Vec<_>>();
        assert_close(&read(&parameters[index]), &single(&reference.parameter), 1e-6);
        assert_close(&read(&first[index]), &single(&reference.first), 1e-6);
        assert_close(&read(&second[index]), &single(&reference.second), 1e-6);
        assert_eq!(read(&steps[index]), [5.0]);
        assert!(parameters[index].requires_grad());
    }
}

#[test]
fn a_gradient_in_another_layout_counts_by_position() {
    let gradient = tensor(&values(6, 1.0), &[2, 3]);
    let run = |gradient: &Tensor| {
        let parameter = tensor(&values(6, 2.0), &[2, 3]);
        let (first, second, steps) = (zeros(&[&[2, 3]]), zeros(&[&[2, 3]]), zeros(&[&[]]));
        adamw_step(&[&parameter], &[gradient], &first, &second, &steps, &AdamW::default(), None).unwrap();
        read(&parameter)
    };
    let transposed = gradient.transpose(0, 1).contiguous().transpose(0, 1);
    assert!(!transposed.is_contiguous());
    assert_eq!(run(&transposed), run(&gradient));
}

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    let parameter = tensor(&values(6, 3.0), &[2, 3]);
    let before = read(&parameter);
    let good = tensor(&values(6, 4.0), &[2, 3]);
    let (first, second, steps) = (zeros(&[&[2, 3]]), zeros(&[&[2, 3]]), zeros(&[&[]]));
    let step = |gradients: &[&Tensor], first: &[Tensor], steps: &[Tensor], update: AdamW| {
        adamw_step(&[&parameter], gradients, first, &second, steps, &update, None).unwrap_err()
    };
    let update = AdamW::default();

    let error = step(&[&good.reshape([3, 2])], &first, &steps, update);
    assert_eq!(error.to_string(), "adamw_step: gradients[0] has shape [3, 2], expected [2, 3]");
    let error = step(&[&good.to_kind(Kind::Double)], &first, &steps, update);
    assert_eq!(error.to_string(), "adamw_step: gradients[0] holds Double, expected Float");
    let error = step(&[&good, &good], &first, &steps, update);
    assert_eq!(error.to_string(), "adamw_step: expected 1 gradients, found 2");
    let error = step(&[&good], &[first[0].transpose(0, 1).contiguous().transpose(0, 1)], &steps, update);
    assert_eq!(error.to_string(), "adamw_step: first_moments[0] is not contiguous");
    let error = step(&[&good], &first, &zeros(&[&[1]]), update);
    assert_eq!(error.to_string(), "adamw_step: steps[0] has shape [1], expected []");
    let error = step(&[&good], &first, &steps, AdamW { learning_rate: f64::NAN, ..update });
    assert!(matches!(error, Error::Number { name: "learning_rate", .. }), "{error}");
    let error = adam_step(&[&parameter], &[], &first, &second, &steps, &update, None).unwrap_err();
    assert_eq!(error.to_string(), "adam_step: expected 1 gradients, found 0");

    assert_eq!(read(&parameter), before);
    assert_eq!(read(&steps[0]), [0.0]);
}
