//! A run that was killed any number of times tells the same story as one that never was.

use proptest::prelude::*;

use super::*;

/// What a checkpoint must remember for the run to go on as if nothing had happened.
#[derive(Clone, Copy)]
struct Saved {
    step: u64,
    /// Whether the epoch that `step` completes has been validated.
    epoch_ended: bool,
}

#[derive(Clone, Copy, Debug)]
struct Plan {
    steps_per_epoch: u64,
    num_epochs: u64,
    save_every_steps: Option<u64>,
    save_every_epochs: u64,
    stops_early_after: Option<u64>,
}

/// A trainer without a network: it decides to stop from what it has seen, so a resumed one decides again.
///
/// Tells the events of the process that starts from `from`, and what it has saved by the time of each event. A checkpoint
/// is on disk before its event is told, so a kill may come in between.
fn process(plan: &Plan, from: Option<Saved>) -> Vec<(Option<Saved>, Event)> {
    let mut told: Vec<(Option<Saved>, Event)> = Vec::new();
    let mut saved = from;
    let epoch_of = |step: u64| step / plan.steps_per_epoch + 1;
    match from {
        None => told.push((saved, run_started())),
        Some(Saved { step, .. }) => {
            told.push((saved, Event::ResumedFrom { step, epoch: epoch_of(step) }));
        }
    }
    let (mut step, mut ended) = from.map_or((0, true), |saved| (saved.step, saved.epoch_ended));
    for epoch in 1..=plan.num_epochs {
        let last_step = epoch * plan.steps_per_epoch;
        if step > last_step {
            continue;
        }
        if step == last_step - plan.steps_per_epoch {
            told.push((saved, Event::EpochStarted { epoch, step }));
        }
        while step < last_step {
            step += 1;
            ended = false;
            told.push((saved, step_event(step, epoch)));
            if plan.save_every_steps.is_some_and(|every| step.is_multiple_of(every)) {
                saved = Some(Saved { step, epoch_ended: false });
                told.push((saved, saved_event(step, epoch)));
            }
        }
        if !ended {
            ended = true;
            told.push((saved, epoch_ended(step, epoch)));
            if epoch.is_multiple_of(plan.save_every_epochs) {
                saved = Some(Saved { step, epoch_ended: true });
                told.push((saved, saved_event(step, epoch)));
            }
        }
        if plan.stops_early_after.is_some_and(|last| epoch >= last) {
            let metric = "validation/loss".to_owned();
            told.push((saved, Event::EarlyStopped { epoch, step, metric, best: 0.5, best_epoch: 1 }));
            break;
        }
    }
    let metrics = BTreeMap::from([("validation/loss".to_owned(), Some(loss_at(step)))]);
    told.push((saved, Event::Scored { split: "validation".into(), metrics }));
    told.push((
        saved,
        Event::RunEnded { step, epoch: step / plan.steps_per_epoch, outcome: Outcome::Completed },
    ));
    told
}

/// Runs `plan`, killing each process after the number of events that `lives` gives it, and the last one never.
fn run(plan: &Plan, lives: &[usize]) -> Vec<Record> {
    let mut events = Vec::new();
    let mut saved = None;
    for life in lives.iter().copied().chain([usize::MAX]) {
        let told = process(plan, saved);
        let survives = told.len() <= life;
        // The checkpoint of the event that was never told may be on disk already.
        saved = told.get(life).or(told.last()).and_then(|(saved, _)| *saved);
        events.extend(told.into_iter().take(life).map(|(_, event)| event));
        if survives {
            break;
        }
    }
    record(events)
}

fn record(events: Vec<Event>) -> Vec<Record> {
    let numbered = events.into_iter().zip(0..);
    numbered.map(|(event, seq)| Record { schema: crate::SCHEMA, seq, at: format!("t{seq}"), event }).collect()
}

fn run_started() -> Event {
    Event::RunStarted {
        run_id: "r".into(),
        seed: 7,
        parameters: 10,
        samples: BTreeMap::new(),
        steps_per_epoch: 3,
        num_epochs: 2,
    }
}

/// Exploded now and then, as a loss may be.
fn loss_at(step: u64) -> f64 {
    if step.is_multiple_of(5) { f64::NAN } else { 1.0 / step as f64 }
}

fn step_event(step: u64, epoch: u64) -> Event {
    let losses = BTreeMap::from([("price_prediction".to_owned(), loss_at(step))]);
    Event::Step {
        step,
        epoch,
        learning_rate: 1e-3,
        gradient_norm: 1.0,
        loss: loss_at(step),
        losses,
        loss_scale: None,
        skipped: false,
    }
}

fn epoch_ended(step: u64, epoch: u64) -> Event {
    let metrics = [("validation/loss", Some(loss_at(step))), ("validation/price_prediction/h1/mcc", None)];
    Event::EpochEnded { epoch, step, metrics: metrics.map(|(name, number)| (name.to_owned(), number)).into() }
}

fn saved_event(step: u64, epoch: u64) -> Event {
    Event::CheckpointSaved { step, epoch, folder: format!("step-{step:08}"), best: false }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn kills_leave_no_trace(
        steps_per_epoch in 1_u64..6,
        num_epochs in 1_u64..6,
        save_every_steps in proptest::option::of(1_u64..6),
        save_every_epochs in 1_u64..4,
        stops_early_after in proptest::option::of(1_u64..5),
        lives in proptest::collection::vec(0_usize..30, 0..8),
    ) {
        let plan = Plan { steps_per_epoch, num_epochs, save_every_steps, save_every_epochs, stops_early_after };
        prop_assert_eq!(projection(&run(&plan, &lives)), projection(&run(&plan, &[])));
    }
}

#[test]
fn an_interruption_leaves_no_trace() {
    let whole =
        [run_started(), Event::EpochStarted { epoch: 1, step: 0 }, step_event(1, 1), step_event(2, 1)];
    let mut interrupted = whole[..3].to_vec();
    interrupted.extend([
        saved_event(1, 1),
        Event::Interrupted { step: 1, epoch: 1 },
        Event::RunEnded { step: 1, epoch: 1, outcome: Outcome::Interrupted },
        Event::CheckpointDamaged {
            folder: "step-00000002".into(),
            reason: "no manifest".into(),
            used_instead: None,
        },
        Event::ResumedFrom { step: 1, epoch: 1 },
        Event::EpochStarted { epoch: 1, step: 1 },
        whole[3].clone(),
    ]);
    assert_eq!(projection(&record(interrupted)), projection(&record(whole.to_vec())));
}

#[test]
fn runs_that_learnt_otherwise_differ() {
    let of = |loss: f64| {
        projection(&record(vec![Event::Step {
            step: 1,
            epoch: 1,
            learning_rate: 1e-3,
            gradient_norm: 1.0,
            loss,
            losses: BTreeMap::new(),
            loss_scale: None,
            skipped: false,
        }]))
    };
    assert_eq!(of(f64::NAN), of(-f64::NAN));
    assert_ne!(of(1.0), of(f64::NAN));
    assert_ne!(of(0.0), of(-0.0));
    assert_ne!(of(1.0), of(1.0 + f64::EPSILON));
}

#[test]
fn a_journal_may_hold_scores_of_several_spans() {
    let scored = |split: &str| Event::Scored { split: split.into(), metrics: BTreeMap::new() };
    let rows = projection(&record(vec![scored("train"), scored("validation"), scored("test")]));
    assert_eq!(rows.len(), 3);
}
