//! What a careless user types and hands in: refused with exit code 2 and a message that names the thing.

use std::fs;

use tapeline_data_pipeline::Bars;

use crate::program::{BAD_INPUT, DONE, FAILED};
use crate::small_run::{FROM_FILES, SmallRun};

#[test]
fn a_configuration_that_is_not_there() {
    let run = SmallRun::new();
    run.say(["train", "--config", "smal.yaml"])
        .ended_with(BAD_INPUT)
        .complaining("smal.yaml: there is no such file")
        .complaining("small.yaml");
}

#[test]
fn an_unknown_key() {
    let run = SmallRun::new();
    run.train(&["--set", "training.num_epoch=3"])
        .ended_with(BAD_INPUT)
        .complaining("training.num_epoch")
        .complaining("num_epochs");
}

#[test]
fn all_faults_at_once() {
    let run = SmallRun::new();
    run.train(&["--set", "seed=-1", "--set", "data.stride=0", "--set", "model.lstm.dropout=.nan"])
        .ended_with(BAD_INPUT)
        .complaining("seed")
        .complaining("data.stride")
        .complaining("model.lstm.dropout");
}

#[test]
fn a_variable_that_is_no_key() {
    let run = SmallRun::new();
    let mut command = run.of_config("config check", &[]);
    command.env("TAPELINE_TRAINING__NUM_EPOCH", "3");
    crate::program::Said::by(command).ended_with(BAD_INPUT).complaining("TAPELINE_TRAINING__NUM_EPOCH");
}

#[test]
fn a_policy_on_a_metric_that_does_not_exist() {
    let run = SmallRun::new();
    run.train(&["--set", "training.early_stopping.metric=validation/los"])
        .ended_with(BAD_INPUT)
        .complaining("validation/los")
        .complaining("validation/loss");
}

#[test]
fn bars_that_are_not_there() {
    let run = SmallRun::new();
    run.train(&["--set", "data.source={path: nowhere, stamp: open}"])
        .ended_with(BAD_INPUT)
        .complaining("there is no file or folder at")
        .complaining("nowhere");
}

#[test]
fn a_folder_without_bars() {
    let run = SmallRun::new();
    fs::create_dir(run.folder().join("bars")).unwrap();
    run.train(&FROM_FILES).ended_with(BAD_INPUT).complaining("bars holds no file that ends in .parquet");
}

#[test]
fn a_file_without_rows() {
    let run = SmallRun::with_bars(|bars| {
        bars[1] = Bars::with_capacity(bars[1].symbol.clone(), bars[1].timeframe, 0);
    });
    run.train(&FROM_FILES).ended_with(BAD_INPUT).complaining("S01.parquet has no rows");
}

#[test]
fn a_file_that_is_cut_short() {
    let run = SmallRun::with_bars(|_| ());
    let file = run.folder().join("bars/S01.parquet");
    let bytes = fs::read(&file).unwrap();
    fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    run.train(&FROM_FILES).ended_with(BAD_INPUT).complaining("S01.parquet");
}

#[test]
fn a_bar_that_is_not_a_number() {
    let run = SmallRun::with_bars(|bars| bars[0].close[100] = f64::NAN);
    run.train(&FROM_FILES).ended_with(BAD_INPUT).complaining("S00").complaining("the audit found");
    assert!(!run.folder().join("runs").exists(), "a run was made of bars that cannot be true");
}

#[test]
fn a_symbol_that_the_bars_do_not_have() {
    let run = SmallRun::with_bars(|_| ());
    run.train(&["--set", "data.source={path: bars, stamp: open, symbols: [S02]}"])
        .ended_with(BAD_INPUT)
        .complaining("S02");
}

#[test]
fn too_few_bars_for_a_window() {
    let run = SmallRun::with_bars(|bars| {
        for bars in bars {
            *bars = bars.take(&(0..30).collect::<Vec<_>>());
        }
    });
    run.train(&FROM_FILES).ended_with(BAD_INPUT).complaining("the longest window needs 9 bars of 5m");
}

#[test]
fn a_folder_that_is_no_run() {
    let run = SmallRun::new();
    fs::create_dir(run.folder().join("empty")).unwrap();
    for verb in [["train", "--resume"], ["runs", "show"]] {
        run.say(verb.into_iter().chain(["empty"])).ended_with(BAD_INPUT).complaining("empty is not a run");
        run.say(verb.into_iter().chain(["nowhere"]))
            .ended_with(BAD_INPUT)
            .complaining("there is no run at nowhere");
    }
    let evaluate = ["evaluate", "--split", "validation", "--run", "empty"];
    run.say(evaluate).ended_with(BAD_INPUT).complaining("empty is not a run");
    run.say(["runs", "list"]).ended_with(BAD_INPUT).complaining("cannot list runs");
}

#[test]
fn an_output_that_is_a_file() {
    let run = SmallRun::new();
    fs::write(run.folder().join("taken"), "").unwrap();
    run.train(&["--set", "output=taken"]).ended_with(FAILED).complaining("taken/small");
}

#[test]
fn an_output_where_nobody_may_write() {
    let run = SmallRun::new();
    // Not even the superuser makes a folder there.
    run.train(&["--set", "output=/proc/tapeline"]).ended_with(FAILED).complaining("/proc/tapeline/small");
}

#[test]
fn a_gpu_that_is_not_there() {
    let run = SmallRun::new();
    run.train(&["--set", "device=cuda:77"]).ended_with(BAD_INPUT).complaining("cuda:77 is not there");
}

#[test]
fn a_word_that_is_no_command() {
    let run = SmallRun::new();
    run.say(["trian"]).ended_with(BAD_INPUT).complaining("train");
    run.say(["--help"]).ended_with(DONE).printing("Usage: tapeline");
}
