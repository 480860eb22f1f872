//! Runs made of several: walk-forward, seeds, and a run beside others with nothing to find.

use std::fs;
use std::path::PathBuf;

use arrow::array::AsArray as _;
use arrow::datatypes::{Float32Type, Int32Type, TimestampNanosecondType};
use arrow::record_batch::RecordBatch;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use crate::program::{BAD_INPUT, DONE, INTERRUPTED, Said};
use crate::small_run::SmallRun;

const FOLDS: [&str; 2] = ["--set", "walk_forward={kind: anchored, folds: 2, train: 0.5, validation: 0.2}"];
const K_FOLDS: [&str; 2] = ["--set", "walk_forward={kind: purged_k_fold, folds: 3, embargo: 0.02}"];

fn walk_forward(run: &SmallRun, more: &[&str]) -> Said {
    run.say_of_config("walk-forward", more)
}

fn json(run: &SmallRun, file: &str) -> Value {
    serde_json::from_slice(&fs::read(run.run().join(file)).unwrap()).unwrap()
}

fn stitched(run: &SmallRun) -> RecordBatch {
    let file = fs::File::open(run.run().join("predictions.parquet")).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    let batches: Vec<RecordBatch> = reader.collect::<Result<_, _>>().unwrap();
    arrow::compute::concat_batches(&batches[0].schema(), &batches).unwrap()
}

fn openings(run: &SmallRun) -> Vec<Value> {
    let text = fs::read_to_string(run.folder().join("runs/test-openings.jsonl")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn folds_are_tested_on_what_they_have_not_seen_and_scored_as_a_whole() {
    for (folds, count) in [(FOLDS, 2), (K_FOLDS, 3)] {
        let run = SmallRun::new();
        let said = walk_forward(&run, &folds).ended_with(DONE).printing("out of fold span");
        said.printing("Scores over folds");
        let summary = json(&run, "summary.json");
        let rows = stitched(&run);
        let column = |name: &str| rows.column_by_name(name).unwrap().clone();
        let numbers = column("fold").as_primitive::<Int32Type>().values().to_vec();
        assert!(numbers.is_sorted(), "folds follow each other");
        for fold in 1..=count {
            let of_fold = numbers.iter().filter(|number| **number == fold).count();
            let said = &summary["folds"][fold as usize - 1]["samples"][2];
            assert_eq!(said.as_u64(), Some(of_fold as u64), "fold {fold}");
            for file in
                ["artefact", "predictions.parquet", "scores-test.json", "report.html", "journal.jsonl"]
            {
                let path = run.run().join(format!("fold-{fold:02}")).join(file);
                assert!(path.exists(), "{}", path.display());
            }
            let lineage = json(&run, &format!("fold-{fold:02}/lineage.json"));
            let id = run.run().file_name().unwrap().to_string_lossy().into_owned();
            assert_eq!(
                lineage["parent"],
                serde_json::json!({ "id": id, "kind": "walk" }),
                "trackers group by it"
            );
        }
        let times = column("decision_time").as_primitive::<TimestampNanosecondType>().values().to_vec();
        assert!(times.is_sorted(), "each decision is in one fold");

        // The forecasts of the file are those of the score: the mean over symbols of their correlations.
        let card = json(&run, "scores-out_of_fold.json");
        assert_eq!(card["samples"].as_u64(), Some(times.len() as u64));
        let expected = card["metrics"]["out_of_fold/price_prediction/h1/ic_series"].as_f64().unwrap();
        assert!((ic(&rows) - expected).abs() < 1e-4, "{} and {expected}", ic(&rows));
        assert!(fs::read_to_string(run.run().join("report.html")).unwrap().contains("Scores over folds"));
    }
}

/// The mean over symbols of the correlation of forecast and outcome one bar ahead, worked out from the file.
fn ic(rows: &RecordBatch) -> f64 {
    let column = |name: &str| rows.column_by_name(name).unwrap().clone();
    let symbols = column("symbol");
    let symbols: Vec<&str> = symbols.as_string::<i32>().iter().map(Option::unwrap).collect();
    let said = column("price_prediction_h1");
    let came = column("price_prediction_h1_realised");
    let pairs: Vec<(&str, f64, f64)> = symbols
        .into_iter()
        .zip(said.as_primitive::<Float32Type>().iter().zip(came.as_primitive::<Float32Type>().iter()))
        .filter_map(|(symbol, (said, came))| Some((symbol, f64::from(said?), f64::from(came?))))
        .collect();
    let of_symbol = |name: &str| {
        let pairs: Vec<(f64, f64)> =
            pairs.iter().filter(|row| row.0 == name).map(|row| (row.1, row.2)).collect();
        let count = pairs.len() as f64;
        let mean =
            (pairs.iter().map(|p| p.0).sum::<f64>() / count, pairs.iter().map(|p| p.1).sum::<f64>() / count);
        let sum = |of: &dyn Fn(f64, f64) -> f64| {
            pairs.iter().map(|pair| of(pair.0 - mean.0, pair.1 - mean.1)).sum::<f64>()
        };
        sum(&|a, b| a * b) / (sum(&|a, _| a * a) * sum(&|_, b| b * b)).sqrt()
    };
    0.5 * (of_symbol("S00") + of_symbol("S01"))
}

#[test]
fn test_blocks_are_opened_once_a_run_and_the_test_span_stays_closed() {
    let run = SmallRun::new();
    walk_forward(&run, &FOLDS).ended_with(DONE).complaining("opened for time number 1");
    let opened = openings(&run);
    assert_eq!(opened.len(), 1, "{opened:?}");
    assert_eq!(opened[0]["span"], "out_of_fold");
    let resume = run.run();
    let again = run.say(["walk-forward", "--resume", resume.to_str().unwrap()]).ended_with(DONE);
    assert!(!again.stderr.contains("opened for time"), "{again}");
    assert_eq!(openings(&run).len(), 1);
    // A fold is evaluated again like any run, and its looks are counted where the others are.
    let fold = resume.join("fold-01");
    run.say(["evaluate", "--run", fold.to_str().unwrap(), "--split", "test"])
        .ended_with(DONE)
        .complaining("test blocks of these bars are opened for time number 2");
    let spans: Vec<Value> = openings(&run).into_iter().map(|opening| opening["span"].clone()).collect();
    assert_eq!(spans, ["out_of_fold", "out_of_fold"], "the test span is still closed");
    let report = fs::read_to_string(fold.join("report.html")).unwrap();
    assert!(report.contains("never opened"));

    let run = SmallRun::new();
    let open = ["--set", "walk_forward={kind: anchored, folds: 2, holdout: open}"];
    walk_forward(&run, &open).ended_with(DONE).complaining("test span of these bars, which is opened");
    let spans: Vec<Value> = openings(&run).into_iter().map(|opening| opening["span"].clone()).collect();
    assert_eq!(spans, [Value::Null, Value::from("out_of_fold")]);
}

/// What a walk-forward leaves that must not depend on how often it was stopped.
fn leavings(run: &SmallRun) -> Vec<(PathBuf, Vec<u8>)> {
    let files = ["predictions.parquet", "scores-out_of_fold.json", "summary.json"].map(PathBuf::from);
    let weights = (1..=2).map(|fold| PathBuf::from(format!("fold-{fold:02}/artefact/weights.safetensors")));
    files
        .into_iter()
        .chain(weights)
        .map(|file| (file.clone(), fs::read(run.run().join(&file)).unwrap()))
        .collect()
}

#[test]
fn an_interrupted_walk_forward_goes_on_in_its_fold_and_is_the_same() {
    let whole = SmallRun::new();
    walk_forward(&whole, &FOLDS).ended_with(DONE);
    for (fold, step) in [(1, 4), (2, 5)] {
        let run = SmallRun::new();
        let mut going = run.start_verb("walk-forward", &FOLDS);
        going.wait_for_step_in(&format!("fold-{fold:02}"), step);
        going.signal("INT");
        let said = going.wait();
        if said.code != Some(DONE) {
            said.ended_with(INTERRUPTED).complaining("train --resume");
        }
        let path = run.run();
        // Either command goes on with it.
        let verb = if fold == 1 { "train" } else { "walk-forward" };
        run.say([verb, "--resume", path.to_str().unwrap()]).ended_with(DONE);
        for ((file, one), (_, other)) in leavings(&whole).iter().zip(leavings(&run)) {
            assert!(*one == other, "fold {fold}: {} differs", file.display());
        }
    }
}

#[test]
fn a_part_is_gone_on_with_by_the_whole() {
    let run = SmallRun::new();
    walk_forward(&run, &FOLDS).ended_with(DONE);
    let fold = run.run().join("fold-01");
    run.say(["train", "--resume", fold.to_str().unwrap()]).ended_with(BAD_INPUT).complaining("is a part of");
    run.say(["runs", "list"]).ended_with(DONE).printing("walk-forward");
    run.say(["runs", "show", run.run().to_str().unwrap()]).ended_with(DONE).printing("dispersion");
    walk_forward(&SmallRun::new(), &["--folds", "0"]).ended_with(BAD_INPUT).complaining("walk_forward.folds");
    walk_forward(&SmallRun::new(), &["--folds", "400"]).ended_with(BAD_INPUT).complaining("take fewer folds");
}

#[test]
fn seeds_are_runs_of_their_own_and_their_spread_is_told() {
    let run = SmallRun::new();
    run.train(&["--seeds", "2"]).ended_with(DONE).printing("over seeds").printing("linear CKA between seeds");
    let summary = json(&run, "summary.json");
    let loss = |place: usize| summary["seeds"][place]["metrics"]["validation/loss"].as_f64().unwrap();
    assert_ne!(loss(0), loss(1));
    let spread = &summary["dispersion"]["validation/loss"];
    assert!((spread["mean"].as_f64().unwrap() - 0.5 * (loss(0) + loss(1))).abs() < 1e-12);
    assert_eq!(spread["defined"], 2);
    let agreement = summary["feature_agreement"]["mean"].as_f64().unwrap();
    assert!(agreement > 0.0 && agreement < 1.0, "{agreement}");

    // The first of them is the run that the configuration's seed makes alone.
    let alone = SmallRun::new();
    alone.train(&[]).ended_with(DONE);
    let weights = "artefact/weights.safetensors";
    let one = fs::read(run.run().join("seed-11").join(weights)).unwrap();
    assert!(one == fs::read(alone.run().join(weights)).unwrap());
}

/// Enough to learn what is planted.
const LEARNING: [&str; 8] = [
    "--set",
    "data.stride=1",
    "--set",
    "training.num_epochs=6",
    "--set",
    "data.source.synthetic={seed: 3, symbols: 2, days: 3, best_ic: 0.7}",
    "--set",
    "training.optimizer.learning_rate=3e-3",
];
const RANK_IC: &str = "validation/price_prediction/h5/rank_ic_series";

fn band(run: &SmallRun) -> (f64, f64, f64) {
    let summary = json(run, "summary.json");
    let band = summary["bands"][RANK_IC]["band"].as_array().unwrap().clone();
    (summary["real"][RANK_IC].as_f64().unwrap(), band[0].as_f64().unwrap(), band[1].as_f64().unwrap())
}

#[test]
fn a_planted_market_lies_outside_the_band_of_chance() {
    for null in ["random-walk", "shuffle-labels"] {
        let run = SmallRun::new();
        let more = [&LEARNING[..], &["--null", null, "--null-runs", "4"]].concat();
        run.train(&more).ended_with(DONE).printing("outside");
        let (real, low, high) = band(&run);
        assert!(real > high && high > low, "{null}: {real} in {low} to {high}");
        assert!(low < 0.0 && high > 0.0 && high - low < 0.8, "{null}: {low} to {high}");
    }
}

#[test]
fn a_market_with_nothing_to_find_lies_inside_the_band_of_chance() {
    for null in ["random-walk", "shuffle-labels"] {
        let run = SmallRun::new();
        let nothing = ["--set", "data.source.synthetic={seed: 3, symbols: 2, days: 3, best_ic: 0.0}"];
        let more = [&nothing[..], &["--null", null, "--null-runs", "6"]].concat();
        run.train(&more).ended_with(DONE).printing("inside");
        let (real, low, high) = band(&run);
        assert!(low <= real && real <= high, "{null}: {real} outside {low} to {high}");
    }
}

#[test]
fn a_planted_market_walks_outside_the_band_of_chance_and_its_null_walks_are_no_looks() {
    const OUT_OF_FOLD: &str = "out_of_fold/price_prediction/h5/rank_ic_series";
    for null in ["random-walk", "shuffle-labels"] {
        let run = SmallRun::new();
        let more = [&LEARNING[..], &FOLDS, &["--null", null, "--null-runs", "3"]].concat();
        let mut walking = run.start_verb("walk-forward", &more);
        walking.wait_for_step_in("real/fold-02", 1);
        walking.signal("INT");
        walking.wait().ended_with(INTERRUPTED).complaining("--resume");
        let whole = run.run();
        run.say(["walk-forward", "--resume", whole.join("real").to_str().unwrap()])
            .ended_with(BAD_INPUT)
            .complaining("is not a run");
        run.say(["walk-forward", "--resume", whole.to_str().unwrap()]).ended_with(DONE).printing("outside");
        let summary = json(&run, "summary.json");
        let band = &summary["bands"][OUT_OF_FOLD]["band"];
        let real = summary["real"][OUT_OF_FOLD].as_f64().unwrap();
        let (low, high) = (band[0].as_f64().unwrap(), band[1].as_f64().unwrap());
        assert!(real > high && low < 0.0 && high > 0.0, "{null}: {real} in {low} to {high}");
        assert_eq!(summary["nulls"].as_array().unwrap().len(), 3);
        assert_eq!(openings(&run).len(), 1, "null walks look at nothing that is real");
    }
}

#[test]
fn null_runs_are_never_taken_for_real_ones() {
    let run = SmallRun::new();
    run.train(&["--null", "shuffle-labels", "--null-runs", "3"]).ended_with(DONE);
    let null = run.run().join("null-01");
    run.say(["evaluate", "--run", null.to_str().unwrap(), "--split", "validation"])
        .ended_with(BAD_INPUT)
        .complaining("not the bars the run was trained on");
    SmallRun::new().train(&["--null", "shuffle-labels", "--null-runs", "2"]).ended_with(BAD_INPUT);
}
