//! `tapeline extract`: the features and forecasts of any bars, a row for each decision, whole or not there.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Float32Type, Int32Type, TimestampNanosecondType};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tapeline_artefact::Extractor;
use tapeline_data_pipeline::{Dataset, Split, resample, write_parquet};
use tch::Device;

use crate::program::{BAD_INPUT, DONE, FAILED, INTERRUPTED, Said, forget_the_user, tapeline};
use crate::small_run::{FROM_FILES, SmallRun};

/// The numbers are computed by another process, with another number of threads.
const TOLERANCE: f32 = 1e-5;
/// Processes that are stopped, spread evenly over the time that an undisturbed one takes.
const STOPS: u32 = 8;

fn extract_command(run: &SmallRun, more: &[&str]) -> Command {
    let folder = run.run();
    let words = ["extract", "--out", "features.parquet", "--run", folder.to_str().unwrap()];
    tapeline(run.folder(), words.into_iter().chain(more.iter().copied()))
}

fn extract(run: &SmallRun, more: &[&str]) -> Said {
    Said::by(extract_command(run, more))
}

fn out(run: &SmallRun) -> PathBuf {
    run.folder().join("features.parquet")
}

fn read(path: &Path) -> RecordBatch {
    let reader =
        ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap().build().unwrap();
    let batches: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
    concat_batches(&batches[0].schema(), &batches).unwrap()
}

fn words(batch: &RecordBatch, column: &str) -> Vec<String> {
    let column = batch.column_by_name(column).unwrap();
    let text = arrow::compute::cast(column, &DataType::Utf8).unwrap();
    text.as_string::<i32>().iter().map(|word| word.unwrap().to_owned()).collect()
}

fn times(batch: &RecordBatch, column: &str) -> Vec<i64> {
    batch.column_by_name(column).unwrap().as_primitive::<TimestampNanosecondType>().values().to_vec()
}

fn numbers<'a>(batch: &'a RecordBatch, column: &str) -> &'a [f32] {
    batch.column_by_name(column).unwrap().as_primitive::<Float32Type>().values()
}

/// The extractor of the run, and the bars of its configuration as it sees them.
fn loaded(run: &SmallRun) -> (Extractor, Dataset) {
    let extractor = Extractor::load(&run.run().join("artefact"), Device::Cpu).unwrap();
    let description = extractor.description();
    let pipeline = description.data.check().unwrap();
    let (bars, _) = pipeline.read().unwrap();
    let data = pipeline.prepare_with(bars, &description.labels, &description.fitted).unwrap();
    (extractor, data)
}

#[test]
fn every_decision_has_its_row_and_every_row_is_what_the_extractor_says() {
    let run = SmallRun::new();
    run.train(&[]).ended_with(DONE);
    let said = extract(&run, &[]).ended_with(DONE).printing("the test span begins at");
    let batch = read(&out(&run));
    let (extractor, data) = loaded(&run);
    let samples: Vec<u32> = (0..data.windows().len() as u32).collect();
    assert!(said.stdout.starts_with(&format!("{} decisions of 2 symbols", samples.len())), "{said}");
    assert_eq!(batch.num_rows(), samples.len());

    let decisions: Vec<i64> = data.windows().decisions().iter().map(|decision| decision.nanos()).collect();
    assert_eq!(times(&batch, "decision_time"), decisions);
    assert_eq!(times(&batch, "available_at"), decisions);
    let symbols: Vec<String> =
        data.windows().symbols().iter().map(|symbol| data.symbols()[*symbol as usize].to_string()).collect();
    assert_eq!(words(&batch, "symbol"), symbols);
    assert!(words(&batch, "model_id").iter().all(|id| id == extractor.id()));
    for column in ["symbol", "model_id", "split"] {
        assert!(batch.column_by_name(column).unwrap().as_dictionary_opt::<Int32Type>().is_some(), "{column}");
    }
    let predicted = extractor.predict(&data, &samples, 64).unwrap();
    for feature in 0..predicted.features.width {
        let column = numbers(&batch, &format!("f{feature:03}"));
        let expected = (0..samples.len()).map(|row| predicted.features.row(row)[feature]);
        assert!(column.iter().zip(expected).all(|(a, b)| (a - b).abs() <= TOLERANCE), "feature {feature}");
    }
    let extra: Vec<&str> = batch
        .schema_ref()
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .filter(|name| name.ends_with("realised"))
        .collect();
    assert!(extra.is_empty(), "labels are none of its business: {extra:?}");
    assert!(batch.columns().iter().all(|column| column.null_count() == 0));
    assert!(!run.folder().join("runs/test-openings.jsonl").exists(), "features are no scores");
}

#[test]
fn forecasts_are_those_of_the_predictions() {
    let run = SmallRun::new();
    run.train(&[]).ended_with(DONE);
    extract(&run, &["--split", "validation"]).ended_with(DONE);
    let (extracted, predictions) = (read(&out(&run)), read(&run.run().join("predictions.parquet")));
    assert_eq!(extracted.num_rows(), predictions.num_rows());
    assert_eq!(times(&extracted, "decision_time"), times(&predictions, "decision_time"));
    assert_eq!(words(&extracted, "symbol"), words(&predictions, "symbol"));
    let mut compared = 0;
    for field in
        predictions.schema_ref().fields().iter().filter(|field| *field.data_type() == DataType::Float32)
    {
        let name = field.name().as_str();
        if name.ends_with("_realised") {
            continue;
        }
        let pairs = numbers(&extracted, name).iter().zip(numbers(&predictions, name));
        assert!(pairs.into_iter().all(|(a, b)| (a - b).abs() <= TOLERANCE), "{name}");
        compared += 1;
    }
    assert_eq!(compared, 2 + 1 + 4, "two returns, a variance and four classes");
}

#[test]
fn what_learning_or_choosing_has_seen_is_in_sample() {
    let run = SmallRun::new();
    // Labels that reach over several decisions, so that some are purged.
    run.train(&["--set", "tasks.price_prediction.horizons=[1, 30]"]).ended_with(DONE);
    extract(&run, &[]).ended_with(DONE);
    let batch = read(&out(&run));
    let (_, data) = loaded(&run);
    let test_from = data.fitted().split.test_from.nanos();
    let seen = batch.column_by_name("in_sample").unwrap().as_boolean();
    let (times, splits) = (times(&batch, "decision_time"), words(&batch, "split"));
    let mut counts = BTreeMap::<&str, usize>::new();
    for (row, split) in splits.iter().enumerate() {
        assert_eq!(seen.value(row), times[row] < test_from, "row {row}");
        assert_eq!(split == "test", times[row] >= test_from, "row {row}");
        *counts.entry(split).or_default() += 1;
    }
    for split in Split::ALL {
        assert_eq!(counts[split.to_string().as_str()], data.samples(split).len(), "{split}");
    }
    assert_eq!(counts["purged"], data.purged().train + data.purged().validation);
    assert!(counts["purged"] > 0);
}

#[test]
fn bars_that_nobody_trained_on_have_features_up_to_the_newest() {
    let run = SmallRun::with_bars(|bars| {
        for bars in bars {
            *bars = bars.take(&(0..bars.len() / 2).collect::<Vec<_>>());
        }
    });
    run.train(&FROM_FILES).ended_with(DONE);
    // The whole market: what was trained on, and a day and a half that came later.
    run.say(["data", "synth", "--out", "later", "--seed", "3", "--symbols", "2", "--days", "3"])
        .ended_with(DONE);
    let (_, trained_on) = loaded(&run);
    let last = trained_on.windows().decisions().last().unwrap().to_string();
    extract(&run, &["--data", "later", "--from", &last]).ended_with(DONE);
    let batch = read(&out(&run));
    assert!(batch.num_rows() > 100, "{}", batch.num_rows());
    assert!(words(&batch, "split").iter().all(|split| split == "test"));

    // The newest decision is less than a stride of seven bars from the end: its labels do not exist.
    let end = fs::read_dir(run.folder().join("later")).unwrap().map(|entry| {
        let bars = read(&entry.unwrap().path());
        times(&bars, "timestamp").last().unwrap() + 60_000_000_000
    });
    let end = end.max().unwrap();
    let newest = *times(&batch, "decision_time").last().unwrap();
    assert!(newest <= end && end - newest < 7 * 60_000_000_000, "{newest} {end}");

    let only = extract(&run, &["--data", "later", "--symbols", "S01", "--from", &last]).ended_with(DONE);
    assert!(words(&read(&out(&run)), "symbol").iter().all(|symbol| symbol == "S01"), "{only}");
}

#[test]
fn bars_of_another_kind_are_refused_in_words() {
    let run = SmallRun::with_bars(|_| ());
    run.train(&FROM_FILES).ended_with(DONE);
    let refused = |more: &[&str], words: &str| {
        extract(&run, more).ended_with(BAD_INPUT).complaining(words);
        assert!(!out(&run).exists());
    };
    let (extractor, _) = loaded(&run);
    let (bars, _) = extractor.description().data.check().unwrap().read().unwrap();
    let longer: Vec<_> = bars.iter().map(|bars| resample(bars, "5m".parse().unwrap()).unwrap()).collect();
    write_parquet(&longer, &run.folder().join("longer")).unwrap();
    refused(&["--data", "longer"], "bars are 5m apart");

    let mut without = read(&run.folder().join("bars/S00.parquet"));
    without.remove_column(without.schema().index_of("volume").unwrap());
    fs::create_dir(run.folder().join("without")).unwrap();
    let file = File::create(run.folder().join("without/S00.parquet")).unwrap();
    let mut writer = ArrowWriter::try_new(file, without.schema(), None).unwrap();
    writer.write(&without).unwrap();
    writer.close().unwrap();
    refused(&["--data", "without"], "has no column \"volume\"");

    refused(&["--data", "nowhere"], "nowhere");
    refused(&["--symbols", "S07"], "S07");
    refused(&["--from", "2200-01-01T00:00:00Z"], "there is no such decision");
    refused(&["--from", "yesterday"], "RFC 3339");
}

#[test]
fn an_artefact_of_the_built_in_market_asks_what_the_times_of_files_mean() {
    let run = SmallRun::new();
    run.train(&[]).ended_with(DONE);
    run.say(["data", "synth", "--out", "bars", "--symbols", "1", "--days", "2"]).ended_with(DONE);
    extract(&run, &["--data", "bars"]).ended_with(BAD_INPUT).complaining("--stamp open or --stamp close");
    extract(&run, &["--data", "bars", "--stamp", "open"]).ended_with(DONE);
}

#[test]
fn a_registered_model_is_named_with_its_version() {
    let run = SmallRun::new();
    run.train(&[]).ended_with(DONE);
    let folder = run.run();
    let folder = folder.to_str().unwrap();
    run.say(["data", "leakcheck", "--probes", "1", "--run", folder]).ended_with(DONE);
    run.say(["registry", "add", "--model", "hybrid", "--run", folder]).ended_with(DONE);
    let by_alias = ["extract", "--model", "hybrid", "--out", "features.parquet"];
    run.say(by_alias).ended_with(BAD_INPUT).complaining("no alias \"champion\"");
    run.say(["registry", "promote", "hybrid", "1", "--alias", "champion"]).ended_with(DONE);
    run.say(by_alias).ended_with(DONE).printing("hybrid/1@");
    let (extractor, _) = loaded(&run);
    let id = format!("hybrid/1@{}", extractor.id());
    assert!(words(&read(&out(&run)), "model_id").iter().all(|model| *model == id));
}

/// What stands in the run's folder beside what was there before.
fn leftovers(run: &SmallRun) -> Vec<String> {
    let names =
        fs::read_dir(run.folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.contains("features")).collect()
}

#[test]
fn a_full_disk_leaves_the_old_file_or_none() {
    let run = SmallRun::new();
    run.train(&[]).ended_with(DONE);
    let full = || {
        let mut command = Command::new("sh");
        // No file may grow beyond 16 blocks, which the features do.
        let script = "trap '' XFSZ; ulimit -f 16; exec \"$0\" extract --run \"$1\" --out features.parquet";
        command.args(["-c", script, env!("CARGO_BIN_EXE_tapeline")]).arg(run.run());
        forget_the_user(command.current_dir(run.folder()));
        Said::by(command)
            .ended_with(FAILED)
            .complaining("cannot write features.parquet")
            .complaining("File too large")
    };
    full();
    assert_eq!(leftovers(&run), [""; 0]);
    extract(&run, &[]).ended_with(DONE);
    let before = fs::read(out(&run)).unwrap();
    full();
    assert!(fs::read(out(&run)).unwrap() == before, "the old file was touched");
    assert_eq!(leftovers(&run), ["features.parquet"]);
}

#[test]
fn an_extraction_that_is_stopped_or_killed_leaves_no_half() {
    let run = SmallRun::new();
    run.train(&[]).ended_with(DONE);
    let begin = Instant::now();
    extract(&run, &[]).ended_with(DONE);
    let whole = begin.elapsed();
    let rows = read(&out(&run)).num_rows();
    for number in 0..STOPS {
        for signal in ["INT", "KILL"] {
            leftovers(&run).iter().for_each(|name| fs::remove_file(run.folder().join(name)).unwrap());
            let code = stopped(extract_command(&run, &[]), whole * number / STOPS, signal);
            assert!(!out(&run).exists() || read(&out(&run)).num_rows() == rows);
            match signal {
                "INT" => assert!(leftovers(&run).iter().all(|name| !name.starts_with('.')), "{number}"),
                _ => assert!(leftovers(&run).iter().all(|name| name.contains("features.parquet"))),
            }
            // Ended by the signal itself before there was something to lose.
            assert!(matches!(code, None | Some(DONE | INTERRUPTED)), "{code:?}");
        }
    }
    extract(&run, &[]).ended_with(DONE);
    assert_eq!(leftovers(&run), ["features.parquet"]);
    assert_eq!(read(&out(&run)).num_rows(), rows);
}

/// Sends a signal by its name to `command` after `delay`; its exit code, if it had the time for one.
fn stopped(mut command: Command, delay: Duration, signal: &str) -> Option<i32> {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(delay);
    let pid = child.id().to_string();
    Command::new("sh").args(["-c", "kill -s \"$0\" \"$1\" 2>/dev/null", signal, &pid]).status().unwrap();
    child.wait().unwrap().code()
}
