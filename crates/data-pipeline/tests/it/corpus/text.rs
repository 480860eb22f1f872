//! CSV that is broken.

use tapeline_data_pipeline::{
    ColumnsSpec, DataSpec, DecimalMark, EpochUnit, Header, Stamp, TextSpec, TextTimeSpec, TimeFormat,
};

use super::{Case, file};

const HEADER: &str = "timestamp,open,high,low,close,volume\n";

/// `count` rows of five-minute bars that nobody can find fault with.
pub(super) fn good_rows(count: usize) -> Vec<String> {
    let time = |row: usize| format!("2024-01-01 {:02}:{:02}:00", row / 12, row % 12 * 5);
    (0..count).map(|row| format!("{},100,102.5,99,{},7", time(row), 101 + row % 2)).collect()
}

/// A file with a header and `rows`.
pub(super) fn with_rows<S: AsRef<str>>(rows: &[S]) -> String {
    let rows: String = rows.iter().map(|row| format!("{}\n", row.as_ref())).collect();
    format!("{HEADER}{rows}")
}

/// A sound file whose second row is `row`.
fn second(name: &'static str, row: &str) -> Case {
    let mut rows = good_rows(4);
    rows[1] = row.to_owned();
    file(name, "AAA.csv", with_rows(&rows))
}

/// A sound file but for its times.
fn times(name: &'static str, times: &[&str]) -> Case {
    let rows: Vec<_> = times.iter().map(|time| format!("{time},100,102,99,101,7")).collect();
    file(name, "AAA.csv", with_rows(&rows))
}

/// A sound file whose first line is `header`.
fn header(name: &'static str, header: &str) -> Case {
    file(name, "AAA.csv", with_rows(&good_rows(4)).replace(HEADER, header))
}

fn text(spec: &mut DataSpec) -> &mut TextSpec {
    spec.source.text.get_or_insert_default()
}

fn time(spec: &mut DataSpec) -> &mut TextTimeSpec {
    &mut text(spec).time
}

fn count(spec: &mut DataSpec, unit: EpochUnit) {
    time(spec).format = TimeFormat::Epoch(unit);
}

fn new_york(spec: &mut DataSpec) {
    time(spec).zone = "America/New_York".parse().unwrap();
}

pub(super) fn cases() -> Vec<Case> {
    [bytes(), lines(), headers(), cells(), instants(), clocks(), bars()].into_iter().flatten().collect()
}

fn bytes() -> Vec<Case> {
    let sound = with_rows(&good_rows(4));
    let utf_16: Vec<u8> =
        std::iter::once(0xfeff).chain(sound.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let broken = |at: &str, byte: &[u8]| {
        let (before, after) = sound.split_once(at).unwrap();
        [before.as_bytes(), byte, after.as_bytes()].concat()
    };
    vec![
        file("empty-file", "AAA.csv", ""),
        file("blank-lines-only", "AAA.csv", "\n\r\n\n"),
        file("byte-order-mark-only", "AAA.csv", "\u{feff}"),
        file("utf-16", "AAA.csv", utf_16.clone()),
        file("utf-16-without-mark", "AAA.csv", utf_16[2..].to_vec()),
        file("nul-byte", "AAA.csv", broken("102.5", b"102\0")),
        file("nul-bytes-at-the-end", "AAA.csv", [sound.as_bytes(), &[0; 4096]].concat()),
        file("latin-1", "AAA.csv", broken("102.5", b"102\xb75")),
        file("gzip-named-csv", "AAA.csv", b"\x1f\x8b\x08\x00rest".as_slice()),
        file("zip-named-csv", "AAA.csv", b"PK\x03\x04rest".as_slice()),
        file("parquet-named-csv", "AAA.csv", super::columnar::sound()),
        file("arrow-named-csv", "AAA.csv", b"ARROW1\0\0rest".as_slice()),
        file("carriage-returns-only", "AAA.csv", sound.replace('\n', "\r")),
        file("line-that-never-ends", "AAA.csv", format!("{HEADER}{}", "1,".repeat(40_000))),
        file("web-page", "AAA.csv", "<!DOCTYPE html>\n<html><body>404</body></html>\n"),
    ]
}

fn lines() -> Vec<Case> {
    let rows = good_rows(4);
    let sound = with_rows(&rows);
    vec![
        file("header-only", "AAA.csv", HEADER),
        file("header-twice", "AAA.csv", format!("{sound}{sound}")),
        file("header-twice-in-a-row", "AAA.csv", format!("{HEADER}{sound}")),
        file("header-twice-with-mark", "AAA.csv", format!("{sound}\u{feff}{sound}")),
        file("mark-in-the-middle", "AAA.csv", format!("{HEADER}{}\n\u{feff}{}\n", rows[0], rows[1])),
        second("row-too-short", "2024-01-01 00:05:00,100,102,99"),
        second("row-too-long", "2024-01-01 00:05:00,100,102,99,101,7,8"),
        file("cut-off-in-a-row", "AAA.csv", &sound[..sound.len() - 12]),
        file("footer", "AAA.csv", format!("{sound}Total: 4 rows\n")),
        second("quote-left-open", "\"2024-01-01 00:05:00,100,102,99,101,7"),
        second("delimiter-of-decimals", "2024-01-01 00:05:00,100,102,5,99,101,7"),
    ]
}

fn headers() -> Vec<Case> {
    vec![
        file("no-header", "AAA.csv", good_rows(4).join("\n")),
        header("column-misspelt", "timestamp,open,high,low,clsoe,volume\n"),
        header("column-in-capitals", "Timestamp,Open,High,Low,Close,Volume\n"),
        header("column-twice", "timestamp,open,high,low,close,close\n"),
        header("no-volume-column", "timestamp,open,high,low,close,trades\n"),
        file("semicolons", "AAA.csv", with_rows(&good_rows(4)).replace(',', ";")),
        file("tabs-named-csv", "AAA.csv", with_rows(&good_rows(4)).replace(',', "\t")),
        file("place-beyond-the-last", "AAA.csv", good_rows(4).join("\n")).with(|spec| {
            text(spec).header = Header::None;
            let place = |place: usize| place.to_string();
            spec.source.columns = ColumnsSpec {
                timestamp: place(1),
                open: place(2),
                high: place(3),
                low: place(4),
                close: place(5),
                volume: Some(place(7)),
                ..ColumnsSpec::default()
            };
        }),
    ]
}

fn cells() -> Vec<Case> {
    vec![
        second("decimal-comma", "2024-01-01 00:05:00,100,\"102,5\",99,101,7"),
        second("decimal-point-where-commas-are-declared", "2024-01-01 00:05:00,100,102.5,99,101,7")
            .with(|spec| text(spec).decimal = DecimalMark::Comma),
        second("thousands-separators", "2024-01-01 00:05:00,100,\"1,102.5\",99,101,7"),
        second("thousands-separators-of-spaces", "2024-01-01 00:05:00,100,1 102.5,99,101,7"),
        second("garbage-after-a-number", "2024-01-01 00:05:00,100,102.5x,99,101,7"),
        second("garbage-after-a-quote", "2024-01-01 00:05:00,100,\"102.5\"x,99,101,7"),
        second("word-for-a-missing-number", "2024-01-01 00:05:00,100,null,99,101,7"),
        second("currency-sign", "2024-01-01 00:05:00,100,$102.5,99,101,7"),
        second("very-long-cell", &format!("2024-01-01 00:05:00,100,{},99,101,7", "é".repeat(1_000))),
        file(
            "symbol-cell-empty",
            "all.csv",
            "timestamp,open,high,low,close,volume,ticker\n2024-01-01,1,1,1,1,1,AAA\n2024-01-01,1,1,1,1,1,\n",
        )
        .with(|spec| spec.source.columns.symbol = Some("ticker".into())),
        file(
            "symbol-not-in-the-column",
            "all.csv",
            "timestamp,open,high,low,close,volume,ticker\n2024-01-01,1,1,1,1,1,AAA\n",
        )
        .with(|spec| {
            spec.source.columns.symbol = Some("ticker".into());
            spec.source.symbols = super::spec::only(&["AAB"]);
        }),
    ]
}

fn instants() -> Vec<Case> {
    vec![
        times("time-missing", &["2024-01-01 00:00:00", "", "2024-01-01 00:10:00"]),
        times("time-is-a-word", &["yesterday"]),
        times("time-with-slashes", &["2024/01/31 09:30:00"]),
        times("time-day-first", &["31.01.2024 09:30"]),
        times("time-without-separators", &["20240131093000", "20240131093500"]),
        times("time-of-month-13", &["2024-13-01 00:00:00"]),
        times("time-of-february-30", &["2024-02-30 00:00:00"]),
        times("time-of-hour-25", &["2024-02-03 25:00:00"]),
        times("time-in-1850", &["1850-01-01 00:00:00"]),
        times("time-in-2500", &["2024-01-01 00:00:00", "2500-01-01 00:00:00"]),
        times("seconds-without-a-word", &["1704067200"]),
        times("milliseconds-without-a-word", &["1704067200000"]),
        times("seconds-as-milliseconds", &["1704067200", "1704067500"])
            .with(|spec| count(spec, EpochUnit::Milliseconds)),
        times("milliseconds-as-seconds", &["1704067200000"]).with(|spec| count(spec, EpochUnit::Seconds)),
        times("microseconds-as-milliseconds", &["1704067200000000"])
            .with(|spec| count(spec, EpochUnit::Milliseconds)),
        times("nanoseconds-as-seconds", &["1704067200000000000"])
            .with(|spec| count(spec, EpochUnit::Seconds)),
        times("unit-changes", &["1704067200000", "1704067500000000"])
            .with(|spec| count(spec, EpochUnit::Milliseconds)),
        times("unit-changes-back", &["1704067200000000", "1704067500000"])
            .with(|spec| count(spec, EpochUnit::Microseconds)),
        times("seconds-with-a-fraction", &["1704067200.5"]).with(|spec| count(spec, EpochUnit::Seconds)),
        times("iso-where-a-count-is-declared", &["2024-01-01 00:00:00"])
            .with(|spec| count(spec, EpochUnit::Milliseconds)),
        times("pattern-that-does-not-fit", &["2024-01-01 00:00:00"])
            .with(|spec| time(spec).format = "%Y%m%d %H%M%S".parse().unwrap()),
        times("date-as-a-close", &["2024-01-02"]).with(|spec| spec.source.stamp = Some(Stamp::Close)),
    ]
}

fn clocks() -> Vec<Case> {
    vec![
        times("offset-on-some-rows", &["2024-01-01 00:00:00", "2024-01-01 00:05:00+00:00"]),
        times("no-offset-on-some-rows", &["2024-01-01 00:00:00Z", "2024-01-01 00:05:00"]),
        times("zone-in-brackets", &["2024-01-01T00:00:00-05:00[America/New_York]"]),
        times("time-that-clocks-skip", &["2024-03-10 01:55:00", "2024-03-10 02:00:00"]).with(new_york),
        times("time-that-clocks-show-twice", &["2024-11-03 00:55:00", "2024-11-03 01:00:00"]).with(new_york),
    ]
}

fn bars() -> Vec<Case> {
    let rows = good_rows(4);
    let hours: Vec<_> = (0..6).map(|hour| format!("2024-01-01 {hour:02}:00:00,100,102,99,101,7")).collect();
    let all = |cell: &str| -> Vec<_> {
        good_rows(4).iter().map(|row| format!("{}{}", &row[..19], format!(",{cell}").repeat(5))).collect()
    };
    vec![
        file("one-row", "AAA.csv", with_rows(&rows[..1])),
        file("all-nan", "AAA.csv", with_rows(&all("nan"))),
        file("all-empty", "AAA.csv", with_rows(&all(""))),
        second("infinite-price", "2024-01-01 00:05:00,100,inf,99,101,7"),
        second("overflowing-price", "2024-01-01 00:05:00,100,1e999,99,101,7"),
        second("negative-price", "2024-01-01 00:05:00,100,102,-99,101,7"),
        second("price-of-zero", "2024-01-01 00:05:00,0,102,0,101,7"),
        second("negative-volume", "2024-01-01 00:05:00,100,102,99,101,-7"),
        second("high-below-low", "2024-01-01 00:05:00,100,99,102,101,7"),
        file("rows-out-of-order", "AAA.csv", with_rows(&[&rows[1], &rows[0], &rows[2], &rows[3]])),
        file("row-twice", "AAA.csv", with_rows(&[&rows[0], &rows[1], &rows[1], &rows[2]])),
        second("bar-off-the-grid", "2024-01-01 00:07:00,100,102,99,101,7"),
        file("hours-as-minutes", "AAA.csv", with_rows(&hours)),
        file("nothing-in-the-span", "AAA.csv", with_rows(&rows))
            .with(|spec| spec.source.start = Some("2025-01-01T00:00:00Z".parse().unwrap())),
    ]
}
