//! Each guard sees what it is for, and is quiet otherwise.

use tapeline_events::Guard;

use super::{Finding, GuardMemory, StepFigures, dead_units, no_learning};
use crate::small_network;
use crate::spec::GuardsSpec;
use crate::state::EpochRecord;

const GOOD: StepFigures = StepFigures { loss: 1.0, gradient_norm: 0.5, loss_scale: None, skipped: false };

/// A loss and a norm that move about, as they do.
fn usual(step: usize) -> StepFigures {
    let swing = (step as f64 * 1.7).sin();
    StepFigures { loss: 1.0 + 0.1 * swing, gradient_norm: (0.5 * swing).exp(), ..GOOD }
}

fn look(memory: &mut GuardMemory, figures: StepFigures) -> Vec<Finding> {
    memory.look(&GuardsSpec::default(), figures, || "AAA 2024-01-01T00:00:00Z".into())
}

fn guards(findings: &[Finding]) -> Vec<Guard> {
    findings.iter().map(|finding| finding.guard).collect()
}

#[test]
fn what_is_usual_trips_nothing() {
    let mut memory = GuardMemory::default();
    for step in 0..1000 {
        assert_eq!(look(&mut memory, usual(step)), [], "step {step}");
    }
    assert_eq!(memory.loss.count, 1000);
}

#[test]
fn a_spike_and_an_explosion_are_seen_once_and_learned_anew() {
    let mut memory = GuardMemory::default();
    (0..100).for_each(|step| drop(look(&mut memory, usual(step))));
    let spike = look(&mut memory, StepFigures { loss: 3.0, ..usual(0) });
    assert_eq!(guards(&spike), [Guard::LossSpike]);
    assert!(spike[0].message.contains("learning_rate") && !spike[0].ends_the_run);
    assert_eq!(look(&mut memory, StepFigures { loss: 3.0, ..usual(1) }), []);
    let exploding = look(&mut memory, StepFigures { gradient_norm: 500.0, ..usual(2) });
    assert_eq!(guards(&exploding), [Guard::ExplodingNorm]);
    assert!(exploding[0].message.contains("warm-up"));
    // Too early to say what is usual.
    assert_eq!(look(&mut GuardMemory::default(), StepFigures { loss: 1e9, gradient_norm: 1e9, ..GOOD }), []);
}

#[test]
fn a_loss_that_stands_still_has_no_spikes_of_rounding() {
    let mut memory = GuardMemory::default();
    (0..100).for_each(|_| drop(look(&mut memory, GOOD)));
    assert_eq!(look(&mut memory, StepFigures { loss: 1.0 + 1e-6, ..GOOD }), []);
}

#[test]
fn what_is_not_finite_is_counted_and_ends_the_run_with_its_samples() {
    let mut memory = GuardMemory::default();
    let bad = StepFigures { gradient_norm: f64::NAN, skipped: true, ..GOOD };
    let ends = |memory: &mut GuardMemory, figures: StepFigures| {
        let [finding] = &look(memory, figures)[..] else { panic!("one finding") };
        assert_eq!(finding.guard, Guard::NonFinite);
        assert!(finding.message.contains("AAA 2024-01-01"), "{}", finding.message);
        finding.ends_the_run
    };
    for _ in 0..9 {
        assert!(!ends(&mut memory, bad));
    }
    // A good step in between begins the count again.
    drop(look(&mut memory, GOOD));
    for _ in 0..9 {
        assert!(!ends(&mut memory, StepFigures { loss: f64::INFINITY, ..bad }));
    }
    assert!(ends(&mut memory, bad));
}

#[test]
fn what_a_loss_scale_explains_is_no_alarm() {
    let mut memory = GuardMemory::default();
    let overflow = |scale: f64| StepFigures {
        gradient_norm: f64::INFINITY,
        loss_scale: Some(scale),
        skipped: true,
        ..GOOD
    };
    for _ in 0..100 {
        assert_eq!(look(&mut memory, overflow(1024.0)), []);
    }
    // Without a scale left to lower, and for a loss that is not finite itself, it is.
    assert_eq!(guards(&look(&mut memory, overflow(1.0))), [Guard::NonFinite]);
    let loss = StepFigures { loss: f64::NAN, ..overflow(1024.0) };
    assert_eq!(guards(&look(&mut memory, loss)), [Guard::NonFinite]);
}

#[test]
fn dead_units_are_a_share() {
    let spec = GuardsSpec::default();
    assert_eq!(dead_units(&spec, 0, 0), None);
    assert_eq!(dead_units(&spec, 25, 100), None);
    assert_eq!(dead_units(&spec, 26, 100).map(|finding| finding.guard), Some(Guard::DeadUnits));
}

#[test]
fn no_learning_is_said_once_and_only_where_no_task_learns() {
    let (spec, tasks) =
        (GuardsSpec { no_learning_epochs: 3, ..GuardsSpec::default() }, small_network::tasks());
    let names: Vec<&str> = tasks.iter().map(|task| task.name).collect();
    let history = |epochs: usize, fall: f64| -> Vec<EpochRecord> {
        let record = |epoch: usize| EpochRecord {
            epoch,
            step: 0,
            metrics: names
                .iter()
                .enumerate()
                .map(|(number, name)| {
                    let fallen = if number == 1 { fall * epoch as f64 } else { 0.0 };
                    (format!("train/{name}/loss"), Some(1.0 - fallen))
                })
                .collect(),
        };
        (0..epochs).map(record).collect()
    };
    let said = |epochs, fall| no_learning(&spec, &history(epochs, fall), &tasks).map(|finding| finding.guard);
    assert_eq!(said(3, 0.0), Some(Guard::NoLearning));
    assert_eq!(said(3, 0.1), None);
    assert_eq!((said(2, 0.0), said(4, 0.0)), (None, None));
}
