//! Features and forecasts of any number of decisions as Parquet, a batch at a time: memory does not grow with them.
//!
//! One row for each decision, in the order of (decision time, symbol). Columns:
//!
//! | column | what it is |
//! |---|---|
//! | `symbol` | dictionary |
//! | `decision_time`, `available_at` | UTC nanoseconds; a row can be known once its decision bar is |
//! | `model_id` | dictionary: [`Extractor::id`], after `<model>/<version>@` for a registered one |
//! | `in_sample` | whether learning or choosing has seen this time: the decision is before the test span |
//! | `split` | dictionary: `train`, `validation`, `test`, or `purged` where a label reaches over a boundary |
//! | `f000`, `f001`, … | the features before the heads |
//! | `<task>_h<n>`, `<task>_h<n>_<class>` | the heads' forecasts, as in `predictions.parquet` |
//!
//! Nothing here reads a label: a decision whose label does not exist yet has its row like any other.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use arrow::array::{
    ArrayRef, BooleanArray, DictionaryArray, Float32Array, Int32Array, RecordBatch, StringArray,
    TimestampNanosecondArray,
};
use arrow::datatypes::Int32Type;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;
use tapeline_artefact::{Extractor, Predictions};
use tapeline_data_pipeline::{Dataset, FittedTarget, Split, Symbol};
use tapeline_trainer::EVALUATION_BATCH;

use crate::failure::Failure;
use crate::forecast;
use crate::streamed_file::StreamedFile;

/// Rows between two looks at whether to stop.
const ROWS_AT_ONCE: usize = 4 * EVALUATION_BATCH;
/// Rows that are encoded before they go to the disk: a few megabytes for hundreds of columns.
const ROWS_PER_GROUP: usize = 16 * ROWS_AT_ONCE;
/// Columns of few different words; the others are numbers that seldom repeat.
const DICTIONARIES: [&str; 3] = ["symbol", "model_id", "split"];
/// What a decision belongs to, by its number in a dictionary.
const SPANS: [&str; 4] = ["train", "validation", "test", "purged"];

/// What is written.
pub(crate) struct Extraction<'a> {
    /// Who says it.
    pub(crate) extractor: &'a Extractor,
    /// What it is called in the file.
    pub(crate) model_id: &'a str,
    /// Prepared with the extractor's own figures.
    pub(crate) data: &'a Dataset,
    /// Of which decisions, ascending.
    pub(crate) samples: &'a [u32],
}

/// Whether the file is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It is, with every row.
    Written,
    /// Somebody asked to stop, and nothing is left of it.
    Stopped,
}

impl Extraction<'_> {
    /// Writes the file at `path`, or nothing; `stop` is asked between batches.
    pub(crate) fn write(&self, path: &Path, stop: &dyn Fn() -> bool) -> Result<Ending, Failure> {
        let written = self.stream(path, stop).with_context(|| format!("cannot write {}", path.display()));
        written.map_err(Failure::failed)
    }

    fn stream(&self, path: &Path, stop: &dyn Fn() -> bool) -> anyhow::Result<Ending> {
        let spans = self.spans();
        let file = StreamedFile::begin(path)?;
        let mut chunks = self.samples.chunks(ROWS_AT_ONCE);
        let first = self.batch(chunks.next().context("there is no decision to write")?, &spans)?;
        let mut writer = ArrowWriter::try_new(file, first.schema(), Some(self.properties()))?;
        writer.write(&first)?;
        for samples in chunks {
            if stop() {
                return Ok(Ending::Stopped);
            }
            writer.write(&self.batch(samples, &spans)?)?;
        }
        writer.into_inner()?.finish()?;
        Ok(Ending::Written)
    }

    fn properties(&self) -> WriterProperties {
        let note = |key: &str, value: String| KeyValue::new(key.into(), value);
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(Some(ROWS_PER_GROUP))
            .set_dictionary_enabled(false)
            .set_key_value_metadata(Some(vec![
                note("tapeline.version", env!("CARGO_PKG_VERSION").into()),
                note("tapeline.model_id", self.model_id.into()),
                note("tapeline.bars", self.data.fingerprint().to_string()),
            ]));
        let dictionary = |column: &str| ColumnPath::from(column);
        DICTIONARIES
            .into_iter()
            .fold(properties, |properties, column| {
                properties.set_column_dictionary_enabled(dictionary(column), true)
            })
            .build()
    }

    /// By sample id, the number of its span.
    fn spans(&self) -> Vec<u8> {
        let mut spans = vec![SPANS.len() as u8 - 1; self.data.windows().len()];
        for (number, split) in (0..).zip(Split::ALL) {
            for &sample in self.data.samples(split) {
                spans[sample as usize] = number;
            }
        }
        spans
    }

    fn batch(&self, samples: &[u32], spans: &[u8]) -> anyhow::Result<RecordBatch> {
        let Self { extractor, data, .. } = self;
        let said = extractor.predict(data, samples, EVALUATION_BATCH)?;
        let windows = data.windows();
        let symbols = StringArray::from_iter_values(data.symbols().iter().map(Symbol::as_str));
        let number = |sample: &u32| windows.symbols()[*sample as usize] as i32;
        let times: Vec<i64> =
            samples.iter().map(|sample| windows.decisions()[*sample as usize].nanos()).collect();
        let time =
            || Arc::new(TimestampNanosecondArray::from(times.clone()).with_timezone("UTC")) as ArrayRef;
        let split = data.fitted().split;
        let seen = samples.iter().map(|sample| split.is_in_sample(windows.decisions()[*sample as usize]));
        let seen: Vec<bool> = seen.collect();
        let model = StringArray::from(vec![self.model_id]);
        let span = |sample: &u32| i32::from(spans[*sample as usize]);
        let mut columns: Vec<(String, ArrayRef)> = vec![
            ("symbol".into(), words(samples.iter().map(number).collect(), symbols)?),
            ("decision_time".into(), time()),
            ("available_at".into(), time()),
            ("model_id".into(), words(vec![0; samples.len()], model)?),
            ("in_sample".into(), Arc::new(BooleanArray::from(seen))),
            ("split".into(), words(samples.iter().map(span).collect(), StringArray::from(SPANS.to_vec()))?),
        ];
        self.add_numbers(&said, samples.len(), &mut columns);
        let nullable = columns.into_iter().map(|(name, column)| (name, column, false));
        Ok(RecordBatch::try_from_iter_with_nullable(nullable)?)
    }

    /// Features, then forecasts.
    fn add_numbers(&self, said: &Predictions, rows: usize, columns: &mut Vec<(String, ArrayRef)>) {
        for feature in 0..said.features.width {
            let values: Vec<f32> = (0..rows).map(|row| said.features.row(row)[feature]).collect();
            columns.push((format!("f{feature:03}"), Arc::new(Float32Array::from(values))));
        }
        let description = self.extractor.description();
        // A task's labels are of one kind and lie side by side; a head may say more of each than the forecast.
        let kind = |target: &FittedTarget| std::mem::discriminant(&target.spec);
        let by_task = description.fitted.labels.chunk_by(|one, other| kind(one) == kind(other));
        for ((head, said), labels) in description.network.heads.iter().zip(&said.heads).zip(by_task) {
            for (position, target) in labels.iter().enumerate() {
                let name = format!("{}_h{}", head.name, target.spec.horizon());
                columns.extend(forecast::columns(&name, &target.fitted, position, said));
            }
        }
    }
}

/// A column of `words` by their numbers.
fn words(numbers: Vec<i32>, words: StringArray) -> anyhow::Result<ArrayRef> {
    let numbers = Int32Array::from(numbers);
    Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(numbers, Arc::new(words))?))
}
