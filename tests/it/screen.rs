//! A run on a real pseudo-terminal: it is drawn, keys are heard, and the terminal is given back as it was.

use std::process::Command;

use serde_json::{Value, json};
use tapeline_events::{Event, Outcome};

use crate::program::{BAD_INPUT, DONE, INTERRUPTED, forget_the_user};
use crate::small_run::SmallRun;

/// Runs `train` on a terminal that does `steps`; `None`, with the reason printed, where there is no Python.
fn watched(run: &SmallRun, steps: &Value, arguments: &[&str]) -> Option<Value> {
    let mut command = Command::new("python3");
    command
        .args(["-c", include_str!("watch_a_run.py"), &steps.to_string(), env!("CARGO_BIN_EXE_tapeline")])
        .args(["train", "--config", "small.yaml"])
        .args(arguments)
        .env("TERM", "xterm-256color")
        .env_remove("NO_COLOR")
        .current_dir(run.folder());
    forget_the_user(&mut command);
    let output = match command.output() {
        Err(error) if std::env::var_os("CI").is_none() => {
            println!("skipped: no Python to hold a terminal: {error}");
            return None;
        }
        output => output.unwrap(),
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[track_caller]
fn assert_given_back(seen: &Value, code: i32) {
    assert_eq!(seen["code"], code, "{seen}");
    assert_eq!(seen["steps_left"], json!([]), "{seen}");
    assert_eq!((&seen["entered"], &seen["left"]), (&json!(1), &json!(1)), "{seen}");
    assert!(seen["same_modes"] == true && seen["cursor_is_back"] == true, "{seen}");
}

const PATIENT: &str = "training.early_stopping.patience=100000";
const LONG: [&str; 4] = ["--set", "training.num_epochs=20000", "--set", PATIENT];

#[test]
fn keys_ask_for_a_checkpoint_and_for_an_end_after_the_epoch() {
    let run = SmallRun::new();
    let steps = json!([
        { "until": "checkpoint now", "press": "c" },
        { "wait": 1.0, "press": "s" },
    ]);
    let Some(seen) = watched(&run, &steps, &LONG) else { return };
    assert_given_back(&seen, DONE);
    // What was seen and what came of it stand in the terminal's own history.
    let after = seen["after"].as_str().unwrap();
    assert!(after.contains("training ends after this epoch") && after.contains("report"), "{after}");
    let events: Vec<Event> = run.journal().into_iter().map(|record| record.event).collect();
    let ended = events.iter().any(|event| matches!(event, Event::RunEnded { outcome: Outcome::Stopped, .. }));
    assert!(ended && events.iter().any(|event| matches!(event, Event::Scored { .. })));
}

#[test]
fn a_run_goes_on_when_its_screen_is_left() {
    let run = SmallRun::new();
    let steps = json!([{ "until": "leave this view", "press": "q" }]);
    let Some(seen) = watched(&run, &steps, &["--set", "training.num_epochs=30", "--set", PATIENT]) else {
        return;
    };
    assert_given_back(&seen, DONE);
    assert!(seen["after"].as_str().unwrap().contains("epoch 30/30"), "{seen}");
}

#[test]
fn an_interruption_gives_the_terminal_back() {
    // Ctrl-C as a key, since a screen gets no signal from it; and as a signal from elsewhere, twice.
    let run = SmallRun::new();
    let once = json!([{ "until": "epoch", "press": "\u{3}" }]);
    let Some(seen) = watched(&run, &once, &LONG) else { return };
    assert_given_back(&seen, INTERRUPTED);
    assert!(seen["after"].as_str().unwrap().contains("go on with"), "{seen}");
    let terminated = json!([{ "until": "epoch", "signal": 15 }]);
    assert_given_back(&watched(&SmallRun::new(), &terminated, &LONG).unwrap(), INTERRUPTED);
}

#[test]
fn lines_are_for_who_wants_them() {
    let Some(seen) = watched(&SmallRun::new(), &json!([]), &["--ui", "plain"]) else { return };
    assert_eq!((&seen["code"], &seen["entered"]), (&json!(DONE), &json!(0)), "{seen}");
}

#[test]
fn what_cannot_be_shown_or_served_is_refused_before_there_is_a_run() {
    let run = SmallRun::new();
    run.train(&["--ui", "tui"]).ended_with(BAD_INPUT).complaining("--ui plain");
    run.train(&["--metrics-listen", "0.0.0.0:0"]).ended_with(BAD_INPUT).complaining("--metrics-allow-remote");
    assert!(!run.folder().join("runs").exists());
}
