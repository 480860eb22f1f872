//! A batch is the sum of its parts.

use tapeline_models::{Mode, Network};
use tch::{Kind, Tensor};

use super::Stepper;
use crate::feed::{Batch, Targets};
use crate::optimizer::Optimizer;
use crate::small_network::{WINDOW, network, tasks};
use crate::spec::OptimizerSpec;
use crate::task::{TaskKind, Tasks};

const ROWS: i64 = 16;

/// Numbers that look random and are the same each time.
fn noise(shape: &[i64], phase: f64) -> Tensor {
    let count = shape.iter().product::<i64>();
    let angles = Tensor::arange(count, (Kind::Double, tch::Device::Cpu)) * 12.9898 + phase;
    (angles.sin() * 43_758.545_3).sin().to_kind(Kind::Float).reshape(shape)
}

/// A batch without an absent target, so that both halves weigh the same.
fn batch(tasks: &Tasks) -> Batch {
    let target = |(number, task): (usize, &crate::task::Task)| {
        let shape = [ROWS, task.horizons.len() as i64];
        let values = noise(&shape, number as f64);
        let values = match task.kind {
            TaskKind::Regime { classes } => ((values + 1.0) * 0.499 * classes as f64).floor(),
            _ => values,
        };
        Targets { values, mask: Tensor::ones(shape, (Kind::Float, tch::Device::Cpu)) }
    };
    Batch {
        inputs: vec![noise(&[ROWS, WINDOW[0], WINDOW[1]], 7.0)],
        targets: tasks.iter().enumerate().map(target).collect(),
    }
}

fn rows(batch: &Batch, first: i64) -> Batch {
    let cut = |tensor: &Tensor| tensor.narrow(0, first, ROWS / 2);
    let targets = batch.targets.iter();
    Batch {
        inputs: batch.inputs.iter().map(cut).collect(),
        targets: targets
            .map(|target| Targets { values: cut(&target.values), mask: cut(&target.mask) })
            .collect(),
    }
}

fn flat(tensors: &[Tensor]) -> Tensor {
    Tensor::cat(&tensors.iter().map(|tensor| tensor.detach().reshape([-1])).collect::<Vec<_>>(), 0)
}

fn weights(network: &dyn Network) -> Tensor {
    let tensors: Vec<Tensor> =
        network.parameters().tensors().into_iter().map(Tensor::shallow_clone).collect();
    flat(&tensors)
}

#[test]
fn two_halves_of_a_batch_move_the_weights_as_the_whole_does() {
    let tasks = tasks();
    let batch = batch(&tasks);
    let start = network();
    let optimizer = Optimizer::new(&OptimizerSpec::default(), &start.parameters().tensors()).unwrap();
    let stepper = Stepper { network: start.as_ref(), tasks: &tasks, optimizer, max_norm: 1.0 };
    let gradients = |batch: &Batch| stepper.gradients(batch, Mode::Evaluate).unwrap().1;
    let whole = gradients(&batch);
    let halves = gradients(&rows(&batch, 0)).into_iter().zip(gradients(&rows(&batch, ROWS / 2)));
    let halves: Vec<Tensor> = halves.map(|(one, other)| (one + other) * 0.5).collect();

    let distance = (flat(&whole) - flat(&halves)).norm() / flat(&whole).norm();
    assert!(distance.double_value(&[]) <= 1e-6, "gradients are off by {distance:?}");

    let moved = |gradients: &[Tensor]| {
        let network = network();
        let parameters = network.parameters().tensors();
        let mut optimizer = Optimizer::new(&OptimizerSpec::default(), &parameters).unwrap();
        optimizer.step(&parameters, &gradients.iter().collect::<Vec<_>>(), 1e-3).unwrap();
        weights(network.as_ref())
    };
    // AdamW's first step goes by the sign of a gradient; where that is rounding noise, so is the sign.
    let real = flat(&whole).abs().ge(1e-6);
    assert!(real.to_kind(Kind::Float).mean(Kind::Float).double_value(&[]) > 0.5);
    let off = ((moved(&whole) - moved(&halves)).abs() * &real).max().double_value(&[]);
    assert!(off <= 1e-4, "weights are off by {off:e}");
    let way = ((moved(&whole) - weights(start.as_ref())).abs() * &real).max().double_value(&[]);
    assert!(way > 5e-4, "the step moved nothing: {way:e}");
}
