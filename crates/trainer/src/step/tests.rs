//! A step is the sum of its parts.

use std::time::Duration;

use tapeline_models::{Mode, Network};
use tch::{Device, IndexOp as _, Kind, Tensor};

use super::{Arithmetic, Pace, Part, Share, Stepper, Sum, learned, share, tensors};
use crate::average::Average;
use crate::balance::Balance;
use crate::crew::{Crew, cuts};
use crate::error::TrainError;
use crate::feed::{Batch, Targets};
use crate::loss::{Denominators, part_loss};
use crate::optimizer::Optimizer;
use crate::precision::Precision;
use crate::small_network::{WINDOW, network, tasks};
use crate::spec::{AdamSpec, AverageSpec, BalancingSpec, OptimizerSpec, PartRatesSpec, SgdSpec};
use crate::stages::Stages;
use crate::task::{TaskKind, Tasks};

const ROWS: i64 = 16;
const RATES: PartRatesSpec = PartRatesSpec { cnn: 1.0, lstm: 1.0, fusion: 1.0, heads: 1.0 };

const fn in_precision(precision: Precision) -> Arithmetic {
    Arithmetic { precision, device: Device::Cpu, loss_scale: None, clock: || Duration::ZERO }
}

const SINGLE: Arithmetic = in_precision(Precision::Fp32);

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
    let optimizer = Optimizer::new(spec, &learned(spec, &RATES, network, &balance)).unwrap();
    let precision = Precision::Fp32;
    Stepper {
        network,
        tasks,
        balance,
        optimizer,
        part_rates: RATES,
        max_norm: 1e9,
        precision,
        scaler: None,
        average: None,
        crew: None,
        clock: || Duration::ZERO,
        stages: Stages::default(),
        kept_gradients: Vec::new(),
    }
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
        let balance = Balance::new(balancing, &tasks, Device::Cpu).unwrap();
        let share =
            |cut: &[i64]| share(network.as_ref(), &tasks, &balance, &part(&batch, cut), &of_all, &SINGLE);
        let whole = share(&[0, ROWS]).unwrap();
        for cuts in CUTS {
            let mut sum = Sum::default();
            cuts.windows(2).for_each(|cut| sum.add(share(cut).unwrap()).unwrap());
            let Share { losses, gradients, .. } = sum.share().unwrap();
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
        figures = Some(stepper.step(parts, &of_all, Pace::unseen(spec.learning_rate(), 1)).unwrap());
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
            assert_eq!(whole[1].size(), [4 + tasks().iter().len() as i64]);
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
    for ((s, loss), factor) in uncertain.iter().zip(&figures[4..]).zip(factors) {
        let expected = -(spec.learning_rate() as f32) * (0.5 - factor * loss);
        assert!((s - expected).abs() < 1e-6, "{s} is not {expected}");
    }

    let (tasks, network) = (tasks(), network());
    let batch = batch(&tasks);
    let before = weights(network.as_ref());
    let mut stepper = stepper(network.as_ref(), &tasks, &spec, BalancingSpec::Uncertainty);
    stepper.max_norm = 0.01;
    let _figures =
        stepper.step([Ok(part(&batch, &[0, ROWS]))], &denominators(&batch), Pace::unseen(1.0, 1)).unwrap();
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
    let parts = |threads: usize| {
        let mode = |first: usize| Mode::Train { seed: 5, cursor: 2, rank: 0, first: first as u64 };
        let part = |cut: std::ops::Range<usize>| {
            Ok(Part { batch: rows(&batch, cut.start as i64..cut.end as i64), mode: mode(cut.start) })
        };
        cuts(ROWS as usize, threads).map(part).collect::<Vec<Result<Part, TrainError>>>()
    };
    let balance = Balance::new(BalancingSpec::Uncertainty, &tasks, Device::Cpu).unwrap();
    let alone = |threads: usize| {
        let mut sum = Sum::default();
        for part in parts(threads) {
            let share = share(network.as_ref(), &tasks, &balance, &part.unwrap(), &of_all, &SINGLE);
            sum.add(share.unwrap()).unwrap();
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
            crew.work(parts(threads).into_iter(), &of_all, &SINGLE, |share| sum.add(share)).unwrap();
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
    let refused = crew.work(parts.into_iter(), &of_all, &SINGLE, |_| Ok(()));
    assert!(matches!(refused, Err(TrainError::Model(_))));
}

#[test]
fn losses_are_of_32_bits_and_outside_autocast() {
    let (tasks, network) = (tasks(), network());
    let batch = batch(&tasks);
    let of_all = denominators(&batch);
    for (precision, kind) in [(Precision::Bf16, Kind::BFloat16), (Precision::Fp16, Kind::Half)] {
        let arithmetic = in_precision(precision);
        let found =
            share(network.as_ref(), &tasks, &Balance::Fixed, &part(&batch, &[0, ROWS]), &of_all, &arithmetic);
        let outputs = {
            let _autocast = precision.autocast(Device::Cpu).unwrap();
            network.forward(&batch.inputs, Mode::Evaluate).unwrap()
        };
        assert!(outputs.heads.iter().all(|head| head.kind() == kind), "nothing was cast to {kind:?}");
        let heads: Vec<Tensor> = outputs.heads.iter().map(|head| head.to_kind(Kind::Float)).collect();
        let loss = part_loss(&tasks, &Balance::Fixed, &heads, &batch.targets, &of_all).unwrap();
        let expected: Vec<f64> = loss.tasks.iter().map(|loss| loss.double_value(&[])).collect();
        let found = found.unwrap();
        for (number, expected) in expected.into_iter().enumerate() {
            let found = found.losses.double_value(&[1 + number as i64]);
            assert!((found - expected).abs() <= 1e-6 * expected, "{kind:?}: {found} is not {expected}");
        }
        assert!(found.gradients.iter().all(|gradient| gradient.kind() == Kind::Float));
    }
}

#[test]
fn half_precision_learns_nearly_what_single_precision_does() {
    let spec = OptimizerSpec::Sgd(SgdSpec::default());
    let (tasks, batch) = (tasks(), batch(&tasks()));
    let moved = |precision: Precision| {
        let network = network();
        let start = weights(network.as_ref());
        let mut stepper = stepper(network.as_ref(), &tasks, &spec, BalancingSpec::Fixed);
        (stepper.precision, stepper.scaler) = (precision, precision.scaler(Device::Cpu).unwrap());
        let figures =
            stepper.step([Ok(part(&batch, &[0, ROWS]))], &denominators(&batch), Pace::unseen(0.1, 1));
        (weights(network.as_ref()) - start, Vec::<f32>::try_from(figures.unwrap()).unwrap())
    };
    let (single, figures) = moved(Precision::Fp32);
    assert_eq!(figures[..2], [0.0, 1.0]);
    for (precision, scale) in [(Precision::Bf16, 1.0), (Precision::Fp16, 65_536.0)] {
        let (half, found) = moved(precision);
        assert_eq!(found[..2], [0.0, scale], "{precision:?}");
        let off = apart(&half, &single);
        assert!(off <= 0.05 && off > 0.0, "{precision:?}: the step is off by {off:e}");
        // The norm is without the scale.
        assert!((found[2] / figures[2] - 1.0).abs() < 0.01, "{precision:?}: {} and {}", found[2], figures[2]);
    }
}

/// The state of a stepper, flat.
fn everything(stepper: &Stepper<'_>) -> Vec<(String, Vec<f64>)> {
    let numbers =
        |tensor: &Tensor| Vec::try_from(tensor.detach().to_kind(Kind::Double).reshape([-1])).unwrap();
    let weights =
        tensors(stepper.network, &stepper.balance).into_iter().map(|tensor| ("w".into(), numbers(tensor)));
    weights.chain(stepper.named_state().into_iter().map(|(name, tensor)| (name, numbers(&tensor)))).collect()
}

#[test]
fn a_step_with_an_infinite_gradient_moves_nothing_but_the_scale() {
    let (tasks, good) = (tasks(), batch(&tasks()));
    let bad = batch(&tasks);
    let _ = bad.inputs[0].i((3, 2, 1)).fill_(f64::INFINITY);
    let spec = OptimizerSpec::Adamw(AdamSpec::default());
    for precision in [Precision::Fp16, Precision::Bf16, Precision::Fp32] {
        let network = network();
        let mut stepper = stepper(network.as_ref(), &tasks, &spec, BalancingSpec::Uncertainty);
        (stepper.precision, stepper.scaler) = (precision, precision.scaler(Device::Cpu).unwrap());
        stepper.average = Some(Average::new(&AverageSpec::default(), network.parameters()).unwrap());
        let mut step = |batch: &Batch| {
            let pace = Pace::unseen(1e-3, 1);
            let figures = stepper.step([Ok(part(batch, &[0, ROWS]))], &denominators(batch), pace).unwrap();
            (Vec::<f32>::try_from(figures).unwrap()[0], everything(&stepper))
        };
        let (skipped, before) = step(&good);
        assert_eq!(skipped, 0.0);
        let (skipped, after) = step(&bad);
        assert_eq!(skipped, 1.0, "{precision:?}");
        for ((name, before), (_, after)) in before.iter().zip(&after) {
            match name.as_str() {
                "loss_scaler/scale" => assert_eq!((before[0], after[0]), (65_536.0, 32_768.0)),
                "loss_scaler/growth_tracker" => assert_eq!((before[0], after[0]), (1.0, 0.0)),
                _ => assert_eq!(before, after, "{precision:?}: {name} has moved"),
            }
        }
        let (skipped, moved) = step(&good);
        assert_eq!(skipped, 0.0);
        assert!(moved.iter().zip(&after).all(|((name, one), (_, other))| {
            name.starts_with("loss_scaler")
                || name.contains("step")
                || one != other
                || one.iter().all(|x| *x == 0.0)
        }));
    }
}

#[test]
fn a_gradient_is_clipped_in_its_own_unit() {
    // With a scale of 65536 a gradient of norm 1 would be cut to nothing before it is unscaled.
    let spec = OptimizerSpec::Sgd(SgdSpec {
        momentum: 0.0,
        nesterov: false,
        weight_decay: 0.0,
        ..SgdSpec::default()
    });
    let (tasks, batch) = (tasks(), batch(&tasks()));
    let way = |max_norm: f64| {
        let network = network();
        let start = weights(network.as_ref());
        let mut stepper = stepper(network.as_ref(), &tasks, &spec, BalancingSpec::Fixed);
        (stepper.precision, stepper.max_norm) = (Precision::Fp16, max_norm);
        stepper.scaler = Precision::Fp16.scaler(Device::Cpu).unwrap();
        let figures =
            stepper.step([Ok(part(&batch, &[0, ROWS]))], &denominators(&batch), Pace::unseen(1.0, 1));
        let norm = f64::from(Vec::<f32>::try_from(figures.unwrap()).unwrap()[2]);
        ((weights(network.as_ref()) - start).norm().double_value(&[]), norm)
    };
    let (free, norm) = way(1e9);
    assert!((free / norm - 1.0).abs() < 1e-3, "a step of rate 1 went {free}, the gradient is {norm}");
    let (cut, _) = way(0.5 * norm);
    assert!((cut / (0.5 * norm) - 1.0).abs() < 1e-3, "a step of rate 1 went {cut} of {norm}");
}
