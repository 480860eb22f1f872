//! Parquet in every shape that is promised, and a clear word on those that are not.

pub(crate) mod real;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, Date32Array, Date64Array, Decimal128Array, Float32Array, Float64Array, Int64Array,
    RecordBatch, StringArray, TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray,
    TimestampSecondArray,
};
use parquet::arrow::ArrowWriter;
use tapeline_data_pipeline::{
    Bars, ColumnsSpec, DataError, DataSpec, FindingKind, RepairSpec, SourceSpec, Span, Stamp, Symbol,
    SymbolsSpec, SyntheticSpec, Timeframe, Timestamp, built_in_market, read_bars, write_parquet,
};
use tempfile::TempDir;

/// 2024-01-01T00:00:00Z in seconds.
const START: i64 = 1_704_067_200;
const ROWS: usize = 20;

fn timeframe(text: &str) -> Timeframe {
    text.parse().unwrap()
}

fn seconds() -> impl Iterator<Item = i64> {
    (0..ROWS as i64).map(|row| START + 300 * row)
}

fn times() -> ArrayRef {
    Arc::new(
        TimestampMillisecondArray::from_iter_values(seconds().map(|second| second * 1000))
            .with_timezone("UTC"),
    )
}

fn prices(offset: f64) -> Vec<f64> {
    (0..ROWS).map(|row| 100.0 + row as f64 + offset).collect()
}

fn floats(values: Vec<f64>) -> ArrayRef {
    Arc::new(Float64Array::from(values))
}

/// A table that nobody can find fault with.
fn good() -> Vec<(&'static str, ArrayRef)> {
    vec![
        ("timestamp", times()),
        ("open", floats(prices(0.0))),
        ("high", floats(prices(2.0))),
        ("low", floats(prices(-2.0))),
        ("close", floats(prices(1.0))),
        ("volume", floats(prices(50.0))),
    ]
}

/// [`good`] with column `name` replaced.
fn with(name: &'static str, column: &ArrayRef) -> Vec<(&'static str, ArrayRef)> {
    good()
        .into_iter()
        .map(|(at, old)| if at == name { (at, Arc::clone(column)) } else { (at, old) })
        .collect()
}

fn write(path: &Path, columns: Vec<(&'static str, ArrayRef)>) {
    let nullable = columns.into_iter().map(|(name, column)| (name, column, true));
    let batch = RecordBatch::try_from_iter_with_nullable(nullable).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

/// A folder with one file per symbol.
fn folder(files: &[(&str, Vec<(&'static str, ArrayRef)>)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (symbol, columns) in files {
        write(&folder.path().join(format!("{symbol}.parquet")), columns.clone());
    }
    folder
}

fn spec(path: impl Into<PathBuf>) -> SourceSpec {
    SourceSpec { path: Some(path.into()), stamp: Some(Stamp::Open), ..SourceSpec::default() }
}

fn read(columns: Vec<(&'static str, ArrayRef)>) -> Result<Bars, DataError> {
    let folder = folder(&[("AAA", columns)]);
    read_bars(&spec(folder.path()), timeframe("5m")).map(|mut bars| bars.remove(0))
}

fn only(symbols: &[&str]) -> SymbolsSpec {
    SymbolsSpec::Only(symbols.iter().map(|&symbol| Symbol::new(symbol)).collect())
}

/// What a user reads of the error of `result`.
fn message<T: std::fmt::Debug>(result: Result<T, DataError>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn a_folder_gives_one_symbol_per_file_and_reads_only_those_asked_for() {
    let folder = folder(&[("BBB", good()), ("AAA", good())]);
    std::fs::write(folder.path().join("CCC.parquet"), "not parquet at all").unwrap();
    std::fs::write(folder.path().join("README.md"), "notes").unwrap();
    std::fs::write(folder.path().join(".AAA.parquet"), "hidden").unwrap();
    let spec = SourceSpec { symbols: only(&["BBB", "AAA"]), ..spec(folder.path()) };
    let bars = read_bars(&spec, timeframe("5m")).unwrap();
    assert_eq!(bars.iter().map(|bars| bars.symbol.as_str()).collect::<Vec<_>>(), ["AAA", "BBB"]);
    assert_eq!((bars[0].len(), bars[0].open[3], bars[0].volume[3]), (ROWS, 103.0, 153.0));
}

#[test]
fn a_file_is_one_symbol() {
    let folder = folder(&[("AAA", good())]);
    let bars = read_bars(&spec(folder.path().join("AAA.parquet")), timeframe("5m")).unwrap();
    assert_eq!((bars.len(), bars[0].symbol.as_str()), (1, "AAA"));
}

#[test]
fn a_symbol_column_parts_a_file_and_may_hold_numbers() {
    let named: ArrayRef =
        Arc::new(StringArray::from_iter_values((0..ROWS).map(|row| ["XX", "YY", "ZZ"][row % 3])));
    let numbered: ArrayRef =
        Arc::new(Int64Array::from_iter_values((0..ROWS).map(|row| [600519, 700, 5][row % 3])));
    for (column, symbol, other) in [(named, "YY", "ZZ"), (numbered, "700", "5")] {
        let mut columns = good();
        columns.push(("ticker", column));
        let folder = folder(&[("all", columns)]);
        let spec = SourceSpec {
            symbols: only(&[symbol, other]),
            columns: ColumnsSpec { symbol: Some("ticker".into()), ..ColumnsSpec::default() },
            ..spec(folder.path().join("all.parquet"))
        };
        let bars = read_bars(&spec, timeframe("5m")).unwrap();
        let part = bars.iter().find(|bars| bars.symbol.as_str() == symbol).unwrap();
        assert_eq!((bars.len(), part.open[0], part.open[1]), (2, 101.0, 104.0));
        let spec = SourceSpec { symbols: only(&["NOPE"]), ..spec };
        assert!(message(read_bars(&spec, timeframe("5m"))).contains("has no symbol NOPE"));
    }
}

#[test]
fn times_come_in_every_unit_with_and_without_a_zone() {
    let expected: Vec<Timestamp> =
        seconds().map(|second| Timestamp::from_nanos(second * 1_000_000_000)).collect();
    let columns: [ArrayRef; 6] = [
        Arc::new(TimestampSecondArray::from_iter_values(seconds())),
        Arc::new(TimestampMillisecondArray::from_iter_values(seconds().map(|s| s * 1_000))),
        Arc::new(
            TimestampMicrosecondArray::from_iter_values(seconds().map(|s| s * 1_000_000))
                .with_timezone("UTC"),
        ),
        Arc::new(TimestampNanosecondArray::from_iter_values(seconds().map(|s| s * 1_000_000_000))),
        Arc::new(
            TimestampNanosecondArray::from_iter_values(seconds().map(|s| s * 1_000_000_000))
                .with_timezone("+05:30"),
        ),
        Arc::new(
            TimestampMillisecondArray::from_iter_values(seconds().map(|s| s * 1_000))
                .with_timezone("America/New_York"),
        ),
    ];
    for column in columns {
        let kind = column.data_type().clone();
        assert_eq!(read(with("timestamp", &column)).unwrap().open_time, expected, "{kind}");
    }
}

#[test]
fn the_stamp_says_which_end_and_the_lag_is_added() {
    let folder = folder(&[("AAA", good())]);
    let first: Timestamp = "2024-01-01T00:00:00Z".parse().unwrap();
    let lag: Span = "2s".parse().unwrap();
    let read = |stamp| {
        let spec = SourceSpec { stamp: Some(stamp), publication_lag: lag, ..spec(folder.path()) };
        let bars = read_bars(&spec, timeframe("5m")).unwrap().remove(0);
        (bars.open_time[0], bars.close_time[0], bars.available_at[0])
    };
    let later = |minutes: i64| first.plus(Span::from_nanos(minutes * 60_000_000_000));
    assert_eq!(read(Stamp::Open), (first, later(5), later(5).plus(lag)));
    assert_eq!(read(Stamp::Close), (later(-5), first, first.plus(lag)));
}

#[test]
fn a_date_closes_at_its_end_and_never_at_its_start() {
    let days = (0..ROWS as i32).map(|row| 19_723 + row);
    let columns: [ArrayRef; 2] = [
        Arc::new(Date32Array::from_iter_values(days.clone())),
        Arc::new(Date64Array::from_iter_values(days.map(|day| i64::from(day) * 86_400_000))),
    ];
    for column in columns {
        let folder = folder(&[("AAA", with("timestamp", &column))]);
        let bars = read_bars(&spec(folder.path()), timeframe("1d")).unwrap().remove(0);
        assert_eq!(bars.open_time[0].to_string(), "2024-01-01T00:00:00Z");
        assert_eq!(bars.available_at[0].to_string(), "2024-01-02T00:00:00Z");
        let spec = SourceSpec { stamp: Some(Stamp::Close), ..spec(folder.path()) };
        let text = message(read_bars(&spec, timeframe("1d")));
        assert!(text.contains("a date does not say when its bar closed"), "{text}");
    }
}

#[test]
fn prices_may_be_any_kind_of_number() {
    let cents = (0..ROWS as i128).map(|row| 10_000 + 100 * row);
    let columns: [ArrayRef; 3] = [
        Arc::new(Float32Array::from_iter_values((0..ROWS).map(|row| 100.0 + row as f32))),
        Arc::new(Int64Array::from_iter_values((0..ROWS as i64).map(|row| 100 + row))),
        Arc::new(Decimal128Array::from_iter_values(cents).with_precision_and_scale(20, 2).unwrap()),
    ];
    for column in columns {
        let kind = column.data_type().clone();
        assert_eq!(read(with("open", &column)).unwrap().open, prices(0.0), "{kind}");
    }
}

#[test]
fn columns_of_other_types_are_refused_by_name() {
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(seconds()));
    let text: ArrayRef = Arc::new(StringArray::from_iter_values((0..ROWS).map(|row| format!("{row}"))));
    let whole = message(read(with("timestamp", &numbers)));
    assert!(
        whole.contains("\"timestamp\"") && whole.contains("Int64") && whole.contains("its unit"),
        "{whole}"
    );
    let texts = message(read(with("timestamp", &text)));
    assert!(texts.contains("Utf8") && texts.contains("pandas.to_datetime"), "{texts}");
    let price = message(read(with("close", &text)));
    assert!(
        price.contains("AAA.parquet") && price.contains("\"close\"") && price.contains("a number"),
        "{price}"
    );
}

#[test]
fn a_missing_column_names_the_nearest() {
    let columns =
        good().into_iter().map(|(name, column)| (if name == "close" { "Close" } else { name }, column));
    let text = message(read(columns.collect()));
    assert!(
        text.contains("no column \"close\" (data.source.columns.close); its columns are Close, "),
        "{text}"
    );
}

#[test]
fn an_empty_cell_is_told_apart_from_a_number() {
    let mut values: Vec<Option<f64>> = prices(0.0).into_iter().map(Some).collect();
    values[7] = None;
    let bars = read(with("open", &(Arc::new(Float64Array::from(values)) as ArrayRef))).unwrap();
    assert!(bars.open[7].is_nan() && bars.open[6] == 106.0);

    let mut stamps: Vec<Option<i64>> = seconds().map(Some).collect();
    stamps[7] = None;
    let text = message(read(with("timestamp", &(Arc::new(TimestampSecondArray::from(stamps)) as ArrayRef))));
    assert!(text.contains("row 7") && text.contains("is empty"), "{text}");
    let text = message(read(with(
        "timestamp",
        &(Arc::new(TimestampSecondArray::from(vec![i64::MAX; ROWS])) as ArrayRef),
    )));
    assert!(text.contains("row 0") && text.contains("lies outside of the years 1900 to 2200"), "{text}");
}

#[test]
fn paths_that_lead_nowhere_say_so() {
    let empty = tempfile::tempdir().unwrap();
    let read = |path: PathBuf| message(read_bars(&spec(path), timeframe("5m")));
    assert!(read(empty.path().join("nope")).contains("there is no file or folder at"));
    assert!(read(empty.path().into()).contains("holds no file that ends in .parquet, .csv, .tsv"));
    let no_stamp = SourceSpec { stamp: None, ..spec(empty.path()) };
    assert!(message(read_bars(&no_stamp, timeframe("5m"))).contains("data.source.stamp is missing"));
}

#[test]
fn a_missing_symbol_names_the_nearest() {
    let folder = folder(&[("BTCUSDT", good()), ("ETHUSDT", good())]);
    let spec = SourceSpec { symbols: only(&["ETHUSD", "BTCUSDT"]), ..spec(folder.path()) };
    let text = message(read_bars(&spec, timeframe("5m")));
    assert!(text.contains("has no symbol ETHUSD; it has ETHUSDT, BTCUSDT"), "{text}");
    let market = SourceSpec { symbols: only(&["S0"]), ..SourceSpec::default() };
    assert!(
        message(read_bars(&market, timeframe("1m")))
            .contains("the built-in market has no symbol S0; it has S00")
    );
}

#[test]
fn cut_off_and_empty_files_are_named() {
    let folder = folder(&[("AAA", good())]);
    let file = folder.path().join("AAA.parquet");
    let bytes = std::fs::read(&file).unwrap();
    for length in [0, 3, bytes.len() / 2, bytes.len() - 1] {
        std::fs::write(&file, &bytes[..length]).unwrap();
        let error = read_bars(&spec(folder.path()), timeframe("5m")).unwrap_err();
        assert!(matches!(error, DataError::ReadParquet { .. }), "{length} bytes: {error:?}");
        assert!(error.to_string().contains("AAA.parquet"));
    }
    let nothing = good().into_iter().map(|(name, column)| (name, column.slice(0, 0))).collect();
    assert!(message(read(nothing)).contains("AAA.parquet has no rows"));
}

/// One flipped byte anywhere gives bars or an error, never a panic.
#[test]
fn damage_never_panics() {
    let folder = folder(&[("AAA", good())]);
    let file = folder.path().join("AAA.parquet");
    let bytes = std::fs::read(&file).unwrap();
    for at in (0..bytes.len()).step_by(7) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x55;
        std::fs::write(&file, damaged).unwrap();
        let _ = read_bars(&spec(folder.path()), timeframe("5m"));
    }
}

#[test]
fn what_is_written_is_read_again_to_the_last_bit() {
    let folder = tempfile::tempdir().unwrap();
    let market = SyntheticSpec { symbols: 2, days: 10, ..SyntheticSpec::default() };
    let written = built_in_market(&market, Span::ZERO);
    let paths = write_parquet(&written, folder.path()).unwrap();
    assert_eq!(paths, ["S00.parquet", "S01.parquet"].map(|name| folder.path().join(name)));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    let read = read_bars(&spec(folder.path()), timeframe("1m")).unwrap();
    let without_oracle: Vec<Bars> = written.into_iter().map(|bars| Bars { oracle: None, ..bars }).collect();
    assert_eq!(read, without_oracle);
}

#[test]
fn a_symbol_that_is_no_file_name_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut bars = read(good()).unwrap();
    bars.symbol = Symbol::new("../AAA");
    assert!(matches!(write_parquet(&[bars], folder.path()), Err(DataError::WriteFile { .. })));
}

#[test]
fn the_built_in_market_can_be_seen_at_longer_bars() {
    let spec = SourceSpec {
        synthetic: Some(SyntheticSpec { days: 1, ..SyntheticSpec::default() }),
        ..SourceSpec::default()
    };
    let minutes = read_bars(&spec, timeframe("1m")).unwrap();
    let fives = read_bars(&spec, timeframe("5m")).unwrap();
    assert!(minutes[0].oracle.is_some() && fives[0].oracle.is_none());
    assert!(fives[0].len() * 5 >= minutes[0].len());
    assert!(matches!(read_bars(&spec, timeframe("30s")), Err(DataError::Resample { .. })));
}

fn pipeline(path: &Path, repair: Vec<RepairSpec>) -> tapeline_data_pipeline::Pipeline {
    DataSpec { source: spec(path), repair, timeframes: vec![timeframe("5m")], ..DataSpec::default() }
        .check()
        .unwrap()
}

#[test]
fn errors_stop_the_run_unless_a_named_repair_covers_them() {
    let mut highs = prices(2.0);
    highs[4] = 1.0;
    let disordered = times().slice(1, ROWS - 1);
    let first = times().slice(0, 1);
    let stamps = arrow::compute::concat(&[&disordered, &first]).unwrap();
    let columns = with("timestamp", &stamps)
        .into_iter()
        .map(|(name, column)| if name == "high" { (name, floats(highs.clone())) } else { (name, column) });
    let folder = folder(&[("AAA", columns.collect())]);

    let error = pipeline(folder.path(), vec![RepairSpec::DropBadRows]).read().unwrap_err();
    let text = error.to_string();
    assert!(text.contains("disorder in 1 rows of AAA, first in row 18 at 2024-01-01T00:00:00Z"), "{text}");
    assert!(text.contains("[sort_by_time] covers it"), "{text}");
    let DataError::Audit { report } = error else { panic!("not an audit error") };
    assert_eq!(report.symbols[0].count_of(FindingKind::OhlcOrder), 0);

    let (bars, report) =
        pipeline(folder.path(), vec![RepairSpec::DropBadRows, RepairSpec::SortByTime]).read().unwrap();
    assert!(bars[0].open_time.is_sorted());
    assert_eq!(report.symbols[0].repairs.iter().map(|count| count.rows).collect::<Vec<_>>(), [1, ROWS - 1]);
    assert!(report.to_string().contains("repaired  drop_bad_rows: 1 row\n"), "{report}");
}
