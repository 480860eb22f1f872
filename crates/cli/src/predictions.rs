//! `predictions.parquet`: what the network said at every scored decision, in the labels' own units.
//!
//! Columns: `symbol`, `decision_time` and `available_at` (UTC nanoseconds; a forecast is available once its decision bar
//! is), `split`, then for each task and horizon `<task>_h<n>` beside `<task>_h<n>_realised`; for classes one probability
//! column each, `<task>_h<n>_<class>`. Realised is null where the label does not exist.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use arrow::array::{
    ArrayRef, AsArray, BooleanArray, Float32Array, Int32Array, StringArray, TimestampNanosecondArray,
};
use arrow::compute::filter_record_batch;
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use tapeline_artefact::{Predictions, replace_file};
use tapeline_data_pipeline::{Dataset, Split};
use tapeline_trainer::{Task, Tasks};

use crate::failure::Failure;
use crate::forecast;

/// How the name of a column of outcomes ends.
const REALISED: &str = "_realised";

/// Writes the rows of `spans` in place of what the file said of them; rows of other spans stay. Afterwards it is the old
/// file or the new one.
pub(crate) fn write(
    path: &Path,
    data: &Dataset,
    tasks: &Tasks,
    spans: &[(Split, &Predictions)],
) -> Result<(), Failure> {
    let bytes =
        encode(path, data, tasks, spans).with_context(|| format!("cannot write {}", path.display()))?;
    replace_file(path, &bytes).map_err(Failure::failed)
}

/// What a fold says of its test block, as rows of [`write_stitched`].
pub(crate) fn out_of_fold(
    data: &Dataset,
    tasks: &Tasks,
    fold: usize,
    said: &Predictions,
) -> Result<RecordBatch, Failure> {
    let numbered = || -> anyhow::Result<RecordBatch> {
        let rows = batch(data, tasks, Split::Test, said)?;
        let folds = Arc::new(Int32Array::from(vec![i32::try_from(fold)?; rows.num_rows()])) as ArrayRef;
        let fields = rows
            .schema_ref()
            .fields()
            .iter()
            .zip(rows.columns())
            .map(|(field, column)| (field.name().clone(), column.clone(), field.is_nullable()));
        let columns = fields.filter(|(name, ..)| name != "split").chain([("fold".to_owned(), folds, false)]);
        Ok(RecordBatch::try_from_iter_with_nullable(columns)?)
    };
    Ok(numbered()?)
}

/// Writes what all folds say of their test blocks, one after another: the columns above, and `fold` in the place of `split`.
/// A regime's outcome is named by its fold's own thresholds.
pub(crate) fn write_stitched(path: &Path, folds: &[RecordBatch]) -> Result<(), Failure> {
    let bytes = parquet(folds).with_context(|| format!("cannot write {}", path.display()))?;
    replace_file(path, &bytes).map_err(Failure::failed)
}

fn parquet(batches: &[RecordBatch]) -> anyhow::Result<Vec<u8>> {
    let schema = batches.first().context("there is nothing to write")?.schema();
    let zstd = Compression::ZSTD(ZstdLevel::default());
    let properties = WriterProperties::builder().set_compression(zstd).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), schema, Some(properties))?;
    for batch in batches {
        writer.write(batch)?;
    }
    Ok(writer.into_inner()?)
}

fn encode(
    path: &Path,
    data: &Dataset,
    tasks: &Tasks,
    spans: &[(Split, &Predictions)],
) -> anyhow::Result<Vec<u8>> {
    let new: Vec<RecordBatch> =
        spans.iter().map(|(split, said)| batch(data, tasks, *split, said)).collect::<anyhow::Result<_>>()?;
    let schema = new.first().context("there is no span to write")?.schema();
    let replaced: Vec<String> = spans.iter().map(|(split, _)| split.to_string()).collect();
    let old = rows_of_other_spans(path, &replaced)?.into_iter().map(|batch| {
        let columns = batch.columns().to_vec();
        RecordBatch::try_new(schema.clone(), columns).context("what it says of other spans has other columns")
    });
    let old: Vec<RecordBatch> = old.collect::<anyhow::Result<_>>()?;

    parquet(&[old, new].concat())
}

/// What the file that is there says of spans other than `replaced`.
fn rows_of_other_spans(path: &Path, replaced: &[String]) -> anyhow::Result<Vec<RecordBatch>> {
    let Ok(file) = File::open(path) else { return Ok(Vec::new()) };
    let mut kept = Vec::new();
    for batch in ParquetRecordBatchReaderBuilder::try_new(file)?.build()? {
        let batch = batch?;
        let splits = batch.column_by_name("split").and_then(|column| column.as_string_opt::<i32>());
        let splits = splits.context("it has no column named split")?;
        let stays: BooleanArray = splits
            .iter()
            .map(|split| split.map(|split| !replaced.iter().any(|name| name == split)))
            .collect();
        kept.push(filter_record_batch(&batch, &stays)?);
    }
    Ok(kept)
}

fn batch(data: &Dataset, tasks: &Tasks, split: Split, said: &Predictions) -> anyhow::Result<RecordBatch> {
    let samples = data.samples(split);
    let windows = data.windows();
    let symbol = |sample: &u32| data.symbols()[windows.symbols()[*sample as usize] as usize].to_string();
    let times: Vec<i64> =
        samples.iter().map(|sample| windows.decisions()[*sample as usize].nanos()).collect();
    let time = || Arc::new(TimestampNanosecondArray::from(times.clone()).with_timezone("UTC")) as ArrayRef;
    let mut columns: Vec<(String, ArrayRef)> = vec![
        ("symbol".into(), Arc::new(samples.iter().map(symbol).map(Some).collect::<StringArray>())),
        ("decision_time".into(), time()),
        ("available_at".into(), time()),
        ("split".into(), Arc::new(StringArray::from(vec![split.to_string(); samples.len()]))),
    ];
    for (head, task) in tasks.iter().enumerate() {
        for position in 0..task.horizons.len() {
            forecast_columns(data, task, position, samples, &said.heads[head], &mut columns);
        }
    }
    // Every span has the same columns: one without an absent label may be followed by one that has some.
    let may_be_absent = |name: &str| name.ends_with(REALISED);
    let columns = columns.into_iter().map(|(name, values)| {
        let nullable = may_be_absent(&name);
        (name, values, nullable)
    });
    Ok(RecordBatch::try_from_iter_with_nullable(columns)?)
}

fn forecast_columns(
    data: &Dataset,
    task: &Task,
    position: usize,
    samples: &[u32],
    said: &tapeline_artefact::Rows,
    columns: &mut Vec<(String, ArrayRef)>,
) {
    let name = format!("{}_h{}", task.name, task.horizons[position]);
    let label = &data.labels()[task.labels.start + position];
    columns.extend(forecast::columns(&name, &label.fitted, position, said));
    let realised =
        samples.iter().map(|sample| Some(label.values[*sample as usize]).filter(|value| !value.is_nan()));
    columns.push((format!("{name}{REALISED}"), Arc::new(realised.collect::<Float32Array>())));
}
