//! A run that was stopped anywhere and resumed is the run that never was.

use std::cell::Cell;
use std::fs;
use std::path::Path;

use tapeline_events::{Event, Outcome, Record, SCHEMA, projection};
use tapeline_models::weights_to_bytes;
use tapeline_trainer::{
    AdamSpec, AverageSpec, BalancingSpec, ClassWeightsSpec, ClassificationLoss, ConstantSpec, Curriculum,
    CurriculumSpec, OptimizerSpec, PaceSpec, Pacing, PartRatesSpec, PlateauSpec, PrecisionSpec,
    RegressionLoss, SchedulerSpec, SgdSpec, Start, StepSpec, TrainError, TrainingSpec,
};

use crate::precision::overflowing;
use crate::small_run::{Heard, SEED, SmallRun, tasks_spec};

pub(crate) fn records(heard: &Heard) -> Vec<Record> {
    let record = |(seq, event): (usize, &Event)| Record {
        schema: SCHEMA,
        seq: seq as u64,
        at: String::new(),
        event: event.clone(),
    };
    heard.0.iter().enumerate().map(record).collect()
}

pub(crate) fn files_of(checkpoint: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(checkpoint)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn a_run_stopped_at_any_step_and_resumed_is_the_same_run() {
    tch::set_num_threads(1);
    is_the_same_when_stopped(&SmallRun::new(), |first_epoch, last| {
        vec![vec![1], vec![first_epoch], vec![2, first_epoch - 1, last - 1], vec![5, 6, 7]]
    });
}

#[test]
fn so_is_a_run_with_any_optimiser_schedule_accumulation_and_balance() {
    tch::set_num_threads(1);
    let sgd = |momentum, nesterov| OptimizerSpec::Sgd(SgdSpec { momentum, nesterov, ..SgdSpec::default() });
    let step = SchedulerSpec::Step(StepSpec { every_epochs: 1, ..StepSpec::default() });
    // Nothing improves by so much: the rate falls after each epoch.
    let plateau =
        SchedulerSpec::Plateau(PlateauSpec { patience: 0, min_delta: 1e9, ..PlateauSpec::default() });
    let constant = SchedulerSpec::Constant(ConstantSpec::default());
    let cosine = SchedulerSpec::default();
    let balanced = ClassWeightsSpec::Balanced;
    let effective = ClassWeightsSpec::EffectiveNumber { beta: 0.99 };
    let none = ClassWeightsSpec::None;
    let (fixed, uncertainty) = (BalancingSpec::Fixed, BalancingSpec::Uncertainty);
    for (optimizer, scheduler, (batch_size, gradient_accumulation), balancing, class_weights) in [
        (OptimizerSpec::Adamw(AdamSpec::default()), cosine.clone(), (20, 3), uncertainty, balanced),
        (OptimizerSpec::Adam(AdamSpec::default()), step, (48, 1), fixed, effective),
        (sgd(0.9, true), plateau, (20, 3), uncertainty, none),
        (sgd(0.9, false), constant, (16, 4), fixed, none),
        (sgd(0.0, false), cosine, (48, 1), uncertainty, none),
    ] {
        let mut tasks = tasks_spec();
        tasks.regime_detection.as_mut().unwrap().class_weights = class_weights;
        let mut run = SmallRun::of(tasks);
        let scheduler = scheduler.with_warmup_epochs(0.5);
        run.training = TrainingSpec {
            num_epochs: 3,
            optimizer,
            scheduler,
            batch_size,
            gradient_accumulation,
            balancing,
            ..run.training
        };
        is_the_same_when_stopped(&run, |first_epoch, last| {
            vec![vec![2, first_epoch, 2 * first_epoch + 1, last - 1]]
        });
    }
}

#[test]
fn so_is_a_run_in_half_precision_with_skipped_steps() {
    tch::set_num_threads(1);
    let mut run = overflowing();
    run.training.average = Some(AverageSpec { decay: 0.99 });
    run.training.balancing = BalancingSpec::Fixed;
    // Amid the steps that overflow, after them, and at an epoch's end.
    is_the_same_when_stopped(&run, |first_epoch, last| vec![vec![1, 3, first_epoch], vec![2, last - 1]]);
    run.training.precision = PrecisionSpec::Bf16;
    for threads in [1, 2] {
        run.threads = threads;
        is_the_same_when_stopped(&run, |first_epoch, last| vec![vec![2, first_epoch, last - 1]]);
    }
}

#[test]
fn so_is_a_run_with_averages_part_rates_other_losses_and_guards_that_speak() {
    tch::set_num_threads(1);
    for loss in [RegressionLoss::Gaussian, RegressionLoss::Quantile { tail: 0.1 }] {
        let mut tasks = tasks_spec();
        tasks.price_prediction.as_mut().unwrap().loss = loss;
        let regime = tasks.regime_detection.as_mut().unwrap();
        (regime.loss, regime.label_smoothing) = (ClassificationLoss::Focal { gamma: 2.0 }, 0.1);
        let mut run = SmallRun::of(tasks);
        run.recurrent_dropout = 0.2;
        run.training.batch_size = 12;
        run.training.average = Some(AverageSpec::default());
        run.training.part_rates = PartRatesSpec { cnn: 0.5, lstm: 1.0, fusion: 1.0, heads: 2.0 };
        run.training.task_gradients = true;
        (run.training.guards.loss_spike, run.training.guards.exploding_norm) = (1.0, 1.5);
        is_the_same_when_stopped(&run, |first_epoch, last| vec![vec![3, first_epoch, last - 2]]);
    }
}

#[test]
fn so_is_a_run_with_a_curriculum() {
    tch::set_num_threads(1);
    let mut run = SmallRun::new();
    let pace = PaceSpec { start: 0.4, epochs: 1, pacing: Pacing::Linear };
    for kind in [CurriculumSpec::Volatility(pace), CurriculumSpec::SequenceLength(pace)] {
        run.training.curriculum = Some(kind);
        is_the_same_when_stopped(&run, |first_epoch, last| {
            vec![vec![first_epoch], vec![first_epoch - 1, first_epoch + 1, last - 1]]
        });
    }
}

/// Compares weights, the last checkpoint and the journal of a whole run with those of runs that are stopped and resumed.
/// `stops` says at which steps they are stopped, given the steps of its first epoch and of all.
fn is_the_same_when_stopped(run: &SmallRun, stops: impl Fn(usize, usize) -> Vec<Vec<usize>>) {
    let whole = tempfile::tempdir().unwrap();
    let mut heard = Heard::default();
    let (ending, network) = run.fit(whole.path(), Start::Fresh, &|| false, &mut heard).unwrap();
    let expected = weights_to_bytes(network.parameters()).unwrap();
    let last = ending.state.step;
    let last_checkpoint = format!("step-{last:08}");

    let first_epoch = Curriculum::new(&run.data, &run.tasks, &run.training, SEED).unwrap().steps(0);
    for stops in stops(first_epoch, last) {
        let folder = tempfile::tempdir().unwrap();
        let mut told = Heard::default();
        let mut start = Start::Fresh;
        for stop in stops {
            let done = Cell::new(if start == Start::Fresh { 0 } else { step_of(&told) });
            let reached = || {
                done.set(done.get() + 1);
                done.get() == stop
            };
            let (ending, _) = run.fit(folder.path(), start, &reached, &mut told).unwrap();
            assert_eq!(ending.outcome, Outcome::Interrupted);
            assert_eq!(ending.state.step, stop);
            start = Start::Resume;
        }
        let (ending, network) = run.fit(folder.path(), start, &|| false, &mut told).unwrap();
        assert_eq!(ending.outcome, Outcome::Completed);
        assert_eq!(weights_to_bytes(network.parameters()).unwrap(), expected, "weights differ");
        let pair = [whole.path(), folder.path()].map(|folder| files_of(&folder.join(&last_checkpoint)));
        assert_eq!(pair[0], pair[1], "the last checkpoints differ");
        assert_eq!(projection(&records(&told)), projection(&records(&heard)), "the journals differ");
    }
}

fn step_of(heard: &Heard) -> usize {
    heard.0.iter().rev().find_map(Event::step).unwrap_or_default() as usize
}

#[test]
fn a_damaged_checkpoint_is_named_and_the_one_before_it_used() {
    tch::set_num_threads(1);
    let run = SmallRun::new();
    let folder = tempfile::tempdir().unwrap();
    let (ending, network) = run.fit(folder.path(), Start::Fresh, &|| false, &mut Heard::default()).unwrap();
    let newest = folder.path().join(format!("step-{:08}", ending.state.step));
    let model = newest.join("model.safetensors");
    let mut bytes = fs::read(&model).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&model, bytes).unwrap();

    let mut told = Heard::default();
    let (again, resumed) = run.fit(folder.path(), Start::Resume, &|| false, &mut told).unwrap();
    let warned = told.0.iter().any(|event| {
        matches!(event, Event::CheckpointDamaged { folder, reason, .. }
            if newest.ends_with(folder) && reason.contains("model.safetensors"))
    });
    assert!(warned, "nobody was told: {:?}", told.0.first());
    assert_eq!(again.state.step, ending.state.step);
    let weights = [network, resumed].map(|network| weights_to_bytes(network.parameters()).unwrap());
    assert_eq!(weights[0], weights[1]);
}

#[test]
fn another_lineage_is_refused_with_what_differs() {
    tch::set_num_threads(1);
    let mut run = SmallRun::new();
    let folder = tempfile::tempdir().unwrap();
    run.fit(folder.path(), Start::Fresh, &|| true, &mut Heard::default()).unwrap();
    run.training.optimizer = run.training.optimizer.with_learning_rate(0.5);
    run.training.checkpointing.every_n_epochs = 9;
    match run.fit(folder.path(), Start::Resume, &|| false, &mut Heard::default()) {
        Err(TrainError::Lineage { differences }) => {
            assert_eq!(differences, ["training.optimizer.learning_rate: 0.001 → 0.5"]);
        }
        other => panic!("not refused: {:?}", other.map(|(ending, _)| ending)),
    }
}

#[test]
fn resuming_without_a_checkpoint_says_so() {
    let run = SmallRun::new();
    let folder = tempfile::tempdir().unwrap();
    let refused = run.fit(folder.path(), Start::Resume, &|| false, &mut Heard::default());
    assert!(matches!(refused, Err(TrainError::NoCheckpoint { .. })));
}
