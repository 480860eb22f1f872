//! Lines over a short run with a clock that is told.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::rc::Rc;

use tapeline_events::{Event, Outcome};

use super::*;

const PLAN: Plan = Plan { steps_per_epoch: 20, num_epochs: 3, steps: 60, train_samples: 640 };

fn step(step: u64, loss: f64) -> Event {
    let losses = [("price_prediction", loss * 1.1), ("regime_detection", loss * 0.9)];
    let losses = losses.map(|(task, loss)| (task.to_owned(), loss)).into();
    Event::Step {
        step,
        epoch: (step - 1) / 20 + 1,
        learning_rate: 1e-3,
        gradient_norm: 1.0,
        loss,
        losses,
        loss_scale: None,
        skipped: false,
    }
}

fn short_run() -> Vec<Event> {
    let samples =
        [("train", 640), ("validation", 128)].map(|(split, count)| (split.to_owned(), count)).into();
    let mut events = vec![
        Event::RunStarted {
            run_id: "r".into(),
            seed: 1,
            parameters: 12_345,
            samples,
            steps_per_epoch: 20,
            num_epochs: 3,
        },
        Event::EpochStarted { epoch: 1, step: 0 },
    ];
    events.extend((1..=20).map(|number| step(number, 1.0 / number as f64)));
    let metrics =
        [("train/loss", Some(0.18)), ("validation/loss", Some(0.25)), ("validation/x/h1/mcc", None)];
    let metrics: BTreeMap<_, _> = metrics.map(|(name, value)| (name.to_owned(), value)).into();
    events.push(Event::EpochEnded { epoch: 1, step: 20, metrics });
    events.push(Event::CheckpointFailed { step: 20, reason: "no space left on device".into() });
    events.push(Event::Warning { message: "a \u{1b}[31mred\u{1b}[0m message".into() });
    events.push(step(21, f64::NAN));
    events.push(Event::Interrupted { step: 21, epoch: 2 });
    events.push(Event::RunEnded { step: 21, epoch: 2, outcome: Outcome::Interrupted });
    events
}

/// A clock that goes on by half a second each time it is read.
fn half_seconds() -> Elapsed {
    let reads = Cell::new(0_u32);
    Box::new(move || {
        reads.set(reads.get() + 1);
        Duration::from_millis(500) * reads.get()
    })
}

#[test]
fn lines_are_plain_and_seldom() {
    let mut out = Vec::new();
    let mut lines = Lines::new(PLAN, half_seconds(), Duration::from_secs(5), &mut out);
    for event in short_run() {
        lines.observe(&event);
    }
    let text = String::from_utf8(out).unwrap();
    assert!(!text.contains('\u{1b}'), "an escape byte");
    assert_eq!(
        text,
        "\
training 12,345 parameters on 640 samples: 20 steps per epoch, at most 3 epochs
step 9/60 · epoch 1 · loss 0.1111 (price_prediction 0.1222, regime_detection 0.1000) · 2.0 steps/s · 64 samples/s · 25s left
step 19/60 · epoch 1 · loss 0.0526 (price_prediction 0.0579, regime_detection 0.0474) · 2.0 steps/s · 64 samples/s · 20s left
epoch 1/3 · step 20 · train loss 0.1800 · validation loss 0.2500 · 1.9 steps/s · 61 samples/s · 21s left
warning: the checkpoint at step 20 could not be saved: no space left on device
warning: a \u{fffd}[31mred\u{fffd}[0m message
interrupted after step 21 in epoch 2
"
    );
}

#[test]
fn a_reader_that_went_away_stops_nothing() {
    struct ClosedPipe(Rc<Cell<usize>>);

    impl Write for ClosedPipe {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            self.0.set(self.0.get() + 1);
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }

    let tries = Rc::new(Cell::new(0));
    let mut lines = Lines::new(PLAN, half_seconds(), Duration::ZERO, ClosedPipe(Rc::clone(&tries)));
    for event in short_run() {
        lines.observe(&event);
    }
    assert!(tries.get() > 20);
}

#[test]
fn lines_of_json_are_the_events_with_steps_now_and_then() {
    let mut out = Vec::new();
    let mut lines = JsonLines::new(half_seconds(), Duration::from_secs(5), &mut out);
    for event in short_run() {
        lines.observe(&event);
    }
    let text = String::from_utf8(out).unwrap();
    let events: Vec<Event> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let steps: Vec<u64> =
        events.iter().filter(|event| event.kind() == "step").filter_map(Event::step).collect();
    assert_eq!(steps, [1, 11, 21]);
    assert_eq!(events.len(), short_run().len() - 21 + steps.len());
}

#[test]
fn a_screen_is_for_a_terminal_that_can_be_drawn_on() {
    let on = |terminal, drawable| Circumstances { terminal, drawable, colours: true };
    assert_eq!(Ui::Auto.chosen(&on(true, true)), Ui::Tui);
    assert_eq!(Ui::Auto.chosen(&on(true, false)), Ui::Plain, "TERM=dumb");
    assert_eq!(Ui::Auto.chosen(&on(false, true)), Ui::Plain, "a pipe");
    for said in [Ui::Tui, Ui::Plain, Ui::Json, Ui::None] {
        assert_eq!(said.chosen(&on(true, true)), said);
    }
}
