//! `tapeline evaluate`: the same scores again, and the one way into the test span.

use std::fs;

use arrow::array::{Array as _, AsArray as _};
use arrow::datatypes::Float32Type;
use tapeline_events::Event;

use crate::program::{BAD_INPUT, DONE, Said};
use crate::small_run::{FROM_FILES, SmallRun};
use crate::train::predictions;

fn evaluate(run: &SmallRun, split: &str) -> Said {
    run.say(["evaluate", "--run", run.run().to_str().unwrap(), "--split", split])
}

fn report(run: &SmallRun) -> String {
    fs::read_to_string(run.run().join("report.html")).unwrap()
}

#[test]
fn the_validation_scores_of_a_run_come_out_again() {
    let run = SmallRun::new();
    let trained = run.train(&[]).ended_with(DONE);
    let read = |file: &str| fs::read(run.run().join(file)).unwrap();
    let files = ["scores-validation.json", "predictions.parquet"];
    let before = files.map(read);
    let evaluated = evaluate(&run, "validation").ended_with(DONE);
    assert!(before == files.map(read), "the scores or the predictions differ");
    let table = |said: &Said| said.stdout.split("features:").next().unwrap().to_owned();
    assert_eq!(table(&evaluated), table(&trained));
}

#[test]
fn another_configuration_than_the_artefact_has_is_refused_before_anything_is_looked_at() {
    let run = SmallRun::new();
    run.train(&[]).ended_with(DONE);
    let config = run.run().join("config.yaml");
    let written = fs::read_to_string(&config).unwrap();
    for (from, to, complaint) in [
        ("stride: 7", "stride: 1", "pipeline.stride: 7 → 1"),
        ("loss: huber", "loss: gaussian", "tasks.price_prediction.loss"),
    ] {
        assert!(written.contains(from), "{written}");
        fs::write(&config, written.replacen(from, to, 1)).unwrap();
        evaluate(&run, "test").ended_with(BAD_INPUT).complaining(complaint);
    }
    assert!(!run.folder().join("runs/test-openings.jsonl").exists());
}

#[test]
fn spans_with_and_without_absent_outcomes_stand_in_one_file() {
    let run = SmallRun::new();
    // Without a gap every return of the validation span exists; the newest of the test span are still to come.
    let [filled, far] =
        ["data.repair=[{forward_fill: {max_bars: 100000}}]", "tasks.price_prediction.horizons=[9]"];
    run.train(&["--set", filled, "--set", far]).ended_with(DONE);
    evaluate(&run, "test").ended_with(DONE);
    let rows = predictions(&run);
    let realised = rows["price_prediction_h9_realised"].as_primitive::<Float32Type>();
    let of_span = |name: &str| {
        let splits = rows["split"].as_string::<i32>().iter().enumerate();
        let places = splits.filter_map(|(row, split)| (split == Some(name)).then_some(row));
        let absent: Vec<bool> = places.map(|row| realised.is_null(row)).collect();
        (absent.len(), absent.into_iter().filter(|absent| *absent).count())
    };
    let ((validation, no_outcome), (test, to_come)) = (of_span("validation"), of_span("test"));
    assert!(validation > 0 && no_outcome == 0, "{no_outcome} of {validation}");
    assert!(to_come > 0 && to_come < test, "{to_come} of {test}");
}

#[test]
fn every_architecture_is_trained_reported_and_scored_again() {
    for (kind, model) in [
        ("cnn", "{kind: cnn, cnn: {channels: 4, attention_heads: 2}, fusion: {kind: gated, output_size: 8}}"),
        (
            "lstm",
            "{kind: lstm, lstm: {hidden_size: 4, bidirectional: true}, fusion: {kind: attention, output_size: 8}}",
        ),
        (
            "hybrid",
            "{kind: hybrid, cnn: {channels: 4}, lstm: {hidden_size: 4}, fusion: {kind: bilinear, output_size: 8}}",
        ),
    ] {
        let run = SmallRun::new();
        run.train(&["--set", &format!("model={model}")]).ended_with(DONE);
        assert!(report(&run).contains(&format!("{kind} · ")), "the report does not name the {kind}");
        let scores = || fs::read(run.run().join("scores-validation.json")).unwrap();
        let before = scores();
        evaluate(&run, "validation").ended_with(DONE);
        assert!(scores() == before, "{kind}: the scores differ");
    }
}

#[test]
fn every_look_at_the_test_span_is_counted() {
    let run = SmallRun::new();
    run.train(&[]).ended_with(DONE);
    evaluate(&run, "validation").ended_with(DONE);
    let openings = run.folder().join("runs/test-openings.jsonl");
    assert!(!openings.exists() && !run.run().join("scores-test.json").exists());
    assert!(report(&run).contains("never opened for this data"));

    evaluate(&run, "test").ended_with(DONE).printing("test span").complaining("time number 1");
    assert!(report(&run).contains("opened once for this data"));
    evaluate(&run, "test").ended_with(DONE).complaining("time number 2");
    assert!(report(&run).contains("opened 2 times for this data"));
    assert_eq!(fs::read_to_string(&openings).unwrap().lines().count(), 2);
    let told = run.journal().into_iter().filter_map(|record| match record.event {
        Event::TestSpanOpened { times, .. } => Some(times),
        _ => None,
    });
    assert!(told.eq([1, 2]));
}

#[test]
fn what_was_seen_of_bars_is_counted_whatever_was_added_to_them() {
    let mut times = Vec::new();
    let run = SmallRun::with_bars(|bars| times.clone_from(&bars[0].open_time));
    let look_after = |bars: usize| {
        let end = format!("data.source.end={}", times[bars]);
        let trained = run.train(&[&FROM_FILES[..], &["--set", &end]].concat()).ended_with(DONE);
        let folder = trained.stdout.lines().find_map(|line| line.strip_prefix("run       ")).unwrap();
        run.say(["evaluate", "--run", folder, "--split", "test"]).ended_with(DONE)
    };
    let all = times.len() - 1;
    look_after(all - 60).complaining("opened for time number 1");
    look_after(all).complaining("opened for time number 2");
    // All of this lies before the spans that were looked at.
    look_after(all / 2).complaining("opened for time number 1");
}

#[test]
fn other_bars_are_not_what_the_run_was_trained_on() {
    let run = SmallRun::with_bars(|_| ());
    run.train(&FROM_FILES).ended_with(DONE);
    run.rewrite_bars(|bars| bars[0].volume[7] += 1.0);
    for split in ["validation", "test"] {
        evaluate(&run, split).ended_with(BAD_INPUT).complaining("not the bars the run was trained on");
    }
    assert!(!run.folder().join("runs/test-openings.jsonl").exists(), "a refused look is no look");
}

#[test]
fn a_run_without_an_artefact_cannot_be_evaluated() {
    let run = SmallRun::new();
    run.train(&[]).ended_with(DONE);
    fs::remove_dir_all(run.run().join("artefact")).unwrap();
    evaluate(&run, "validation").ended_with(BAD_INPUT).complaining("has no usable artefact");
}

#[test]
fn a_damaged_artefact_is_refused() {
    let run = SmallRun::new();
    run.train(&[]).ended_with(DONE);
    let weights = run.run().join("artefact/weights.safetensors");
    let mut bytes = fs::read(&weights).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&weights, bytes).unwrap();
    evaluate(&run, "validation").ended_with(BAD_INPUT).complaining("weights.safetensors");
}
