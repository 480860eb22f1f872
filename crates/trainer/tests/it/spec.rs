//! Faults of the `training` and `tasks` sections: all at once, each with its path.

use std::collections::BTreeSet;

use tapeline_events::Event;
use tapeline_trainer::{
    AdamSpec, ClassWeightsSpec, CosineSpec, OptimizerSpec, PlateauSpec, SchedulerSpec, SgdSpec, Start,
    StepSpec, TasksSpec, TrainError, TrainingSpec,
};

use crate::small_run::{Heard, SmallRun, tasks_spec};

fn paths(report: &garde::Report) -> BTreeSet<String> {
    report.iter().map(|(path, _)| path.to_string()).collect()
}

fn set(paths: &[&str]) -> BTreeSet<String> {
    paths.iter().map(|path| (*path).to_owned()).collect()
}

#[test]
fn the_defaults_have_no_fault() {
    assert!(TrainingSpec::default().check().is_ok());
    let tasks = TasksSpec::default().check().unwrap();
    assert_eq!(tasks.labels().len(), 5);
    assert_eq!(tasks.heads().len(), 3);
}

#[test]
fn every_fault_of_training_is_named_at_once() {
    let mut spec = TrainingSpec { num_epochs: 0, batch_size: 0, ..TrainingSpec::default() };
    spec.gradient_accumulation = 0;
    spec.optimizer = OptimizerSpec::Adamw(AdamSpec {
        learning_rate: 0.0,
        weight_decay: -1.0,
        betas: [0.9, 1.0],
        epsilon: 0.0,
        ..AdamSpec::default()
    });
    spec.scheduler = SchedulerSpec::Plateau(PlateauSpec {
        warmup_epochs: f64::NAN,
        factor: 1.0,
        min_delta: -1e-9,
        min_rate: f64::INFINITY,
        ..PlateauSpec::default()
    });
    spec.gradient_clip.norm = f64::INFINITY;
    spec.early_stopping.patience = 0;
    spec.early_stopping.min_delta = -0.1;
    spec.checkpointing.every_n_epochs = 0;
    spec.checkpointing.every_n_steps = Some(0);
    spec.checkpointing.every_n_minutes = Some(f64::NAN);
    spec.checkpointing.keep_last = 0;
    spec.checkpointing.keep_best = 0;
    let expected = [
        "num_epochs",
        "batch_size",
        "gradient_accumulation",
        "optimizer.learning_rate",
        "optimizer.weight_decay",
        "optimizer.betas",
        "optimizer.epsilon",
        "scheduler.warmup_epochs",
        "scheduler.factor",
        "scheduler.min_delta",
        "scheduler.min_rate",
        "gradient_clip.norm",
        "early_stopping.patience",
        "early_stopping.min_delta",
        "checkpointing.every_n_epochs",
        "checkpointing.every_n_steps",
        "checkpointing.every_n_minutes",
        "checkpointing.keep_last",
        "checkpointing.keep_best",
    ];
    assert_eq!(paths(&spec.check().unwrap_err()), set(&expected));
}

#[test]
fn a_warm_up_longer_than_the_training_is_refused() {
    let mut spec = TrainingSpec { num_epochs: 2, ..TrainingSpec::default() };
    spec.scheduler = spec.scheduler.with_warmup_epochs(2.0);
    assert!(spec.check().is_ok());
    spec.scheduler = spec.scheduler.with_warmup_epochs(2.1);
    assert_eq!(paths(&spec.check().unwrap_err()), set(&["scheduler.warmup_epochs"]));
}

#[test]
fn what_only_some_kinds_have_is_checked_too() {
    let faults = |optimizer: OptimizerSpec, scheduler: SchedulerSpec| {
        let spec = TrainingSpec { optimizer, scheduler, ..TrainingSpec::default() };
        spec.check().err().map(|report| paths(&report)).unwrap_or_default()
    };
    let sgd = |momentum, nesterov| OptimizerSpec::Sgd(SgdSpec { momentum, nesterov, ..SgdSpec::default() });
    let step =
        |every_epochs, factor| SchedulerSpec::Step(StepSpec { every_epochs, factor, ..StepSpec::default() });
    let cosine = |min_rate| SchedulerSpec::Cosine(CosineSpec { min_rate, ..CosineSpec::default() });
    assert_eq!(faults(sgd(0.0, false), step(1, 0.5)), set(&[]));
    assert_eq!(
        faults(sgd(1.0, true), step(0, 0.0)),
        set(&["optimizer.momentum", "scheduler.every_epochs", "scheduler.factor"])
    );
    assert_eq!(faults(sgd(0.0, true), cosine(0.01)), set(&["optimizer.nesterov"]));
    assert_eq!(faults(sgd(0.9, true), cosine(0.02)), set(&["scheduler.min_rate"]));
    assert_eq!(faults(sgd(0.9, true), cosine(-0.01)), set(&["scheduler.min_rate"]));
}

#[test]
fn a_key_of_another_kind_is_refused() {
    for (text, key) in [
        (r#"{"kind": "sgd", "betas": [0.9, 0.99]}"#, "betas"),
        (r#"{"kind": "adamw", "momentum": 0.9}"#, "momentum"),
    ] {
        let refused = serde_json::from_str::<OptimizerSpec>(text).unwrap_err().to_string();
        assert!(refused.contains(&format!("unknown field `{key}`")), "{refused}");
    }
    let refused = serde_json::from_str::<SchedulerSpec>(r#"{"kind": "constant", "factor": 0.1}"#);
    assert!(refused.unwrap_err().to_string().contains("unknown field `factor`"));
}

#[test]
fn every_fault_of_the_tasks_is_named_at_once() {
    let mut spec = tasks_spec();
    let price = spec.price_prediction.as_mut().unwrap();
    price.horizons = vec![1, 0, 1];
    spec.volatility_estimation.as_mut().unwrap().weight = -0.5;
    let regime = spec.regime_detection.as_mut().unwrap();
    regime.horizons.clear();
    regime.class_weights = ClassWeightsSpec::EffectiveNumber { beta: 1.0 };
    let expected = [
        "price_prediction.horizons[1]",
        "price_prediction.horizons[2]",
        "volatility_estimation.weight",
        "regime_detection.horizons",
        "regime_detection.class_weights.effective_number.beta",
    ];
    assert_eq!(paths(&spec.check().unwrap_err()), set(&expected));
}

#[test]
fn no_task_and_no_weight_are_refused() {
    let mut spec = tasks_spec();
    spec.price_prediction.as_mut().unwrap().weight = 0.0;
    spec.volatility_estimation = None;
    spec.regime_detection = None;
    let refused = spec.check().unwrap_err().to_string();
    assert!(refused.contains("nothing to learn"), "{refused}");
    spec.price_prediction = None;
    let refused = spec.check().unwrap_err().to_string();
    assert!(refused.contains("no task is given"), "{refused}");
}

#[test]
fn labels_and_heads_stand_in_the_order_of_the_tasks() {
    let tasks = tasks_spec().check().unwrap();
    let names: Vec<_> = tasks.iter().map(|task| (task.name, task.labels.clone())).collect();
    let expected = [("price_prediction", 0..2), ("volatility_estimation", 2..3), ("regime_detection", 3..4)];
    assert_eq!(names, expected);
    assert!(tasks.heads().iter().map(|head| head.name.as_str()).eq(expected.iter().map(|(name, _)| *name)));
}

#[test]
fn a_run_with_faults_does_not_begin() {
    let mut run = SmallRun::new();
    let folder = tempfile::tempdir().unwrap();
    let mut heard = Heard::default();
    run.training.early_stopping.metric = "validation/los".into();
    match run.fit(folder.path(), Start::Fresh, &|| false, &mut heard) {
        Err(TrainError::UnknownMetric { policy, nearest, .. }) => {
            assert_eq!((policy, nearest[0].as_str()), ("training.early_stopping.metric", "validation/loss"));
        }
        other => panic!("not refused: {:?}", other.map(|(ending, _)| ending)),
    }
    run.training.early_stopping.metric = "validation/loss".into();
    let metric = "validation/price_prediction/h1/rank_ic".into();
    run.training.scheduler =
        SchedulerSpec::Plateau(PlateauSpec { metric, ..PlateauSpec::default() }).with_warmup_epochs(0.0);
    match run.fit(folder.path(), Start::Fresh, &|| false, &mut heard) {
        Err(TrainError::UnknownMetric { policy, .. }) => assert_eq!(policy, "training.scheduler.metric"),
        other => panic!("not refused: {:?}", other.map(|(ending, _)| ending)),
    }
    run.training.batch_size = 0;
    let refused = run.fit(folder.path(), Start::Fresh, &|| false, &mut heard).map(|(ending, _)| ending);
    assert!(matches!(refused, Err(TrainError::Training(_))), "{refused:?}");
    assert_eq!(heard.0, [] as [Event; 0]);
}
