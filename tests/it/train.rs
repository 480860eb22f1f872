//! `tapeline train`, and what it leaves behind.

use std::fs::{self, File};

use arrow::array::{Array as _, ArrayRef, AsArray as _};
use arrow::datatypes::{DataType, Float32Type, TimeUnit, TimestampNanosecondType};
use arrow::record_batch::RecordBatch;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tapeline_data_pipeline::Regime;
use tapeline_events::{Event, Outcome};

use crate::program::{BAD_INPUT, DONE};
use crate::small_run::{FROM_FILES, SmallRun};

/// What a finished run leaves, relative to its folder.
const FILES: [&str; 13] = [
    "config.yaml",
    "lineage.json",
    "audit.json",
    "journal.jsonl",
    "checkpoints/last",
    "checkpoints/best",
    "artefact/artefact.json",
    "artefact/weights.safetensors",
    "artefact/golden.safetensors",
    "artefact/MANIFEST",
    "predictions.parquet",
    "scores-validation.json",
    "report.html",
];

const TASKS: [&str; 3] = ["price_prediction", "volatility_estimation", "regime_detection"];

#[test]
fn a_trained_run_leaves_everything_it_promises_and_nothing_half_written() {
    let run = SmallRun::new();
    let said = run.train(&[]).ended_with(DONE);
    for task in TASKS {
        assert!(said.stdout.contains(task), "{said}");
    }
    for file in FILES {
        assert!(fs::metadata(run.run().join(file)).unwrap().len() > 0, "{file}");
    }
    // keep_last: 2 of the checkpoints at every third step and every epoch's end, and the best.
    let kept = run.checkpoints().len();
    assert!((2..=3).contains(&kept), "{kept} checkpoints are kept");
    let names = |folder| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    for name in names(run.run()).chain(names(run.run().join("checkpoints"))) {
        assert!(!name.to_str().unwrap().starts_with('.'), "{name:?} is left over");
    }
}

#[test]
fn the_journal_tells_every_step_once_and_in_order() {
    let run = SmallRun::new();
    run.train(&[]).ended_with(DONE);
    let journal = run.journal();
    for (index, record) in journal.iter().enumerate() {
        assert_eq!(record.seq, index as u64);
    }
    let Event::RunStarted { steps_per_epoch, num_epochs, .. } = journal[0].event else {
        unreachable!("a journal begins with the run's start, this one with {:?}", journal[0]);
    };
    let steps = journal.iter().filter_map(|record| match record.event {
        Event::Step { step, .. } => Some(step),
        _ => None,
    });
    assert!(steps.eq(1..=steps_per_epoch * num_epochs));
    let ends = |record: &&tapeline_events::Record| {
        matches!(record.event, Event::RunEnded { outcome: Outcome::Completed, .. })
    };
    assert_eq!(journal.iter().filter(ends).count(), 1);
    let scored = |split: &str| matches!(&journal.last().unwrap().event, Event::Scored { split: own, .. } if own == split);
    assert!(scored("validation"));
}

#[test]
fn another_optimiser_schedule_and_balance_are_words_away() {
    let run = SmallRun::new();
    let set = [
        "--set",
        "training.optimizer={kind: sgd, learning_rate: 0.02}",
        "--set",
        "training.scheduler={kind: plateau, warmup_epochs: 0.5, patience: 0}",
        "--set",
        "training.gradient_accumulation=2",
        "--set",
        "training.balancing=uncertainty",
        "--set",
        "tasks.regime_detection.class_weights=balanced",
    ];
    run.train(&set).ended_with(DONE);
    let lineage: serde_json::Value =
        serde_json::from_slice(&fs::read(run.run().join("lineage.json")).unwrap()).unwrap();
    assert_eq!(lineage["lineage"]["training"]["optimizer"]["nesterov"], true);
    assert_eq!(lineage["lineage"]["tasks"]["regime_detection"]["class_weights"], "balanced");
    let count = |key: &str| lineage["parameters"][key].as_u64().unwrap();
    assert!(0 < count("decaying") && count("decaying") < count("learned"), "{}", lineage["parameters"]);
    let report = fs::read_to_string(run.run().join("report.html")).unwrap();
    assert!(report.contains("Weight in training") && report.contains("stratified"));
    let artefact = fs::read(run.run().join("artefact/weights.safetensors")).unwrap();
    let holds = |name: &str| artefact.windows(name.len()).any(|bytes| bytes == name.as_bytes());
    assert!(
        holds("regime_detection.weight") && !holds("log_variances"),
        "the uncertainties are in the artefact"
    );
}

#[test]
fn the_report_loads_nothing_from_elsewhere() {
    let run = SmallRun::new();
    run.train(&[]).ended_with(DONE);
    let html = fs::read_to_string(run.run().join("report.html")).unwrap();
    assert!(
        html.trim_start().starts_with("<!DOCTYPE html>") || html.trim_start().starts_with("<!doctype html>")
    );
    for task in TASKS {
        assert!(html.contains(task), "the report lacks {task}");
    }
    // The one address that may stand in it names the language of the pictures and is not visited.
    let html = html.replace("http://www.w3.org/2000/svg", "");
    for load in ["http:", "https:", "src=", "@import", "url(", "<link", "<script src", "<iframe"] {
        assert!(!html.contains(load), "the report contains {load}");
    }
}

#[test]
fn predictions_are_a_table_that_others_can_read() {
    let run = SmallRun::new();
    run.train(&[]).ended_with(DONE);
    let rows = predictions(&run);
    let mut names: Vec<String> =
        ["symbol", "decision_time", "available_at", "split"].map(String::from).into();
    for forecast in ["price_prediction_h1", "price_prediction_h5", "volatility_estimation_h5"] {
        names.extend([forecast.to_owned(), format!("{forecast}_realised")]);
    }
    names.extend(Regime::ALL.iter().map(|regime| format!("regime_detection_h5_{}", regime.name())));
    names.push("regime_detection_h5_realised".into());
    let schema = rows.schema();
    let found: Vec<&String> = schema.fields().iter().map(|field| field.name()).collect();
    assert_eq!(found, names.iter().collect::<Vec<_>>());

    let Event::RunStarted { samples, .. } = run.journal().swap_remove(0).event else { unreachable!() };
    assert_eq!(rows.num_rows() as u64, samples["validation"]);
    assert!(rows["split"].as_string::<i32>().iter().all(|split| split == Some("validation")));
    let utc = DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()));
    for time in ["decision_time", "available_at"] {
        assert_eq!(*rows[time].data_type(), utc, "{time}");
    }
    let times = |name: &str| rows[name].as_primitive::<TimestampNanosecondType>().values().to_vec();
    assert!(
        times("decision_time").iter().zip(times("available_at")).all(|(decision, known)| known >= *decision)
    );

    let numbers = |column: &ArrayRef| column.as_primitive::<Float32Type>().values().to_vec();
    assert!(numbers(&rows["price_prediction_h1"]).iter().all(|value| value.is_finite()));
    let classes: Vec<Vec<f32>> = Regime::ALL
        .iter()
        .map(|regime| numbers(&rows[format!("regime_detection_h5_{}", regime.name()).as_str()]))
        .collect();
    for row in 0..rows.num_rows() {
        let sum: f32 = classes.iter().map(|class| class[row]).sum();
        assert!((sum - 1.0).abs() < 1e-5, "the probabilities of row {row} add up to {sum}");
    }
    // A label that does not exist is an empty cell, never a number.
    let realised = rows["price_prediction_h1_realised"].as_primitive::<Float32Type>();
    assert!(realised.iter().flatten().all(f32::is_finite));
    assert!(realised.null_count() < realised.len());
}

/// All rows of the run's `predictions.parquet`.
pub(crate) fn predictions(run: &SmallRun) -> RecordBatch {
    let file = File::open(run.run().join("predictions.parquet")).unwrap();
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let schema = builder.schema().clone();
    let batches: Vec<RecordBatch> = builder.build().unwrap().map(|batch| batch.unwrap()).collect();
    arrow::compute::concat_batches(&schema, &batches).unwrap()
}

#[test]
fn bars_in_files_train_the_network_that_the_same_bars_made_here_do() {
    let (built_in, files) = (SmallRun::new(), SmallRun::with_bars(|_| ()));
    built_in.train(&[]).ended_with(DONE);
    files.train(&FROM_FILES).ended_with(DONE);
    let weights = |run: &SmallRun| fs::read(run.run().join("artefact/weights.safetensors")).unwrap();
    assert!(weights(&built_in) == weights(&files), "the weights differ");
}

#[test]
fn what_lies_in_the_test_span_changes_no_weight_and_no_score() {
    let (calm, poisoned) = (
        SmallRun::with_bars(|_| ()),
        SmallRun::with_bars(|bars| {
            for bars in bars {
                let last_tenth = bars.len() * 9 / 10..bars.len();
                for column in [&mut bars.open, &mut bars.high, &mut bars.low, &mut bars.close] {
                    column[last_tenth.clone()].iter_mut().for_each(|price| *price *= 7.0);
                }
            }
        }),
    );
    for run in [&calm, &poisoned] {
        run.train(&FROM_FILES).ended_with(DONE);
    }
    for file in ["artefact/weights.safetensors", "predictions.parquet", "scores-validation.json"] {
        let bytes = |run: &SmallRun| fs::read(run.run().join(file)).unwrap();
        assert!(bytes(&calm) == bytes(&poisoned), "{file} differs");
    }
    assert_ne!(
        fs::read(calm.run().join("lineage.json")).unwrap(),
        fs::read(poisoned.run().join("lineage.json")).unwrap()
    );
}

#[test]
fn a_run_goes_on_with_the_configuration_it_began_with() {
    let run = SmallRun::new();
    let mut training = run.start(&[]);
    training.wait_for_step(5);
    while run.checkpoints().is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    training.kill();
    let config = run.run().join("config.yaml");
    let changed = fs::read_to_string(&config).unwrap().replace("hidden_size: 8", "hidden_size: 10");
    fs::write(&config, changed).unwrap();
    run.resume()
        .ended_with(BAD_INPUT)
        .complaining("this is not the run that was interrupted")
        .complaining("hidden_size");
    run.say(["train", "--resume", "runs", "--set", "seed=1"]).ended_with(BAD_INPUT).complaining("--resume");
}
