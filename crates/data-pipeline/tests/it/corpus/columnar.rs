//! Parquet that is broken.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMillisecondArray, TimestampNanosecondArray, TimestampSecondArray,
};
use arrow::datatypes::{Field, Schema};
use parquet::arrow::ArrowWriter;
use tapeline_data_pipeline::Stamp;

use super::{Case, file};

/// 2024-01-01T00:00:00Z in seconds.
const START: i64 = 1_704_067_200;
const ROWS: usize = 20;

type Columns = Vec<(&'static str, ArrayRef)>;

fn seconds() -> impl Iterator<Item = i64> {
    (0..ROWS as i64).map(|row| START + 300 * row)
}

fn floats(value: f64) -> ArrayRef {
    Arc::new(Float64Array::from_iter_values((0..ROWS).map(|row| value + (row % 2) as f64)))
}

fn columns() -> Columns {
    vec![
        ("timestamp", Arc::new(TimestampSecondArray::from_iter_values(seconds()))),
        ("open", floats(100.0)),
        ("high", floats(102.0)),
        ("low", floats(98.0)),
        ("close", floats(101.0)),
        ("volume", floats(7.0)),
    ]
}

fn with(name: &str, column: impl arrow::array::Array + 'static) -> Columns {
    let column: ArrayRef = Arc::new(column);
    columns().into_iter().map(|(at, old)| (at, if at == name { Arc::clone(&column) } else { old })).collect()
}

fn written(columns: Columns) -> Vec<u8> {
    let fields: Vec<_> =
        columns.iter().map(|(name, column)| Field::new(*name, column.data_type().clone(), true)).collect();
    let schema = Arc::new(Schema::new(fields));
    let arrays = columns.into_iter().map(|(_, column)| column).collect();
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, schema, None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

/// A file that nobody can find fault with.
pub(super) fn sound() -> Vec<u8> {
    written(columns())
}

fn case(name: &'static str, columns: Columns) -> Case {
    file(name, "AAA.parquet", written(columns))
}

pub(super) fn cases() -> Vec<Case> {
    [damaged(), schemas(), cells()].into_iter().flatten().collect()
}

fn damaged() -> Vec<Case> {
    let sound = sound();
    let cut = |name, length: usize| file(name, "AAA.parquet", &sound[..length]);
    let mut no_pages = sound.clone();
    no_pages[4..400].fill(0xff);
    vec![
        cut("parquet-empty", 0),
        cut("parquet-cut-in-the-magic-number", 3),
        cut("parquet-cut-in-a-page", sound.len() / 4),
        cut("parquet-cut-in-the-footer", sound.len() - 100),
        cut("parquet-cut-by-one-byte", sound.len() - 1),
        file("parquet-with-damaged-pages", "AAA.parquet", no_pages),
        file(
            "parquet-with-another-end",
            "AAA.parquet",
            [&sound[..sound.len() - 4], b"PARE".as_slice()].concat(),
        ),
        file("csv-named-parquet", "AAA.parquet", super::text::with_rows(&super::text::good_rows(4))),
        case(
            "parquet-without-rows",
            columns().into_iter().map(|(name, column)| (name, column.slice(0, 0))).collect(),
        ),
    ]
}

fn schemas() -> Vec<Case> {
    let renamed = |from: &str, to: &'static str| -> Columns {
        columns().into_iter().map(|(name, column)| (if name == from { to } else { name }, column)).collect()
    };
    let texts = || StringArray::from_iter_values((0..ROWS).map(|row| row.to_string()));
    let days = || Date32Array::from_iter_values((0..ROWS as i32).map(|row| 19_723 + row));
    vec![
        case("parquet-column-misspelt", renamed("close", "clsoe")),
        case("parquet-column-twice", renamed("volume", "close")),
        case("parquet-without-volume", renamed("volume", "trades")),
        case("parquet-times-are-whole-numbers", with("timestamp", Int64Array::from_iter_values(seconds()))),
        case("parquet-times-are-text", with("timestamp", texts())),
        case("parquet-prices-are-text", with("open", texts())),
        case("parquet-prices-are-booleans", with("open", BooleanArray::from(vec![true; ROWS]))),
        case("parquet-dates-as-closes", with("timestamp", days()))
            .with(|spec| spec.source.stamp = Some(Stamp::Close)),
        case("parquet-symbols-are-fractions", columns()).with(|spec| {
            spec.source.columns.symbol = Some("volume".into());
            spec.source.columns.volume = None;
        }),
    ]
}

fn cells() -> Vec<Case> {
    let mut gap: Vec<Option<i64>> = seconds().map(Some).collect();
    gap[7] = None;
    let symbols = |names: [Option<&str>; 2]| {
        let names = StringArray::from_iter((0..ROWS).map(|row| names[row / (ROWS / 2)]));
        let mut columns = columns();
        columns.push(("ticker", Arc::new(names)));
        columns
    };
    vec![
        case("parquet-time-missing", with("timestamp", TimestampSecondArray::from(gap))),
        case(
            "parquet-seconds-as-milliseconds",
            with("timestamp", TimestampMillisecondArray::from_iter_values(seconds())),
        ),
        case(
            "parquet-seconds-as-nanoseconds",
            with("timestamp", TimestampNanosecondArray::from_iter_values(seconds())),
        ),
        case(
            "parquet-milliseconds-as-seconds",
            with("timestamp", TimestampSecondArray::from_iter_values(seconds().map(|second| second * 1_000))),
        ),
        case(
            "parquet-time-beyond-all-years",
            with("timestamp", TimestampSecondArray::from(vec![i64::MAX; ROWS])),
        ),
        case(
            "parquet-dates-in-1800",
            with("timestamp", Date32Array::from_iter_values((0..ROWS as i32).map(|row| row - 62_000))),
        ),
        case("parquet-prices-all-missing", with("close", Float64Array::from(vec![None; ROWS]))),
        case("parquet-price-not-a-number", with("close", Float64Array::from(vec![f64::NAN; ROWS]))),
        case("parquet-symbol-missing", symbols([Some("AAA"), None]))
            .with(|spec| spec.source.columns.symbol = Some("ticker".into())),
        case("parquet-symbol-asked-for-in-vain", symbols([Some("AAA"), Some("BBB")])).with(|spec| {
            spec.source.columns.symbol = Some("ticker".into());
            spec.source.symbols = super::spec::only(&["BBC"]);
        }),
    ]
}
