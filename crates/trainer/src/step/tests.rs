//! A step is the sum of its parts.

use tapeline_models::{Mode, Network};
use tch::{Kind, Tensor};

use super::{Part, Share, Stepper, Sum, share};
use crate::crew::{Crew, cuts};
use crate::error::TrainError;
use crate::feed::{Batch, Targets};
use crate::loss::Denominators;
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

/// A batch with more absent targets in its second half, so that the halves do not weigh the same.
fn batch(tasks: &Tasks) -> Batch {
    let target = |(number, task): (usize, &crate::task::Task)| {
        let shape = [ROWS, task.horizons.len() as i64];
        let values = noise(&shape, number as f64);
        let values = match task.kind {
            TaskKind::Regime { classes, .. } => ((values + 1.0) * 0.499 * classes as f64).floor(),
            _ => values,
        };
        let there = |cell: i64| {
            let row = cell / shape[1];
            let absent = if row < ROWS / 2 { (cell + number as i64) % 7 == 0 } else { cell % 3 != 0 };
            f32::from(u8::from(!absent))
        };
        let weights: Vec<f32> = (0..shape[0] * shape[1]).map(there).collect();
        Targets { values, weights: Tensor::from_slice(&weights).reshape(shape) }
    };
    Batch {
        inputs: vec![noise(&[ROWS, WINDOW[0], WINDOW[1]], 7.0)],
        targets: tasks.iter().enumerate().map(target).collect(),
    }
}

fn rows(batch: &Batch, rows: std::ops::Range<i64>) -> Batch {
    let cut = |tensor: &Tensor| tensor.narrow(0, rows.start, rows.end - rows.start);
    let targets = batch.targets.iter();
    Batch {
        inputs: batch.inputs.iter().map(cut).collect(),
        targets: targets
            .map(|target| Targets { values: cut(&target.values), weights: cut(&target.weights) })
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

/// What the losses of a step on `batch` are divided by.
fn denominators(batch: &Batch) -> Denominators {
    let sums = batch.targets.iter().map(|target| target.weights.sum(Kind::Double).double_value(&[]));
    Denominators::new(sums.collect())
}

fn apart(one: &Tensor, other: &Tensor) -> f64 {
    ((one - other).norm() / other.norm()).double_value(&[])
}

#[test]
fn the_parts_of_a_step_move_the_weights_as_one_batch_of_all_does() {
    let tasks = tasks();
    let batch = batch(&tasks);
    let of_all = denominators(&batch);
    let start = network();
    let share =
        |rows: Batch| share(start.as_ref(), &tasks, &Part { batch: rows, mode: Mode::Evaluate }, &of_all);
    let whole = share(rows(&batch, 0..ROWS)).unwrap();

    for cuts in [vec![0, 8, 16], vec![0, 5, 10, 15, 16], vec![0, 1, 16]] {
        let mut sum = Sum::default();
        for cut in cuts.windows(2) {
            sum.add(share(rows(&batch, cut[0]..cut[1])).unwrap()).unwrap();
        }
        let Share { losses, gradients } = sum.share().unwrap();
        assert!(apart(&losses, &whole.losses) <= 1e-6, "{cuts:?}: {losses:?}");
        let off = apart(&flat(&gradients), &flat(&whole.gradients));
        assert!(off <= 1e-6, "{cuts:?}: gradients are off by {off:e}");

        let moved = |gradients: &[Tensor]| {
            let network = network();
            let parameters = network.parameters().tensors();
            let mut optimizer = Optimizer::new(&OptimizerSpec::default(), &parameters).unwrap();
            optimizer.step(&parameters, &gradients.iter().collect::<Vec<_>>(), 1e-3).unwrap();
            weights(network.as_ref())
        };
        // AdamW's first step goes by the sign of a gradient; where that is rounding noise, so is the sign.
        let real = flat(&whole.gradients).abs().ge(1e-6);
        assert!(real.to_kind(Kind::Float).mean(Kind::Float).double_value(&[]) > 0.5);
        let off = ((moved(&whole.gradients) - moved(&gradients)).abs() * &real).max().double_value(&[]);
        assert!(off <= 1e-4, "{cuts:?}: weights are off by {off:e}");
        let way = ((moved(&whole.gradients) - weights(start.as_ref())).abs() * &real).max().double_value(&[]);
        assert!(way > 5e-4, "the step moved nothing: {way:e}");
    }
}

#[test]
fn a_step_tells_the_losses_of_the_whole_and_the_norm_of_its_gradient() {
    let tasks = tasks();
    let batch = batch(&tasks);
    let of_all = denominators(&batch);
    let figures = |cuts: &[i64]| {
        let network = network();
        let optimizer = Optimizer::new(&OptimizerSpec::default(), &network.parameters().tensors()).unwrap();
        let mut stepper =
            Stepper { network: network.as_ref(), tasks: &tasks, optimizer, max_norm: 1.0, crew: None };
        let parts =
            cuts.windows(2).map(|cut| Ok(Part { batch: rows(&batch, cut[0]..cut[1]), mode: Mode::Evaluate }));
        stepper.step(parts, &of_all, 1e-3).unwrap()
    };
    let whole = figures(&[0, ROWS]);
    assert_eq!(whole.size(), [2 + tasks.iter().len() as i64]);
    assert!(apart(&figures(&[0, 3, 11, ROWS]), &whole) <= 1e-6);
}

#[test]
fn a_step_without_a_part_is_refused() {
    assert!(Sum::default().share().is_err());
}

#[test]
fn a_crew_adds_up_what_one_thread_would_in_the_same_order() {
    let tasks = tasks();
    let batch = batch(&tasks);
    let of_all = denominators(&batch);
    let network = network();
    let parts = |threads: usize| {
        let mode = |first: usize| Mode::Train { seed: 5, cursor: 2, rank: 0, first: first as u64 };
        let part = |cut: std::ops::Range<usize>| {
            Ok(Part { batch: rows(&batch, cut.start as i64..cut.end as i64), mode: mode(cut.start) })
        };
        cuts(ROWS as usize, threads).map(part).collect::<Vec<Result<Part, TrainError>>>()
    };
    let alone = |threads: usize| {
        let mut sum = Sum::default();
        for part in parts(threads) {
            sum.add(share(network.as_ref(), &tasks, &part.unwrap(), &of_all).unwrap()).unwrap();
        }
        flat(&sum.share().unwrap().gradients)
    };
    tapeline_torch_ext::set_threads(1).unwrap();
    for threads in [2, 3] {
        // Fewer workers than parts, as many, and more: the order of the sum is the parts'.
        for size in 1..=4 {
            let crew = Crew::new(network.as_ref(), &tasks, size).unwrap();
            assert_eq!(crew.size(), size);
            let mut sum = Sum::default();
            crew.work(parts(threads).into_iter(), &of_all, |share| sum.add(share)).unwrap();
            let found = flat(&sum.share().unwrap().gradients);
            assert!(found.equal(&alone(threads)), "{threads} parts on {size} threads");
        }
        // Dropout's masks are those of the whole batch.
        let off = apart(&alone(threads), &alone(1));
        assert!(off <= 1e-5, "{threads} parts are off by {off:e}");
    }
}

#[test]
fn an_error_of_a_worker_is_the_steps_error() {
    let tasks = tasks();
    let batch = batch(&tasks);
    let of_all = denominators(&batch);
    let network = network();
    let crew = Crew::new(network.as_ref(), &tasks, 2).unwrap();
    let broken = Batch { inputs: vec![noise(&[4, 1, 1], 0.0)], targets: Vec::new() };
    let parts = [rows(&batch, 0..4), broken].map(|batch| Ok(Part { batch, mode: Mode::Evaluate }));
    let refused = crew.work(parts.into_iter(), &of_all, |_| Ok(()));
    assert!(matches!(refused, Err(TrainError::Model(_))));
}
