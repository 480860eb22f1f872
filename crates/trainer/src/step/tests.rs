//! A step is the sum of its parts.

use tapeline_models::{Mode, Network};
use tch::{Device, Kind, Tensor};

use super::{Part, Share, Stepper, Sum, learned, share};
use crate::balance::Balance;
use crate::crew::{Crew, cuts};
use crate::error::TrainError;
use crate::feed::{Batch, Targets};
use crate::loss::Denominators;
use crate::optimizer::Optimizer;
use crate::small_network::{WINDOW, network, tasks};
use crate::spec::{AdamSpec, BalancingSpec, OptimizerSpec, SgdSpec};
use crate::task::{TaskKind, Tasks};

const ROWS: i64 = 16;

/// Numbers that look random and are the same each time.
fn noise(shape: &[i64], phase: f64) -> Tensor {
    let count = shape.iter().product::<i64>();
    let angles = Tensor::arange(count, (Kind::Double, Device::Cpu)) * 12.9898 + phase;
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

/// A step of `network` with this optimiser and balance.
fn stepper<'a>(
    network: &'a dyn Network,
    tasks: &'a Tasks,
    spec: &OptimizerSpec,
    balancing: BalancingSpec,
) -> Stepper<'a> {
    // The network is too small to be split over threads.
    tch::set_num_threads(1);
    let balance = Balance::new(balancing, tasks, Device::Cpu).unwrap();
    let optimizer = Optimizer::new(spec, &learned(spec, network, &balance)).unwrap();
    Stepper { network, tasks, balance, optimizer, max_norm: 1e9, crew: None }
}

fn part(batch: &Batch, cut: &[i64]) -> Part {
    Part { batch: rows(batch, cut[0]..cut[1]), mode: Mode::Evaluate }
}

/// Where the rows of a step are cut into parts: halves, parts that leave a rest, single rows.
const CUTS: [&[i64]; 3] = [&[0, 8, 16], &[0, 5, 10, 15, 16], &[0, 1, 2, 16]];

#[test]
fn the_parts_of_a_step_have_the_gradient_of_one_batch_of_all() {
    let (tasks, network) = (tasks(), network());
    let batch = batch(&tasks);
    let of_all = denominators(&batch);
    for balancing in [BalancingSpec::Fixed, BalancingSpec::Uncertainty] {
        let stepper = stepper(network.as_ref(), &tasks, &OptimizerSpec::default(), balancing);
        let share = |cut: &[i64]| {
            share(network.as_ref(), &tasks, &stepper.balance, &part(&batch, cut), &of_all).unwrap()
        };
        let whole = share(&[0, ROWS]);
        for cuts in CUTS {
            let mut sum = Sum::default();
            cuts.windows(2).for_each(|cut| sum.add(share(cut)).unwrap());
            let Share { losses, gradients } = sum.share().unwrap();
            assert!(apart(&losses, &whole.losses) <= 1e-6, "{cuts:?}: {losses:?}");
            let off = apart(&flat(&gradients), &flat(&whole.gradients));
            assert!(off <= 1e-6, "{balancing:?}, {cuts:?}: gradients are off by {off:e}");
        }
    }
}

/// The weights, the figures and the uncertainties after `steps` steps on a batch that is cut so.
fn after(spec: &OptimizerSpec, balancing: BalancingSpec, steps: usize, cuts: &[i64]) -> [Tensor; 3] {
    let (tasks, network) = (tasks(), network());
    let batch = batch(&tasks);
    let of_all = denominators(&batch);
    let mut stepper = stepper(network.as_ref(), &tasks, spec, balancing);
    let mut figures = None;
    for _ in 0..steps {
        let parts = cuts.windows(2).map(|cut| Ok(part(&batch, cut)));
        figures = Some(stepper.step(parts, &of_all, spec.learning_rate()).unwrap());
    }
    let uncertain = stepper.balance.log_variances().map_or_else(|| Tensor::from(0.0), Tensor::detach);
    [weights(network.as_ref()), figures.unwrap(), uncertain]
}

#[test]
fn the_parts_of_a_step_move_the_weights_as_one_batch_of_all_does() {
    for (spec, tolerance) in [
        (OptimizerSpec::Sgd(SgdSpec::default()), 1e-6),
        // The first steps of Adam go by the sign of a gradient; where that is rounding noise, so is the sign.
        (OptimizerSpec::Adamw(AdamSpec { epsilon: 1e-6, ..AdamSpec::default() }), 1e-4),
        (OptimizerSpec::Adam(AdamSpec { epsilon: 1e-6, ..AdamSpec::default() }), 1e-4),
    ] {
        for balancing in [BalancingSpec::Fixed, BalancingSpec::Uncertainty] {
            let start = weights(network().as_ref());
            let whole = after(&spec, balancing, 3, &[0, ROWS]);
            assert_eq!(whole[1].size(), [2 + tasks().iter().len() as i64]);
            assert!(apart(&start, &whole[0]) > 10.0 * tolerance, "{spec:?}: the steps moved nothing");
            for cuts in CUTS {
                let parts = after(&spec, balancing, 3, cuts);
                for (what, (part, whole)) in
                    ["weights", "figures", "uncertainties"].iter().zip(parts.iter().zip(&whole))
                {
                    let off = ((part - whole).norm() / whole.norm().clamp_min(1e-9)).double_value(&[]);
                    assert!(off <= tolerance, "{spec:?}, {balancing:?}, {cuts:?}: {what} are off by {off:e}");
                }
            }
        }
    }
}

#[test]
fn uncertainties_are_learned_and_a_gradient_that_is_too_long_is_cut() {
    let spec = OptimizerSpec::Sgd(SgdSpec { momentum: 0.0, nesterov: false, ..SgdSpec::default() });
    let [_, figures, uncertain] = after(&spec, BalancingSpec::Uncertainty, 1, &[0, ROWS]);
    let figures = Vec::<f32>::try_from(figures).unwrap();
    let uncertain = Vec::<f32>::try_from(uncertain).unwrap();
    // s starts at 0, so a step takes it by -lr (1/2 - factor L), L in its own unit.
    let factors = [0.5, 0.5, 4f32.ln()];
    for ((s, loss), factor) in uncertain.iter().zip(&figures[2..]).zip(factors) {
        let expected = -(spec.learning_rate() as f32) * (0.5 - factor * loss);
        assert!((s - expected).abs() < 1e-6, "{s} is not {expected}");
    }

    let (tasks, network) = (tasks(), network());
    let batch = batch(&tasks);
    let before = weights(network.as_ref());
    let mut stepper = stepper(network.as_ref(), &tasks, &spec, BalancingSpec::Uncertainty);
    stepper.max_norm = 0.01;
    let _figures = stepper.step([Ok(part(&batch, &[0, ROWS]))], &denominators(&batch), 1.0).unwrap();
    let way = (weights(network.as_ref()) - before).norm().double_value(&[]);
    assert!(way <= 0.0101 && way > 0.001, "a step of rate 1 went {way}");
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
    let balance = Balance::new(BalancingSpec::Uncertainty, &tasks, Device::Cpu).unwrap();
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
            sum.add(share(network.as_ref(), &tasks, &balance, &part.unwrap(), &of_all).unwrap()).unwrap();
        }
        flat(&sum.share().unwrap().gradients)
    };
    tapeline_torch_ext::set_threads(1).unwrap();
    for threads in [2, 3] {
        // Fewer workers than parts, as many, and more: the order of the sum is the parts'.
        for size in 1..=4 {
            let crew = Crew::new(network.as_ref(), &tasks, &balance, size).unwrap();
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
    let crew = Crew::new(network.as_ref(), &tasks, &Balance::Fixed, 2).unwrap();
    let broken = Batch { inputs: vec![noise(&[4, 1, 1], 0.0)], targets: Vec::new() };
    let parts = [rows(&batch, 0..4), broken].map(|batch| Ok(Part { batch, mode: Mode::Evaluate }));
    let refused = crew.work(parts.into_iter(), &of_all, |_| Ok(()));
    assert!(matches!(refused, Err(TrainError::Model(_))));
}
