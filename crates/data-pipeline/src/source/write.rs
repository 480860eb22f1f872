//! Bars into Parquet files that [`read_bars`](super::read_bars) reads with its default columns and `stamp: open`.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, TimestampNanosecondArray};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use crate::bar::Bars;
use crate::error::DataError;

/// Writes each of `bars` to `folder/SYMBOL.parquet` and returns the paths. The folder is made if need be; a file is
/// replaced at once or not at all.
///
/// Columns are `timestamp` (the bar's open, nanoseconds, UTC), `open`, `high`, `low`, `close`, `volume`, and `oracle` for
/// the built-in market. Close times and publication lag are not written: they follow from what is read.
///
/// # Errors
/// [`DataError::WriteFile`] or [`DataError::WriteParquet`], naming the file.
pub fn write_parquet(bars: &[Bars], folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    std::fs::create_dir_all(folder).map_err(|source| DataError::WriteFile { path: folder.into(), source })?;
    bars.iter().map(|bars| write_symbol(bars, folder)).collect()
}

fn write_symbol(bars: &Bars, folder: &Path) -> Result<PathBuf, DataError> {
    let symbol = bars.symbol.as_str();
    let path = folder.join(format!("{symbol}.parquet"));
    let write_error = |source| DataError::WriteFile { path: path.clone(), source };
    if symbol.is_empty() || symbol.starts_with('.') || symbol.contains(['/', '\\']) {
        return Err(write_error(io::Error::new(io::ErrorKind::InvalidInput, "the symbol is no file name")));
    }
    let partial = folder.join(format!(".{symbol}.parquet.partial"));
    let written = encode(bars, &partial).and_then(|file| {
        let in_place = || {
            file.sync_all()?;
            std::fs::rename(&partial, &path)?;
            File::open(folder)?.sync_all()
        };
        in_place().map_err(WriteProblem::File)
    });
    match written {
        Ok(()) => Ok(path),
        Err(problem) => {
            let _ = std::fs::remove_file(&partial); // the first error is the one to tell
            Err(match problem {
                WriteProblem::File(source) => write_error(source),
                WriteProblem::Parquet(source) => DataError::WriteParquet { path, source },
            })
        }
    }
}

enum WriteProblem {
    File(io::Error),
    Parquet(ParquetError),
}

impl From<ParquetError> for WriteProblem {
    fn from(source: ParquetError) -> Self {
        Self::Parquet(source)
    }
}

/// Writes `bars` to `path` and returns the file, not yet synced.
fn encode(bars: &Bars, path: &Path) -> Result<File, WriteProblem> {
    let batch = columns(bars).map_err(|source| WriteProblem::Parquet(source.into()))?;
    let level = ZstdLevel::try_new(3)?;
    let properties = WriterProperties::builder().set_compression(Compression::ZSTD(level)).build();
    let file = File::create(path).map_err(WriteProblem::File)?;
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties))?;
    writer.write(&batch)?;
    Ok(writer.into_inner()?)
}

pub(crate) fn columns(bars: &Bars) -> Result<RecordBatch, arrow::error::ArrowError> {
    let opens: TimestampNanosecondArray =
        bars.open_time.iter().map(|instant| Some(instant.nanos())).collect();
    let mut columns: Vec<(&str, ArrayRef)> = vec![("timestamp", Arc::new(opens.with_timezone("UTC")))];
    let mut add = |name, values: &[f64]| {
        columns.push((name, Arc::new(Float64Array::from_iter_values(values.iter().copied()))));
    };
    add("open", &bars.open);
    add("high", &bars.high);
    add("low", &bars.low);
    add("close", &bars.close);
    add("volume", &bars.volume);
    if let Some(oracle) = &bars.oracle {
        add("oracle", oracle);
    }
    RecordBatch::try_from_iter(columns)
}
