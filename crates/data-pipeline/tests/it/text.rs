//! Text in every shape that can be declared. What is refused is in `corpus`.

mod real;

use std::fs;

use proptest::prelude::*;
use tapeline_data_pipeline::{
    Ambiguous, AuditReport, Bars, ColumnsSpec, DataSpec, DecimalMark, FormatSpec, Header, SourceNote,
    SourceSpec, Stamp, Symbol, SymbolsSpec, TextSpec, TextTimeSpec, read_bars,
};

use crate::random_market::timeframe;

/// The spec for a file of its own with `text` in it, and the folder that holds it.
fn source(text: impl AsRef<[u8]>, format: FormatSpec, spec: TextSpec) -> (SourceSpec, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("AAA.txt");
    fs::write(&path, text).unwrap();
    let source = SourceSpec {
        path: Some(path),
        format,
        text: Some(spec),
        stamp: Some(Stamp::Open),
        ..SourceSpec::default()
    };
    (source, folder)
}

fn read(text: &str, spec: TextSpec) -> Bars {
    let (source, _folder) = source(text, FormatSpec::Csv, spec);
    read_bars(&source, timeframe("5m")).unwrap().remove(0)
}

fn opens(bars: &Bars) -> Vec<String> {
    bars.open_time.iter().map(ToString::to_string).collect()
}

fn time(format: &str, zone: &str, ambiguous: Ambiguous) -> TextTimeSpec {
    TextTimeSpec { format: format.parse().unwrap(), zone: zone.parse().unwrap(), ambiguous }
}

/// The open times of rows with `times`.
fn times(times: &[&str], spec: TextTimeSpec) -> Vec<String> {
    let rows: String = times.iter().map(|time| format!("{time};1;2;0.5;1.5;9\n")).collect();
    let spec = TextSpec { delimiter: Some(';'), time: spec, ..TextSpec::default() };
    opens(&read(&format!("timestamp;open;high;low;close;volume\n{rows}"), spec))
}

#[test]
fn the_plainest_file_needs_no_word_about_it() {
    let folder = tempfile::tempdir().unwrap();
    let text = "\u{feff}timestamp,open,high,low,close,volume,note\r\n\r\n 2024-01-01T00:00Z ,1,2,0.5,1.5,9,\"a, b\"\r\n\"2024-01-01T00:05:00Z\",,2,NaN,1.5,1e3,\r\n";
    fs::write(folder.path().join("AAA.csv"), text).unwrap();
    fs::write(folder.path().join("notes.txt"), "not bars").unwrap();
    let source =
        SourceSpec { path: Some(folder.path().into()), stamp: Some(Stamp::Open), ..SourceSpec::default() };
    let bars = read_bars(&source, timeframe("5m")).unwrap().remove(0);
    assert_eq!(bars.symbol.as_str(), "AAA");
    assert_eq!(opens(&bars), ["2024-01-01T00:00:00Z", "2024-01-01T00:05:00Z"]);
    assert_eq!(
        [bars.open[0], bars.high[0], bars.low[0], bars.close[0], bars.volume[1]],
        [1.0, 2.0, 0.5, 1.5, 1e3]
    );
    assert!(bars.open[1].is_nan() && bars.low[1].is_nan());
    assert_eq!(bars.available_at[1].to_string(), "2024-01-01T00:10:00Z");
}

#[test]
fn columns_may_be_called_by_their_place() {
    let rows = "20240102;093500;1,5;2;0,5;1;9\n20240102;094000;1,5;2;0,5;1;9\n";
    let columns = ColumnsSpec {
        timestamp: "1".into(),
        time_of_day: Some("2".into()),
        open: "3".into(),
        high: "4".into(),
        low: "5".into(),
        close: "6".into(),
        volume: Some("7".into()),
        symbol: None,
    };
    for (header, text) in
        [(Header::None, rows.to_owned()), (Header::Ignored, format!("one;header;too;short\n{rows}"))]
    {
        let spec = TextSpec {
            delimiter: Some(';'),
            header,
            decimal: DecimalMark::Comma,
            time: time("%Y%m%d %H%M%S", "America/New_York", Ambiguous::Refuse),
        };
        let (source, _folder) = source(&text, FormatSpec::Csv, spec);
        let source = SourceSpec { columns: columns.clone(), ..source };
        let bars = read_bars(&source, timeframe("5m")).unwrap().remove(0);
        assert_eq!(opens(&bars), ["2024-01-02T14:35:00Z", "2024-01-02T14:40:00Z"]);
        assert_eq!((bars.open[1], bars.volume[1]), (1.5, 9.0));
    }
}

#[test]
fn times_are_read_as_they_are_declared() {
    let expected = ["2024-01-31T14:30:00Z"];
    for (written, format, zone) in [
        ("2024-01-31 14:30", "iso", "UTC"),
        ("2024-01-31T14:30:00.000", "iso", "UTC"),
        ("2024-01-31T09:30:00", "iso", "America/New_York"),
        ("2024-01-31 09:30:00-05:00", "iso", "Asia/Tokyo"),
        ("2024-01-31 09:30", "iso", "-05:00"),
        ("1706711400", "s", "Asia/Tokyo"),
        ("1706711400000", "ms", "UTC"),
        ("1706711400000000", "us", "UTC"),
        ("1706711400000000000", "ns", "UTC"),
        ("20240131 093000", "%Y%m%d %H%M%S", "EST"),
        ("31.01.2024 15:30", "%d.%m.%Y %H:%M", "Europe/Berlin"),
        ("1/31/2024 9:30 AM", "%m/%d/%Y %I:%M %p", "America/New_York"),
        ("2024-01-31 20:00:00 +0530", "%Y-%m-%d %H:%M:%S %z", "UTC"),
    ] {
        assert_eq!(
            times(&[written], time(format, zone, Ambiguous::Refuse)),
            expected,
            "{written} as {format}"
        );
    }
    assert_eq!(times(&["2024-01-31"], TextTimeSpec::default()), ["2024-01-31T00:00:00Z"]);
    assert_eq!(times(&["20240131"], time("%Y%m%d", "UTC", Ambiguous::Refuse)), ["2024-01-31T00:00:00Z"]);
}

/// Offsets may differ from row to row, as they do in a zone with daylight saving time.
#[test]
fn an_offset_of_its_own_wins_over_the_zone() {
    let zone = time("iso", "Asia/Tokyo", Ambiguous::Refuse);
    let read = times(&["2024-03-10 01:55:00-05:00", "2024-03-10 03:00:00-04:00"], zone);
    assert_eq!(read, ["2024-03-10T06:55:00Z", "2024-03-10T07:00:00Z"]);
}

#[test]
fn a_time_that_occurs_twice_is_taken_as_declared_and_counted() {
    let written =
        ["2024-11-03 00:55:00", "2024-11-03 01:00:00", "2024-11-03 01:05:00", "2024-11-03 02:00:00"];
    let read = |ambiguous| times(&written, time("iso", "America/New_York", ambiguous));
    assert_eq!(
        read(Ambiguous::Earlier)[1..],
        ["2024-11-03T05:00:00Z", "2024-11-03T05:05:00Z", "2024-11-03T07:00:00Z"]
    );
    assert_eq!(
        read(Ambiguous::Later)[1..],
        ["2024-11-03T06:00:00Z", "2024-11-03T06:05:00Z", "2024-11-03T07:00:00Z"]
    );

    let rows: String = written.iter().map(|time| format!("{time},1,2,0.5,1.5\n")).collect();
    let spec = TextSpec { time: time("iso", "America/New_York", Ambiguous::Later), ..TextSpec::default() };
    let (mut source, _folder) =
        source(format!("timestamp,open,high,low,close\n{rows}"), FormatSpec::Csv, spec);
    source.columns.volume = None;
    let (bars, report) = audited(source);
    assert_eq!(bars[0].volume, [0.0; 4]);
    assert_eq!(report.symbols[0].notes, [SourceNote::NoVolume, SourceNote::AmbiguousTimes { rows: 2 }]);
    let told = report.to_string();
    assert!(told.contains("note      there is no volume column; every volume is read as 0\n"), "{told}");
    assert!(told.contains("note      2 rows with a local time that occurs twice"), "{told}");
}

fn audited(source: SourceSpec) -> (Vec<Bars>, AuditReport) {
    let spec = DataSpec { source, timeframes: vec![timeframe("5m")], ..DataSpec::default() };
    spec.check().unwrap().read().unwrap()
}

#[test]
fn a_symbol_column_parts_a_text_and_rows_of_others_are_not_looked_at() {
    let text = "ticker\ttimestamp\topen\thigh\tlow\tclose\tvolume\nB\t2024-01-01\t1\t2\t0.5\t1\t9\nC\tbroken\t\t\t\t\t\n\
                A\t2024-01-01\t3\t4\t2.5\t3\t9\nB\t2024-01-02\t1\t2\t0.5\t1\t9\n";
    let (source, _folder) = source(text, FormatSpec::Tsv, TextSpec::default());
    let columns = ColumnsSpec { symbol: Some("ticker".into()), ..ColumnsSpec::default() };
    let symbols = SymbolsSpec::Only(["B", "A"].map(Symbol::new).into());
    let bars = read_bars(&SourceSpec { columns, symbols, ..source }, timeframe("1d")).unwrap();
    let found: Vec<_> = bars.iter().map(|bars| (bars.symbol.as_str(), bars.len(), bars.open[0])).collect();
    assert_eq!(found, [("A", 1, 3.0), ("B", 2, 1.0)]);
}

#[test]
fn a_span_is_half_open_and_counts_opens() {
    let rows: String = (0..6).map(|row| format!("2024-01-01 00:{:02}:00,1,2,0.5,1.5,9\n", row * 5)).collect();
    let (source, _folder) =
        source(format!("timestamp,open,high,low,close,volume\n{rows}"), FormatSpec::Csv, TextSpec::default());
    let at = |minute: u32| Some(format!("2024-01-01T00:{minute:02}:00Z").parse().unwrap());
    let source = SourceSpec { start: at(5), end: at(20), ..source };
    let minutes = |stamp| {
        let bars = read_bars(&SourceSpec { stamp: Some(stamp), ..source.clone() }, timeframe("5m"))
            .unwrap()
            .remove(0);
        opens(&bars).iter().map(|open| open[14..16].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(minutes(Stamp::Open), ["05", "10", "15"]);
    assert_eq!(minutes(Stamp::Close), ["05", "10", "15"]);
}

proptest! {
    /// Whatever is written is read again to the last bit.
    #[test]
    fn numbers_survive(values in proptest::collection::vec(proptest::num::f64::NORMAL | proptest::num::f64::ZERO, 5)) {
        let cells: Vec<_> = values.iter().map(ToString::to_string).collect();
        let bars = read(&format!("timestamp,open,high,low,close,volume\n2024-01-01,{}\n", cells.join(",")), TextSpec::default());
        let read = [bars.open[0], bars.high[0], bars.low[0], bars.close[0], bars.volume[0]];
        prop_assert_eq!(read.map(f64::to_bits).to_vec(), values.iter().map(|value| value.to_bits()).collect::<Vec<_>>());
    }

    /// No bytes are met with a panic, and what is read of them has as many rows as there are lines.
    #[test]
    fn no_bytes_are_met_with_a_panic(
        rows in proptest::collection::vec("[0-9,;\"\t\r. :T+Z\u{feff}\0-]{0,40}|2024-01-01,1,2,3,4,5|timestamp,.*", 0..6),
        tail: Vec<u8>,
    ) {
        let mut bytes = format!("timestamp,open,high,low,close,volume\n{}\n", rows.join("\n")).into_bytes();
        bytes.extend(tail);
        let lines = bytes.split(|byte| *byte == b'\n').count();
        let (source, _folder) = source(&bytes, FormatSpec::Csv, TextSpec::default());
        if let Ok(bars) = read_bars(&source, timeframe("1d")) {
            prop_assert!(bars[0].len() < lines);
        }
    }
}
