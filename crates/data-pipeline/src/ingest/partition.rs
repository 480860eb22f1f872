//! The files of one series: read as they are, and made anew where they change.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use serde::{Deserialize, Serialize};

use super::error::IngestError;
use super::layout::{Period, Series};
use crate::bar::Bars;
use crate::error::DataError;
use crate::repair::RepairCount;
use crate::source::{bar_columns, read_bars};
use crate::spec::{SourceSpec, Stamp};

/// Keys of the metadata that each file carries.
const LAYOUT: &str = "tapeline.layout";
const STAMP: &str = "tapeline.stamp";
const TIMEFRAME: &str = "tapeline.timeframe";
const SYMBOL: &str = "tapeline.symbol";
const SOURCES: &str = "tapeline.sources";

/// The layout's version. Another one is not read.
const VERSION: &str = "1";

/// zstd at the level that its authors recommend.
const ZSTD_LEVEL: i32 = 3;

/// A file that bars of a partition come from, or that has the same bars.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Source {
    /// Its name, without folders.
    pub(super) name: String,
    /// The BLAKE3 hash of its bytes.
    pub(super) blake3: String,
    /// What was mended in its rows of this series.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) repairs: Vec<RepairCount>,
}

/// Files by the hash of their bytes. Bytes under several names go by the first of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sources(BTreeMap<String, Source>);

impl Sources {
    pub(super) fn add(&mut self, source: &Source) {
        let known = self.0.entry(source.blake3.clone()).or_insert_with(|| source.clone());
        if source.name < known.name {
            known.name.clone_from(&source.name);
        }
    }

    /// As JSON, sorted by name.
    fn to_json(&self) -> String {
        let mut sources: Vec<&Source> = self.0.values().collect();
        sources.sort_by_key(|source| (&source.name, &source.blake3));
        serde_json::to_string(&sources).unwrap_or_default()
    }

    fn from_json(json: &str) -> Option<Self> {
        let sources: Vec<Source> = serde_json::from_str(json).ok()?;
        Some(Self(sources.into_iter().map(|source| (source.blake3.clone(), source)).collect()))
    }
}

/// The bars of one series as the layout has them, sorted by time, and where each period's come from.
pub(super) struct Partition {
    pub(super) bars: Bars,
    pub(super) sources: BTreeMap<Period, Sources>,
}

impl Partition {
    /// Reads every file of `series` below `into`; none is an empty partition.
    pub(super) fn read(into: &Path, series: &Series) -> Result<Self, IngestError> {
        let mut bars = Bars::with_capacity(series.symbol.clone(), series.timeframe, 0);
        let mut sources = BTreeMap::new();
        for (period, path) in files(&into.join(series.folder()))? {
            let source =
                SourceSpec { path: Some(path.clone()), stamp: Some(Stamp::Open), ..SourceSpec::default() };
            let read = read_bars(&source, series.timeframe)?;
            sources.insert(period, sources_of(&path, series)?);
            for part in read {
                (0..part.len()).filter_map(|row| part.get(row)).for_each(|bar| bars.push(bar));
            }
        }
        Ok(Self { bars, sources })
    }
}

/// The files of one partition by their period; what is hidden does not count.
pub(super) fn files(folder: &Path) -> Result<BTreeMap<Period, PathBuf>, IngestError> {
    let list_error = |source| DataError::ListFolder { path: folder.into(), source };
    let mut files = BTreeMap::new();
    if !folder.exists() {
        return Ok(files);
    }
    for entry in fs::read_dir(folder).map_err(list_error)? {
        let entry = entry.map_err(list_error)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let path = entry.path();
        let Some(period) = Period::from_file_name(&name) else {
            let problem = "is not named for a year or a month";
            return Err(IngestError::ForeignFile { path, problem });
        };
        files.insert(period, path);
    }
    Ok(files)
}

/// What the file at `path` says of its sources, if it is one of ours and of `series`.
fn sources_of(path: &Path, series: &Series) -> Result<Sources, IngestError> {
    let file = super::container::open(path)?;
    let footer = ParquetRecordBatchReaderBuilder::try_new(file)
        .map_err(|source| DataError::ReadParquet { path: path.into(), source })?;
    let metadata = footer.metadata().file_metadata().key_value_metadata();
    let value = |key: &str| {
        let pair = metadata.into_iter().flatten().find(|pair| pair.key == key);
        pair.and_then(|pair| pair.value.as_deref())
    };
    let foreign = |problem| Err(IngestError::ForeignFile { path: path.into(), problem });
    match value(LAYOUT) {
        None => return foreign("was not written by `ingest`"),
        Some(VERSION) => (),
        Some(_) => return foreign("was written by another version of `ingest`"),
    }
    let says = [value(STAMP), value(TIMEFRAME), value(SYMBOL)];
    if says != [Some("open"), Some(&series.timeframe.to_string()), Some(series.symbol.as_str())] {
        return foreign("holds bars of another symbol or timeframe than its folder says");
    }
    match value(SOURCES).and_then(Sources::from_json) {
        Some(sources) => Ok(sources),
        None => foreign("does not say where its bars come from"),
    }
}

/// Writes `bars`, which are of one period, to a new file at `path`, down to the disk. The bytes depend on the bars and
/// their sources alone.
pub(super) fn write(bars: &Bars, sources: &Sources, path: &Path) -> Result<(), IngestError> {
    let encode_error = |source| IngestError::WriteParquet { path: path.into(), source };
    let write_error = |source| IngestError::WriteFile { path: path.into(), source };
    let said = |key: &str, value: String| KeyValue::new(key.to_owned(), value);
    let metadata = vec![
        said(LAYOUT, VERSION.into()),
        said(STAMP, "open".into()),
        said(TIMEFRAME, bars.timeframe.to_string()),
        said(SYMBOL, bars.symbol.to_string()),
        said(SOURCES, sources.to_json()),
    ];
    let batch = bar_columns(bars).map_err(|source| encode_error(source.into()))?;
    let level = ZstdLevel::try_new(ZSTD_LEVEL).map_err(encode_error)?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_key_value_metadata(Some(metadata))
        .build();
    let file = File::create(path).map_err(write_error)?;
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).map_err(encode_error)?;
    writer.write(&batch).map_err(encode_error)?;
    writer.into_inner().map_err(encode_error)?.sync_all().map_err(write_error)
}
