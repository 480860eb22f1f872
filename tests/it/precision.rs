//! Training in half precision, with averaged weights and heads that say how sure they are, from outside; and `lr-find`.

use std::fs;

use tapeline_events::Event;

use crate::program::{BAD_INPUT, DONE};
use crate::small_run::SmallRun;

#[test]
fn a_run_with_everything_turned_on_is_trained_scored_extracted_and_evaluated() {
    let run = SmallRun::new();
    run.train(&[
        "--set",
        "training.precision=fp16",
        "--set",
        "training.average={decay: 0.9}",
        "--set",
        "training.part_rates={cnn: 0.5, heads: 2}",
        "--set",
        "tasks.price_prediction.loss={quantile: {tail: 0.1}}",
        "--set",
        "tasks.regime_detection.label_smoothing=0.1",
        "--set",
        "tasks.regime_detection.loss={focal: {gamma: 2}}",
        "--set",
        "model.lstm.recurrent_dropout=0.1",
    ])
    .ended_with(DONE);
    let journal = run.journal();
    let scaled = |event: &Event| matches!(event, Event::Step { loss_scale: Some(_), .. });
    assert!(journal.iter().any(|record| scaled(&record.event)));
    let scores: serde_json::Value =
        serde_json::from_slice(&fs::read(run.run().join("scores-validation.json")).unwrap()).unwrap();
    for name in [
        "price_prediction/h1/pinball",
        "price_prediction/h5/coverage_error",
        "regime_detection/h5/ece_calibrated",
    ] {
        assert!(
            scores["metrics"][format!("validation/{name}")].is_number(),
            "{name} in {}",
            scores["metrics"]
        );
    }
    let coverage = scores["price"][0]["distribution"]["coverage"].as_f64().unwrap();
    assert!((0.0..=1.0).contains(&coverage));
    let config = fs::read_to_string(run.run().join("config.yaml")).unwrap();
    assert!(config.contains("precision: fp16"), "{config}");
    let path = run.run();
    run.say(["evaluate", "--run", path.to_str().unwrap(), "--split", "test"]).ended_with(DONE);
}

#[test]
fn what_auto_came_to_is_written_down_and_tf32_is_refused_on_a_cpu() {
    let run = SmallRun::new();
    run.train(&["--set", "training.num_epochs=1"]).ended_with(DONE);
    let config = fs::read_to_string(run.run().join("config.yaml")).unwrap();
    assert!(config.contains("precision: fp32"), "{config}");
    let other = SmallRun::new();
    other.train(&["--set", "training.precision=tf32"]).ended_with(BAD_INPUT).complaining("use fp32 or bf16");
    other
        .train(&["--set", "model={kind: lstm}", "--set", "training.part_rates.cnn=0.5"])
        .ended_with(BAD_INPUT);
}

#[test]
fn rates_are_tried_without_leaving_a_run_behind() {
    let run = SmallRun::new();
    run.say_of_config("lr-find", &["--steps", "60", "--low", "1e-6", "--high", "10", "--plot", "sweep.svg"])
        .ended_with(DONE)
        .printing("learning rate")
        .printing("training.optimizer.learning_rate is 1.0e-3");
    let svg = fs::read_to_string(run.folder().join("sweep.svg")).unwrap();
    assert!(svg.starts_with("<svg xmlns=") && svg.contains("learning rate"));
    let left: Vec<_> = fs::read_dir(run.folder()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
    run.say_of_config("lr-find", &["--low", "1", "--high", "0.1"]).ended_with(BAD_INPUT);
}
