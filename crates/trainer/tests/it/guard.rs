//! Guards in a run: each is tripped by what it is for, once, and says what to do.

use tapeline_events::{Event, Guard};
use tapeline_trainer::{ConstantSpec, DecaySpec, OptimizerSpec, SchedulerSpec, SgdSpec, Start};

use crate::small_run::{Heard, SmallRun};

/// What guards said in a run of `training` as `change` leaves it.
fn said(change: impl FnOnce(&mut SmallRun)) -> Vec<(Guard, u64, String)> {
    tch::set_num_threads(1);
    let mut run = SmallRun::new();
    change(&mut run);
    let folder = tempfile::tempdir().unwrap();
    let mut heard = Heard::default();
    run.fit(folder.path(), Start::Fresh, &|| false, &mut heard).unwrap();
    let told = heard.0.into_iter().filter_map(|event| match event {
        Event::GuardTripped { guard, step, message, .. } => Some((guard, step, message)),
        _ => None,
    });
    told.collect()
}

fn kinds(said: &[(Guard, u64, String)]) -> Vec<Guard> {
    said.iter().map(|(guard, ..)| *guard).collect()
}

#[test]
fn a_run_that_goes_well_hears_nothing() {
    assert_eq!(said(|run| run.training.batch_size = 8), []);
}

#[test]
fn spikes_and_explosions_are_told_at_their_step() {
    let small_batches = |run: &mut SmallRun| run.training.batch_size = 8;
    let spikes = said(|run| {
        small_batches(run);
        run.training.guards.loss_spike = 1.0;
    });
    assert!(
        !spikes.is_empty() && spikes.iter().all(|(guard, step, _)| *guard == Guard::LossSpike && *step > 50)
    );
    assert!(spikes[0].2.contains("training.optimizer.learning_rate"), "{}", spikes[0].2);
    let explosions = said(|run| {
        small_batches(run);
        run.training.guards.exploding_norm = 1.5;
    });
    assert!(!explosions.is_empty() && kinds(&explosions).iter().all(|guard| *guard == Guard::ExplodingNorm));
    assert!(explosions[0].2.contains("scheduler"), "{}", explosions[0].2);
}

#[test]
fn a_network_that_was_decayed_away_has_dead_units() {
    let dead = said(|run| {
        let decayed = SgdSpec {
            learning_rate: 1.0,
            weight_decay: 1.0,
            decay: DecaySpec::All,
            momentum: 0.0,
            nesterov: false,
        };
        run.training.optimizer = OptimizerSpec::Sgd(decayed);
        run.training.scheduler = SchedulerSpec::Constant(ConstantSpec::default()).with_warmup_epochs(0.0);
        run.training.gradient_clip.norm = 1e-12;
    });
    assert_eq!(kinds(&dead), [Guard::DeadUnits; 2]);
    assert!(dead[0].2.contains("12 of 12 features are dead"), "{}", dead[0].2);
}

#[test]
fn a_run_that_learns_nothing_is_told_so_once() {
    let idle = said(|run| {
        run.training.num_epochs = 3;
        run.training.guards.no_learning_epochs = 2;
        // Dropout moves the loss of an epoch even where nothing is learned.
        run.training.guards.no_learning_fall = 0.1;
        run.training.optimizer = run.training.optimizer.with_learning_rate(1e-12);
    });
    assert_eq!(kinds(&idle), [Guard::NoLearning]);
    assert!(idle[0].2.contains("tapeline lr-find"), "{}", idle[0].2);
}
