//! The numbers are PyTorch's: `tests/golden/loss.json`, which `scripts/golden_trainer.py` made.

use serde::Deserialize;
use tapeline_testkit::assert_close;
use tch::Tensor;

use super::{Denominators, LossSum, part_loss};
use crate::balance::Balance;
use crate::feed::Targets;
use crate::forecast::Forecast;
use crate::small_network;
use crate::spec::{ClassificationLoss, PriceTaskSpec, RegimeTaskSpec, RegressionLoss, TasksSpec};
use crate::task::TaskKind;

/// Two implementations in single precision.
const TOLERANCE: f64 = 1e-6;

#[derive(Deserialize)]
struct Case {
    batch: usize,
    total: f64,
    tasks: Vec<TaskCase>,
}

#[derive(Deserialize)]
struct TaskCase {
    horizons: usize,
    weight: f64,
    output: Vec<f32>,
    target: Vec<f32>,
    mask: Vec<f32>,
    loss: f64,
    gradient: Vec<f32>,
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("../../tests/golden/loss.json")).unwrap()
}

fn table(values: &[f32], rows: usize) -> Tensor {
    Tensor::from_slice(values).reshape([rows as i64, -1])
}

#[test]
fn a_batch_has_the_loss_and_the_gradients_of_its_valid_cells() {
    let tasks = small_network::tasks();
    for case in cases() {
        let outputs: Vec<Tensor> =
            case.tasks.iter().map(|task| table(&task.output, case.batch).set_requires_grad(true)).collect();
        let target = |task: &TaskCase| Targets {
            values: table(&task.target, case.batch),
            weights: table(&task.mask, case.batch),
        };
        let targets: Vec<Targets> = case.tasks.iter().map(target).collect();
        let valid = case.tasks.iter().map(|task| task.mask.iter().map(|valid| f64::from(*valid)).sum());
        let loss =
            part_loss(&tasks, &Balance::Fixed, &outputs, &targets, &Denominators::new(valid.collect()));
        let loss = loss.unwrap();

        assert_close(&[loss.total.double_value(&[])], &[case.total], TOLERANCE);
        let gradients = Tensor::run_backward(&[&loss.total], &outputs, false, false);
        for (number, (task, spec)) in case.tasks.iter().zip(tasks.iter()).enumerate() {
            assert_eq!((task.horizons, task.weight), (spec.horizons.len(), spec.weight));
            assert_close(&[loss.tasks[number].double_value(&[])], &[task.loss], TOLERANCE);
            let gradient = Vec::<f32>::try_from(gradients[number].flatten(0, -1)).unwrap();
            assert_close(&gradient, &task.gradient, TOLERANCE);
        }
    }
}

#[derive(Deserialize)]
struct Weighted {
    batch: WeightedBatch,
}

#[derive(Deserialize)]
struct WeightedBatch {
    output: Vec<f32>,
    target: Vec<f32>,
    weights: Vec<f32>,
    loss: f64,
    gradient: Vec<f32>,
}

#[test]
fn targets_of_other_weights_make_a_weighted_mean() {
    let golden: Weighted =
        serde_json::from_str(include_str!("../../tests/golden/class_weights.json")).unwrap();
    let spec = TasksSpec {
        price_prediction: None,
        volatility_estimation: None,
        regime_detection: Some(RegimeTaskSpec { horizons: vec![1], weight: 1.0, ..Default::default() }),
    };
    let tasks = spec.check().unwrap();
    let WeightedBatch { output, target, weights, loss, gradient } = golden.batch;
    let outputs = [table(&output, target.len()).set_requires_grad(true)];
    let targets = [Targets { values: table(&target, target.len()), weights: table(&weights, target.len()) }];
    let sum = Denominators::new(vec![weights.iter().map(|weight| f64::from(*weight)).sum()]);
    let found = part_loss(&tasks, &Balance::Fixed, &outputs, &targets, &sum).unwrap();
    assert_close(&[found.total.double_value(&[])], &[loss], TOLERANCE);
    let gradients = Tensor::run_backward(&[&found.total], &outputs, false, false);
    let by_output = Vec::<f32>::try_from(gradients[0].flatten(0, -1)).unwrap();
    assert_close(&by_output, &gradient, TOLERANCE);
}

#[derive(Deserialize)]
struct HeadCase {
    name: String,
    parameter: Option<f64>,
    output: Vec<f32>,
    target: Vec<f32>,
    mask: Vec<f32>,
    loss: f64,
    gradient: Vec<f32>,
}

/// The one task whose loss a case is about.
fn task_of(case: &HeadCase) -> TasksSpec {
    let parameter = case.parameter.unwrap_or_default();
    let mut spec = TasksSpec { price_prediction: None, volatility_estimation: None, regime_detection: None };
    let horizons = vec![1, 2];
    let price =
        |loss| Some(PriceTaskSpec { horizons: vec![1, 2], loss, weight: 1.0, ..PriceTaskSpec::default() });
    let regime = RegimeTaskSpec { horizons, weight: 1.0, ..RegimeTaskSpec::default() };
    match case.name.as_str() {
        "gaussian" => spec.price_prediction = price(RegressionLoss::Gaussian),
        "quantile" => spec.price_prediction = price(RegressionLoss::Quantile { tail: parameter }),
        "focal" => {
            let loss = ClassificationLoss::Focal { gamma: parameter };
            spec.regime_detection = Some(RegimeTaskSpec { loss, ..regime });
        }
        _ => spec.regime_detection = Some(RegimeTaskSpec { label_smoothing: parameter, ..regime }),
    }
    spec
}

#[test]
fn distributions_and_smoothed_and_focal_classes_have_the_losses_of_pytorch() {
    let cases: Vec<HeadCase> = serde_json::from_str(include_str!("../../tests/golden/heads.json")).unwrap();
    assert_eq!(cases.len(), 6);
    for case in cases {
        let tasks = task_of(&case).check().unwrap();
        let rows = case.target.len() / 2;
        let outputs = [table(&case.output, rows).set_requires_grad(true)];
        let targets = [Targets { values: table(&case.target, rows), weights: table(&case.mask, rows) }];
        let valid = case.mask.iter().map(|valid| f64::from(*valid)).sum();
        let loss = part_loss(&tasks, &Balance::Fixed, &outputs, &targets, &Denominators::new(vec![valid]));
        let loss = loss.unwrap();
        assert_close(&[loss.total.double_value(&[])], &[case.loss], TOLERANCE);
        let gradients = Tensor::run_backward(&[&loss.total], &outputs, false, false);
        let gradient = Vec::<f32>::try_from(gradients[0].flatten(0, -1)).unwrap();
        assert_close(&gradient, &case.gradient, TOLERANCE);

        // On the host, where nothing is smoothed.
        let task = tasks.iter().next().unwrap();
        let mut sum = LossSum::default();
        let width = case.output.len() / rows;
        for cell in (0..case.target.len()).filter(|cell| case.mask[*cell] == 1.0) {
            let (row, position) = (cell / 2, cell % 2);
            let said = &case.output[row * width..(row + 1) * width];
            match task.kind {
                TaskKind::Price { loss } | TaskKind::Volatility { loss } => {
                    sum.add_regression(
                        loss,
                        &Forecast::of(loss, said, 2, position),
                        f64::from(case.target[cell]),
                    );
                }
                TaskKind::Regime { classes, loss, .. } => {
                    let scores = &said[position * classes..(position + 1) * classes];
                    sum.add_class(loss, scores, case.target[cell] as usize);
                }
            }
        }
        if case.name != "label_smoothing" {
            assert_close(&[sum.mean(task.loss_scale()).unwrap()], &[case.loss], TOLERANCE);
        }
    }
}

#[test]
fn a_task_without_a_target_adds_nothing() {
    let blind =
        cases().into_iter().flat_map(|case| case.tasks).filter(|task| task.mask.iter().sum::<f32>() == 0.0);
    assert_eq!(blind.map(|task| task.loss).collect::<Vec<_>>(), [0.0; 3]);
}

#[test]
fn sums_on_the_host_come_to_the_same_loss() {
    let tasks = small_network::tasks();
    for (task, spec) in cases().iter().flat_map(|case| case.tasks.iter().zip(tasks.iter())) {
        let mut sum = LossSum::default();
        for cell in (0..task.target.len()).filter(|cell| task.mask[*cell] == 1.0) {
            match spec.kind {
                TaskKind::Price { loss } | TaskKind::Volatility { loss } => {
                    let said = Forecast::of(loss, &task.output[cell..=cell], 1, 0);
                    sum.add_regression(loss, &said, f64::from(task.target[cell]));
                }
                TaskKind::Regime { classes, loss, .. } => {
                    let scores = &task.output[cell * classes..(cell + 1) * classes];
                    sum.add_class(loss, scores, task.target[cell] as usize);
                }
            }
        }
        match sum.mean(spec.loss_scale()) {
            Some(mean) => assert_close(&[mean], &[task.loss], TOLERANCE),
            None => assert_eq!(task.mask.iter().sum::<f32>(), 0.0),
        }
    }
}

#[test]
fn scores_far_apart_do_not_overflow() {
    let mut sum = LossSum::default();
    sum.add_class(ClassificationLoss::CrossEntropy, &[1e4, -1e4], 1);
    assert_eq!(sum.mean(1.0), Some(2e4));
}
