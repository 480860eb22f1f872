use super::*;

fn step(step: u64) -> Event {
    let losses = BTreeMap::new();
    Event::Step {
        step,
        epoch: 1,
        learning_rate: 0.1,
        gradient_norm: 1.0,
        loss: 0.5,
        losses,
        loss_scale: None,
        skipped: false,
    }
}

fn ended(step: u64) -> Event {
    Event::EpochEnded { epoch: 1, step, metrics: BTreeMap::new() }
}

fn scored(loss: f64) -> Event {
    Event::Scored {
        split: "validation".into(),
        metrics: BTreeMap::from([("validation/loss".into(), Some(loss))]),
    }
}

fn repeated(events: &[Event]) -> Vec<bool> {
    let mut repeats = Repeats::default();
    events.iter().map(|event| repeats.hear(event)).collect()
}

#[test]
fn a_run_that_was_never_resumed_repeats_nothing() {
    let events =
        [Event::EpochStarted { epoch: 1, step: 0 }, step(1), step(2), ended(2), step(3), scored(0.5)];
    assert_eq!(repeated(&events), [false; 6]);
}

#[test]
fn steps_behind_the_checkpoint_are_repeated_and_what_comes_after_is_not() {
    let resumed = Event::ResumedFrom { step: 1, epoch: 1 };
    let events = [step(1), step(2), step(3), resumed, step(2), step(3), ended(3), step(4), ended(4)];
    // The epoch's end at step 3 was not told before the kill, though step 3 was.
    assert_eq!(repeated(&events), [false, false, false, false, true, true, false, false, false]);
}

#[test]
fn the_same_scores_are_a_repetition_and_others_are_not() {
    let events = [scored(0.5), scored(0.5), scored(0.25), scored(f64::NAN), scored(f64::NAN)];
    assert_eq!(repeated(&events), [false, true, false, false, true]);
}
