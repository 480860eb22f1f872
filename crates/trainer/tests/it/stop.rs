//! Ends before the last epoch.

use tapeline_events::{Event, Guard, Outcome};
use tapeline_trainer::{Checkpoints, Start, TrainError, Wish};

use crate::small_run::{Heard, SmallRun};

#[test]
fn a_run_that_does_not_improve_is_stopped_and_stays_stopped() {
    tch::set_num_threads(1);
    let mut run = SmallRun::new();
    run.training.num_epochs = 5;
    run.training.early_stopping.patience = 1;
    run.training.early_stopping.min_delta = 1e9;
    let folder = tempfile::tempdir().unwrap();
    let mut heard = Heard::default();
    let (ending, _) = run.fit(folder.path(), Start::Fresh, &|| false, &mut heard).unwrap();
    assert_eq!((ending.outcome, ending.state.epoch), (Outcome::EarlyStopped, 2));
    let told =
        heard.0.iter().any(|event| matches!(event, Event::EarlyStopped { epoch: 2, best_epoch: 1, .. }));
    assert!(told, "{:?}", heard.0.last());

    let (again, _) = run.fit(folder.path(), Start::Resume, &|| false, &mut heard).unwrap();
    assert_eq!(again, ending);
}

#[test]
fn a_run_that_was_asked_to_stop_after_its_epoch_stays_stopped() {
    tch::set_num_threads(1);
    let mut run = SmallRun::new();
    run.training.num_epochs = 4;
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = Checkpoints::at(folder.path());
    let mut heard = Heard::default();
    let (ending, _) = run.fit_in(&checkpoints, Start::Fresh, &|| Wish::StopAfterEpoch, &mut heard).unwrap();
    assert_eq!((ending.outcome, ending.state.epoch), (Outcome::Stopped, 1));
    // Whatever came between that and the artefact, it was the last epoch.
    let (again, _) = run.fit(folder.path(), Start::Resume, &|| false, &mut heard).unwrap();
    assert_eq!(again, ending);
}

#[test]
fn a_loss_that_is_no_number_ends_the_run_with_its_step() {
    tch::set_num_threads(1);
    let mut run = SmallRun::new();
    run.training.optimizer = run.training.optimizer.with_learning_rate(1e30);
    run.training.guards.non_finite_steps = 3;
    let folder = tempfile::tempdir().unwrap();
    let mut heard = Heard::default();
    match run.fit(folder.path(), Start::Fresh, &|| false, &mut heard) {
        Err(TrainError::NonFinite { step, in_a_row: 3, samples }) => {
            assert!(step > 3 && !samples.is_empty());
            assert!(samples.iter().all(|sample| sample.contains("T") && sample.contains(' ')), "{samples:?}");
        }
        other => panic!("not refused: {:?}", other.map(|(ending, _)| ending)),
    }
    let alarms = |event: &&Event| matches!(event, Event::GuardTripped { guard: Guard::NonFinite, .. });
    assert_eq!(heard.0.iter().filter(alarms).count(), 3);
}

#[test]
fn a_policy_on_a_metric_that_these_data_never_define_is_refused_before_the_first_step() {
    let mut run = SmallRun::new();
    run.training.early_stopping.metric = "validation/price_prediction/h1/rank_ic_cross".into();
    let folder = tempfile::tempdir().unwrap();
    match run.fit(folder.path(), Start::Fresh, &|| false, &mut Heard::default()) {
        Err(TrainError::UndefinedMetric { policy, symbols: 2, .. }) => {
            assert_eq!(policy, "training.early_stopping.metric");
        }
        other => panic!("not refused: {:?}", other.map(|(ending, _)| ending)),
    }
}
