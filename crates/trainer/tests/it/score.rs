//! Scores: complete, and the same for any batch size.

mod made_up;

use tapeline_artefact::predict;
use tapeline_data_pipeline::{FittedLabel, Split};
use tapeline_trainer::{BalancingSpec, Calibration, ClassWeightsSpec, Start, metric, scorecard};
use tch::Device;

use crate::small_run::{Heard, SmallRun, tasks_spec};

#[test]
fn a_run_has_every_metric_of_the_catalogue_and_no_other() {
    let run = SmallRun::new();
    let folder = tempfile::tempdir().unwrap();
    let (ending, _) = run.fit(folder.path(), Start::Fresh, &|| false, &mut Heard::default()).unwrap();
    let mut expected: Vec<String> =
        metric::catalogue("validation", &run.tasks).into_iter().map(|metric| metric.name).collect();
    expected.sort();
    let found: Vec<&String> =
        ending.state.history[0].metrics.keys().filter(|name| name.starts_with("validation/")).collect();
    assert_eq!(found, expected.iter().collect::<Vec<_>>());

    let mut expected: Vec<String> =
        metric::feature_catalogue(&run.tasks).into_iter().map(|metric| metric.name).collect();
    expected.sort();
    let features: Vec<(&String, f64)> = (ending.state.history[0].metrics.iter())
        .filter(|(name, _)| name.starts_with("features/"))
        .map(|(name, value)| (name, value.unwrap()))
        .collect();
    assert_eq!(
        features.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        expected.iter().collect::<Vec<_>>()
    );
    for (name, value) in features {
        let (least, most) = match name.as_str() {
            "features/effective_rank" => (1.0, 12.0),
            "features/dead" | "features/variance" => (0.0, f64::INFINITY),
            name if name.ends_with("discoveries") => (0.0, 12.0),
            _ => (f64::MIN_POSITIVE, 1.0),
        };
        assert!((least..=most).contains(&value), "{name}: {value}");
    }
}

#[test]
fn scores_do_not_depend_on_the_batch_size() {
    let run = SmallRun::new();
    let network = run.network();
    let samples = run.data.samples(Split::Validation);
    let scores = [1, 7, 64, samples.len()].map(|batch| {
        let said = predict(network.as_ref(), &run.data, samples, batch, Device::Cpu).unwrap();
        let calibration = Calibration::on_validation(&run.data, &run.tasks, &said);
        scorecard(&run.data, &run.tasks, Split::Validation, &said, &calibration, 1).unwrap().metrics
    });
    for other in &scores[1..] {
        for (name, value) in &scores[0] {
            match (value, other[name]) {
                (Some(a), Some(b)) => {
                    assert!((a - b).abs() <= 1e-5 * a.abs().max(1.0), "{name}: {a} and {b}");
                }
                (a, b) => assert_eq!(*a, b, "{name}"),
            }
        }
    }
}

#[test]
fn a_policy_on_a_metric_that_does_not_exist_is_refused_with_the_nearest_names() {
    let run = SmallRun::new();
    let nearest = metric::find("validation/price_prediction/h5/rank_ic_serie", &run.tasks).unwrap_err();
    assert_eq!(nearest[0], "validation/price_prediction/h5/rank_ic_series");
}

#[test]
fn the_loss_of_a_span_is_the_mean_over_all_its_targets() {
    let run = SmallRun::new();
    let network = run.network();
    let samples = run.data.samples(Split::Validation);
    let said = predict(network.as_ref(), &run.data, samples, 50, Device::Cpu).unwrap();
    let calibration = Calibration::on_validation(&run.data, &run.tasks, &said);
    let card = scorecard(&run.data, &run.tasks, Split::Validation, &said, &calibration, 1).unwrap();

    let (head, task) =
        run.tasks.iter().enumerate().find(|(_, task)| task.name == "volatility_estimation").unwrap();
    let column = &run.data.labels()[task.labels.start];
    let FittedLabel::Regression { mean, std } = column.fitted else { panic!("{:?}", column.fitted) };
    let target = |sample: u32| (f64::from(column.values[sample as usize]) - mean) / std;
    let misses: Vec<f64> = samples
        .iter()
        .enumerate()
        .map(|(row, sample)| target(*sample) - f64::from(said.heads[head].row(row)[0]))
        .filter(|miss| !miss.is_nan())
        .collect();
    let expected = misses.iter().map(|miss| miss * miss).sum::<f64>() / misses.len() as f64;
    let found = card.metrics["validation/volatility_estimation/loss"].unwrap();
    assert!((found - expected).abs() <= 1e-12 * expected, "{found} and {expected}");
}

#[test]
fn class_weights_count_in_training_alone_and_are_told() {
    let weighted = |class_weights| {
        let mut tasks = tasks_spec();
        tasks.regime_detection.as_mut().unwrap().class_weights = class_weights;
        SmallRun::of(tasks)
    };
    let [plain, balanced] = [ClassWeightsSpec::None, ClassWeightsSpec::Balanced].map(weighted);
    let network = plain.network();
    let card = |run: &SmallRun| {
        let samples = run.data.samples(Split::Validation);
        let said = predict(network.as_ref(), &run.data, samples, 50, Device::Cpu).unwrap();
        let calibration = Calibration::on_validation(&run.data, &run.tasks, &said);
        scorecard(&run.data, &run.tasks, Split::Validation, &said, &calibration, 1).unwrap()
    };
    let (plain, card) = (card(&plain), card(&balanced));
    assert_eq!(card.metrics, plain.metrics);
    assert!(plain.regime[0].class_weights.is_empty());
    let task = balanced.tasks.iter().find(|task| task.name == "regime_detection").unwrap();
    let FittedLabel::Regime { class_counts, .. } = &balanced.data.labels()[task.labels.start].fitted else {
        panic!("a regime")
    };
    assert_eq!(card.regime[0].class_weights, ClassWeightsSpec::Balanced.weights(class_counts));
    let names: Vec<&str> = card.regime[0].baselines.iter().map(|naive| naive.name.as_str()).collect();
    assert_eq!(names, ["majority", "stratified", "persistence"]);
}

#[test]
fn learned_uncertainties_are_told_and_the_validation_loss_keeps_the_fixed_weights() {
    let mut run = SmallRun::new();
    run.training.balancing = BalancingSpec::Uncertainty;
    run.training.optimizer = run.training.optimizer.with_learning_rate(0.02);
    let folder = tempfile::tempdir().unwrap();
    let (ending, _) = run.fit(folder.path(), Start::Fresh, &|| false, &mut Heard::default()).unwrap();
    let metrics = &ending.state.history.last().unwrap().metrics;
    let of = |name: String| metrics[&name].unwrap();
    let tasks = || run.tasks.iter();
    assert!(tasks().all(|task| of(format!("train/{}/log_variance", task.name)).abs() > 1e-3), "{metrics:?}");
    let fixed: f64 = tasks().map(|task| task.weight * of(format!("validation/{}/loss", task.name))).sum();
    assert!((of("validation/loss".into()) - fixed).abs() <= 1e-12 * fixed.abs());
}
