//! The loss and its gradients against PyTorch's (`tests/golden/balance.json`, made by `scripts/golden_trainer.py`).

use serde::Deserialize;
use tapeline_testkit::assert_close;
use tch::{Device, Kind, Tensor};

use super::{Balance, LOG_VARIANCE_LIMIT};
use crate::feed::Targets;
use crate::loss::{Denominators, part_loss};
use crate::small_network;
use crate::spec::{BalancingSpec, PriceTaskSpec, TasksSpec, VolatilityTaskSpec};

/// Two implementations in single precision.
const TOLERANCE: f64 = 1e-6;

#[derive(Deserialize)]
struct Case {
    batch: i64,
    total: f64,
    tasks: Vec<TaskCase>,
    log_variances: Vec<f32>,
    log_variances_gradient: Vec<f32>,
}

#[derive(Deserialize)]
struct TaskCase {
    output: Vec<f32>,
    target: Vec<f32>,
    mask: Vec<f32>,
    loss: f64,
    gradient: Vec<f32>,
}

fn with_log_variances(balance: &Balance, values: &[f32]) {
    let mut tensor = balance.log_variances().unwrap().shallow_clone();
    tch::no_grad(|| tensor.copy_(&Tensor::from_slice(values)));
}

fn numbers(tensor: &Tensor) -> Vec<f32> {
    Vec::try_from(tensor.detach().flatten(0, -1)).unwrap()
}

#[test]
fn the_loss_and_its_gradients_are_those_of_kendall_gal_and_cipolla() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../../tests/golden/balance.json")).unwrap();
    assert_eq!(cases.len(), 3);
    let tasks = small_network::tasks();
    for case in cases {
        let balance = Balance::new(BalancingSpec::Uncertainty, &tasks, Device::Cpu).unwrap();
        with_log_variances(&balance, &case.log_variances);
        let table = |values: &[f32]| Tensor::from_slice(values).reshape([case.batch, -1]);
        let mut learned: Vec<Tensor> =
            case.tasks.iter().map(|task| table(&task.output).set_requires_grad(true)).collect();
        let targets = case.tasks.iter();
        let targets: Vec<Targets> =
            targets.map(|task| Targets { values: table(&task.target), weights: table(&task.mask) }).collect();
        let valid = case.tasks.iter().map(|task| task.mask.iter().map(|valid| f64::from(*valid)).sum());
        let denominators = Denominators::new(valid.collect());

        let loss = part_loss(&tasks, &balance, &learned, &targets, &denominators).unwrap();
        let penalty = balance.penalty(&denominators).unwrap().unwrap();
        let total = (&loss.total + &penalty.value).double_value(&[]);
        assert_close(&[total / case.total], &[1.0], TOLERANCE);
        for (found, task) in loss.tasks.iter().zip(&case.tasks) {
            let expected = task.loss.max(1.0);
            assert_close(&[found.double_value(&[]) / expected], &[task.loss / expected], TOLERANCE);
        }

        learned.push(balance.log_variances().unwrap().shallow_clone());
        let gradients = Tensor::run_backward(&[&loss.total], &learned, false, false);
        for (gradient, task) in gradients.iter().zip(&case.tasks) {
            assert_close(&numbers(gradient), &task.gradient, TOLERANCE);
        }
        let by_log_variances = &gradients[case.tasks.len()] + &penalty.gradient;
        assert_close(&numbers(&by_log_variances), &case.log_variances_gradient, TOLERANCE);
    }
}

#[test]
fn a_task_of_weight_0_is_not_learned() {
    let spec = TasksSpec {
        price_prediction: Some(PriceTaskSpec { weight: 0.0, ..PriceTaskSpec::default() }),
        volatility_estimation: Some(VolatilityTaskSpec::default()),
        regime_detection: None,
    };
    let tasks = spec.check().unwrap();
    let balance = Balance::new(BalancingSpec::Uncertainty, &tasks, Device::Cpu).unwrap();
    let losses = [3.0, 5.0].map(|loss| Tensor::from(loss).to_kind(Kind::Float));
    assert_close(&[balance.total(&tasks, &losses).unwrap().double_value(&[])], &[2.5], TOLERANCE);
    let penalty = balance.penalty(&Denominators::new(vec![4.0, 4.0])).unwrap().unwrap();
    assert_eq!(numbers(&penalty.gradient), [0.0, 0.5]);
}

#[test]
fn uncertainties_stay_within_their_limit() {
    let tasks = small_network::tasks();
    let balance = Balance::new(BalancingSpec::Uncertainty, &tasks, Device::Cpu).unwrap();
    with_log_variances(&balance, &[-1e3, 0.25, 1e3]);
    balance.clamp().unwrap();
    let limit = LOG_VARIANCE_LIMIT as f32;
    assert_eq!(numbers(balance.log_variances().unwrap()), [-limit, 0.25, limit]);
    assert!(balance.log_variances().unwrap().requires_grad());
    let metrics = balance.metrics(&tasks).unwrap();
    assert_eq!(metrics["train/volatility_estimation/log_variance"], Some(0.25));
}

#[test]
fn a_fixed_balance_has_nothing_to_learn() {
    let tasks = small_network::tasks();
    let balance = Balance::new(BalancingSpec::Fixed, &tasks, Device::Cpu).unwrap();
    assert!(balance.log_variances().is_none());
    assert!(balance.penalty(&Denominators::new(vec![1.0; 3])).unwrap().is_none());
    assert!(balance.metrics(&tasks).unwrap().is_empty());
}
