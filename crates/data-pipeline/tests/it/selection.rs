//! What is not asked for is not read, and takes no memory.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray, TimestampMillisecondArray};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use tapeline_data_pipeline::{Bars, ColumnsSpec, SourceSpec, Stamp, Symbol, SymbolsSpec, read_bars};

use crate::random_market::{Random, at, timeframe};

/// 2024-01-01T00:00:00Z in milliseconds.
const START: i64 = 1_704_067_200_000;
const STEP: i64 = 300_000;

/// A file with `times` five-minute bars of each of `symbols`, in row groups of `group` rows that no compression shrinks:
/// all symbols of one time after another, or all times of one symbol.
fn write(path: &Path, symbols: usize, times: usize, group: usize, by_symbol: bool) {
    let properties = WriterProperties::builder()
        .set_compression(Compression::UNCOMPRESSED)
        .set_dictionary_enabled(false)
        .set_max_row_group_row_count(Some(group))
        .build();
    let mut random = Random(1);
    let mut writer: Option<ArrowWriter<File>> = None;
    for first in (0..symbols * times).step_by(group) {
        let rows = first..(first + group).min(symbols * times);
        let place =
            |row: usize| if by_symbol { (row / times, row % times) } else { (row % symbols, row / symbols) };
        let names = rows.clone().map(|row| format!("S{:02}", place(row).0));
        let stamps = rows.clone().map(|row| START + STEP * place(row).1 as i64);
        let mut column = |low: f64| -> ArrayRef {
            Arc::new(Float64Array::from_iter_values(rows.clone().map(|_| low + random.unit())))
        };
        let batch = RecordBatch::try_from_iter([
            ("timestamp", Arc::new(TimestampMillisecondArray::from_iter_values(stamps)) as ArrayRef),
            ("open", column(100.0)),
            ("high", column(102.0)),
            ("low", column(98.0)),
            ("close", column(100.0)),
            ("volume", column(0.0)),
            ("ticker", Arc::new(StringArray::from_iter_values(names)) as ArrayRef),
        ]);
        let batch = batch.unwrap();
        let writer = writer.get_or_insert_with(|| {
            ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), Some(properties.clone()))
                .unwrap()
        });
        writer.write(&batch).unwrap();
    }
    writer.unwrap().close().unwrap();
}

fn source(path: &Path, symbols: &[&str]) -> SourceSpec {
    SourceSpec {
        path: Some(path.into()),
        stamp: Some(Stamp::Open),
        symbols: SymbolsSpec::Only(symbols.iter().copied().map(Symbol::new).collect()),
        columns: ColumnsSpec { symbol: Some("ticker".into()), ..ColumnsSpec::default() },
        ..SourceSpec::default()
    }
}

/// The bars of `spec`, read with everything else in the file made unreadable: only `kept` row groups are as they were.
fn read_from_ruins(spec: &SourceSpec, kept: &[usize]) -> Vec<Bars> {
    let path = spec.path.as_deref().unwrap();
    let metadata = SerializedFileReader::new(File::open(path).unwrap()).unwrap().metadata().clone();
    let mut bytes = fs::read(path).unwrap();
    for (index, group) in metadata.row_groups().iter().enumerate().filter(|(index, _)| !kept.contains(index))
    {
        for column in group.columns() {
            let (start, length) = column.byte_range();
            bytes[start as usize..(start + length) as usize].fill(0xff);
            assert!(index < 4);
        }
    }
    let ruined = path.with_file_name("ruined.parquet");
    fs::write(&ruined, bytes).unwrap();
    let all = SourceSpec {
        path: Some(ruined.clone()),
        symbols: SymbolsSpec::All,
        start: None,
        end: None,
        ..spec.clone()
    };
    assert!(read_bars(&all, timeframe("5m")).is_err(), "nothing was ruined");
    read_bars(&SourceSpec { path: Some(ruined), ..spec.clone() }, timeframe("5m")).unwrap()
}

#[test]
fn row_groups_of_another_time_are_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.parquet");
    write(&path, 2, 400, 200, false);
    // Row group 1 has times 100 to 199, row group 2 those from 200 on.
    let start = Some(at("2024-01-01T10:00:00Z")); // time 120
    let spec = SourceSpec { start, end: Some(at("2024-01-01T16:40:00Z")), ..source(&path, &["S00", "S01"]) };
    let bars = read_from_ruins(&spec, &[1]);
    assert_eq!(bars.iter().map(Bars::len).collect::<Vec<_>>(), [80, 80]);
    let whole = read_bars(&source(&path, &["S01"]), timeframe("5m")).unwrap();
    assert_eq!(bars[1].close, whole[0].close[120..200]);
    let spec = SourceSpec { stamp: Some(Stamp::Close), ..spec };
    assert_eq!(read_from_ruins(&spec, &[1, 2])[0].close, [&whole_of(&path, "S00").close[121..201]].concat());
}

fn whole_of(path: &Path, symbol: &str) -> Bars {
    read_bars(&source(path, &[symbol]), timeframe("5m")).unwrap().remove(0)
}

#[test]
fn row_groups_of_other_symbols_are_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.parquet");
    write(&path, 8, 100, 200, true);
    let bars = read_from_ruins(&source(&path, &["S05"]), &[2]);
    assert_eq!((bars.len(), bars[0].len()), (1, 100));
    assert_eq!(bars[0], whole_of(&path, "S05"));
    let said = read_bars(&source(&path, &["S55"]), timeframe("5m")).unwrap_err().to_string();
    assert!(said.contains("has no symbol S55; it has S05, "), "{said}");
}

/// The row of a bad cell is counted over the whole file, whatever was passed over.
#[test]
fn rows_are_counted_over_what_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.parquet");
    let mut stamps: Vec<Option<i64>> = (0..400).map(|row| Some(START + STEP * row)).collect();
    stamps[317] = None;
    let prices: ArrayRef = Arc::new(Float64Array::from(vec![1.0; 400]));
    let columns = ["open", "high", "low", "close", "volume"].map(|name| (name, Arc::clone(&prices), true));
    let times: ArrayRef = Arc::new(TimestampMillisecondArray::from(stamps));
    let batch =
        RecordBatch::try_from_iter_with_nullable([("timestamp", times, true)].into_iter().chain(columns))
            .unwrap();
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(100)).build();
    let mut writer =
        ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let spec = SourceSpec {
        path: Some(path),
        stamp: Some(Stamp::Open),
        start: Some(at("2024-01-02T02:00:00Z")), // row 312
        ..SourceSpec::default()
    };
    let said = read_bars(&spec, timeframe("5m")).unwrap_err().to_string();
    assert!(said.starts_with("row 317 of column \"timestamp\""), "{said}");
}

/// Two of a hundred symbols of a large file, their bars among those of the others. A process of its own reads them, so
/// that nothing else counts.
#[test]
#[cfg(target_os = "linux")]
#[expect(clippy::disallowed_methods, reason = "the child is told by a variable and answers by a line")]
fn memory_grows_with_the_bars_that_are_asked_for() {
    const FILE: &str = "TAPELINE_TEST_LARGE_FILE";
    const ANSWER: &str = "grown by KiB: ";
    /// Bars of two symbols take 2 MiB; batches, pages and the file's own description come to less than this.
    const ALLOWED_KIB: u64 = 32 << 10;
    if let Some(path) = std::env::var_os(FILE) {
        let before = peak_kib();
        let bars = read_bars(&source(Path::new(&path), &["S07", "S93"]), timeframe("5m")).unwrap();
        assert!(bars.len() == 2 && bars[0].len() == bars[1].len() && !bars[0].is_empty());
        println!("\n{ANSWER}{}", peak_kib() - before);
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.parquet");
    write(&path, 100, 16_000, 1 << 16, false);
    let file_kib = fs::metadata(&path).unwrap().len() >> 10;
    assert!(file_kib > 2 * ALLOWED_KIB, "{file_kib} KiB prove nothing");
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["selection::memory_grows_with_the_bars_that_are_asked_for", "--exact", "--nocapture"])
        .env(FILE, &path)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&child.stdout);
    let grown =
        told.lines().find_map(|line| line.strip_prefix(ANSWER)).unwrap_or_else(|| panic!("{child:?}"));
    let grown: u64 = grown.parse().unwrap();
    assert!(grown < ALLOWED_KIB, "reading {file_kib} KiB took {grown} KiB");
}

/// The most memory that this process ever had.
#[cfg(target_os = "linux")]
fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
