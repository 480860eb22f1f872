//! What is refused, in which words, and that nothing was written then.

use std::fs;

use tapeline_data_pipeline::{IngestError, IngestSpec, LeanSpec, RepairSpec, SourceSpec, Vendor, ingest};

use super::made_up::{MadeUp, hours, json, klines, zipped};
use super::{Workshop, timeframe};

const NAME: &str = "BTCUSDT-1h-2024-12.csv";

/// Klines of `bars` are refused in these words, and there is no bar in the layout.
#[track_caller]
fn refused(text: impl AsRef<[u8]>, words: &[&str]) {
    let workshop = Workshop::with(NAME, text);
    let said = workshop.refusal(Vendor::Binance);
    for word in words.iter().chain(&[NAME]) {
        assert!(said.contains(word), "expected {word:?} in {said}");
    }
    let left: Vec<_> = super::names(&workshop);
    assert!(left.iter().all(|name| name == ".ingest.lock"), "{left:?}");
}

fn changed(change: impl FnOnce(&mut Vec<MadeUp>)) -> Vec<MadeUp> {
    let mut bars = hours(10);
    change(&mut bars);
    bars
}

#[test]
fn milliseconds_and_microseconds_in_one_file_are_refused_where_they_change() {
    let (ms, us) = (klines(&hours(3), 1000, false), klines(&hours(6)[3..], 1_000_000, false));
    refused(format!("{ms}{us}"), &["line 4", "microseconds"]);
    let (us, ms) = (klines(&hours(3), 1_000_000, false), klines(&hours(6)[3..], 1000, false));
    refused(format!("{us}{ms}"), &["line 4", "milliseconds"]);
}

#[test]
fn rows_that_cannot_be_true_are_refused_and_a_repair_covers_them() {
    let cases: [(Vec<MadeUp>, &[&str], RepairSpec, usize); 4] = [
        (
            changed(|bars| bars[4].1[1] = 1.0),
            &["ohlc_order in 1 bars", "bar 5 at 2024-12-31T00:00:00Z", "drop_bad_rows covers it"],
            RepairSpec::DropBadRows,
            9,
        ),
        (
            changed(|bars| bars[4].1[4] = f64::NAN),
            &["non_finite in 1 bars", "drop_bad_rows covers it"],
            RepairSpec::DropBadRows,
            9,
        ),
        (
            changed(|bars| bars.swap(3, 4)),
            &["disorder in 1 bars", "sort_by_time covers it"],
            RepairSpec::SortByTime,
            10,
        ),
        (
            changed(|bars| bars.insert(5, bars[4])),
            &["duplicate in 1 bars", "keep_last_duplicate covers it"],
            RepairSpec::KeepLastDuplicate,
            10,
        ),
    ];
    for (bars, words, rule, left) in cases {
        let text = klines(&bars, 1000, false);
        refused(&text, words);
        let workshop = Workshop::with(NAME, &text);
        let spec = IngestSpec { repair: vec![rule], ..workshop.spec(Vendor::Binance) };
        let report = ingest(&spec).unwrap();
        assert_eq!((report.bars, workshop.bars("1h", "BTCUSDT").len()), (left, left), "{rule}");
        assert_eq!(report.repairs.len(), 1);
        assert!(report.repairs[0].rows > 0 && report.to_string().contains(&rule.to_string()), "{report}");
        let file = fs::read(workshop.bars_folder().join("timeframe=1h/symbol=BTCUSDT/2024.parquet")).unwrap();
        let word = serde_json::to_string(&rule).unwrap();
        let says = String::from_utf8_lossy(&file).contains(&format!("\"rule\":{word}"));
        assert!(says, "the file does not say that its rows were mended");
    }
}

/// Nothing is put in place before everything is known to be right.
#[test]
fn one_symbol_at_fault_keeps_all_out() {
    let workshop = Workshop::new();
    workshop.add("AUSDT-1h-2024-12.csv", klines(&hours(5), 1000, false));
    workshop.ingest(Vendor::Binance);
    let before = workshop.layout();
    workshop.add("AUSDT-1h-2025-01.csv", klines(&hours(10)[5..], 1000, false));
    workshop.add("BUSDT-1h-2024-12.csv", klines(&hours(10), 1000, false));
    workshop.add("CUSDT-1h-2024-12.csv", klines(&changed(|bars| bars.swap(3, 4)), 1000, false));
    assert!(workshop.refusal(Vendor::Binance).contains("CUSDT-1h-2024-12.csv has disorder"));
    assert_eq!(workshop.layout(), before);
}

#[test]
fn bars_that_are_made_up_stay_out() {
    let workshop = Workshop::with(NAME, klines(&hours(10), 1000, false));
    let repair = vec![RepairSpec::ForwardFill { max_bars: 3 }];
    let error = ingest(&IngestSpec { repair, ..workshop.spec(Vendor::Binance) }).unwrap_err();
    assert!(error.to_string().contains("data.repair"), "{error}");
}

/// Hours that are called minutes would be known 59 minutes early.
#[test]
fn bars_of_another_length_than_their_name_says_are_refused() {
    let workshop = Workshop::with("BTCUSDT-1m-2024-12.csv", klines(&hours(10), 1000, false));
    let said = workshop.refusal(Vendor::Binance);
    assert!(said.contains("bars of BTCUSDT 1m") && said.contains("too_far_apart"), "{said}");
    let workshop = Workshop::with("BTCUSDT-4h-2024-12.csv", klines(&hours(10), 1000, false));
    let said = workshop.refusal(Vendor::Binance);
    assert!(said.contains("off_grid"), "{said}");
}

#[test]
fn damaged_texts_are_refused_where_they_are_damaged() {
    let text = klines(&hours(10), 1000, false);
    refused(text.replacen("1735596000000", "yesterday", 1), &["line 3", "yesterday"]);
    refused(&text[..text.len() - 60], &["line 10"]);
    refused("", &["no rows"]);
    refused(klines(&hours(10), 1000, true).replacen("close", "last", 1), &["\"close\""]);
    refused(format!("{0}{0}", klines(&hours(2), 1000, true)), &["line 4", "header again"]);
}

#[test]
fn damaged_archives_are_refused() {
    let zip = zipped(&[(NAME, &klines(&hours(10), 1000, false))]);
    let (none, cut) = (zipped(&[("readme.txt", "nothing")]), &zip[..zip.len() / 2]);
    for (bytes, words) in [(&none[..], "no .csv file"), (cut, "as a zip"), (b"PK", "as a zip")] {
        let workshop = Workshop::with("BTCUSDT-1h-2024-12.zip", bytes);
        let said = workshop.refusal(Vendor::Binance);
        assert!(said.contains(words) && said.contains("BTCUSDT-1h-2024-12.zip"), "{said}");
    }
    for (name, bytes, words) in [
        ("BTC_USDT-1h.feather", &b"ARROW1 and then nothing"[..], "as feather"),
        ("BTC_USDT-1h.json", b"[[1735588800000, 1, 2, 1, 1.5, 3], [17", "array of [ms"),
        ("BTC_USDT-1h.json", b"{\"date\": 1}", "array of [ms"),
        ("BTC_USDT-1h.json", b"[[1735588800000, 1, 2, 1, 1.5]]", "array of [ms"),
        ("BTC_USDT-1h.json.gz", b"\x1f\x8b\x08 nothing", "array of [ms"),
    ] {
        let said = Workshop::with(name, bytes).refusal(Vendor::Freqtrade);
        assert!(said.contains(words) && said.contains(name), "{said}");
    }
    let text = json(&hours(3)).replace("1735588800000", "9223372036854775807");
    let said = Workshop::with("BTC_USDT-1h.json", text).refusal(Vendor::Freqtrade);
    assert!(said.contains("row 1 of"), "{said}");
}

#[test]
fn times_of_another_unit_are_refused_in_candles_too() {
    let text = json(&hours(3)).replace("00000, ", "00, ");
    let said = Workshop::with("BTC_USDT-1h.json", text).refusal(Vendor::Freqtrade);
    assert!(said.contains("seconds"), "{said}");
}

#[test]
fn what_is_none_of_the_vendor_s_is_named() {
    let workshop = Workshop::with(NAME, klines(&hours(10), 1000, false));
    let other = workshop.add("notes.pdf", "nothing");
    let report = workshop.ingest(Vendor::Binance);
    assert_eq!(report.passed_over.len(), 1);
    assert!(report.to_string().contains("notes.pdf: it does not end in .csv or .zip"), "{report}");

    let error = workshop.ingest_file(Vendor::Binance, &other).unwrap_err().to_string();
    assert!(error.contains("notes.pdf is not a file of binance"), "{error}");
    let error = workshop.refusal(Vendor::Lean(LeanSpec::default()));
    assert!(error.contains("none of the inputs is a file of lean") && error.contains("notes.pdf"), "{error}");
    let error =
        workshop.ingest_file(Vendor::Binance, &workshop.raw().join("gone.csv")).unwrap_err().to_string();
    assert!(error.contains("gone.csv"), "{error}");
}

#[test]
fn a_declared_text_needs_a_stamp_and_a_timeframe() {
    let workshop =
        Workshop::with("BTCUSDT.csv", "timestamp,open,high,low,close,volume\n2024-01-01,1,2,1,2,3\n");
    let csv = || Vendor::Csv(Box::default());
    assert!(workshop.refusal(csv()).contains("how long its bars are"));
    let spec = IngestSpec { timeframe: Some(timeframe("1d")), ..workshop.spec(csv()) };
    let said = ingest(&spec).unwrap_err().to_string();
    assert!(said.contains("data.source.stamp is required"), "{said}");
    assert_eq!(SourceSpec::default().stamp, None);
}

#[test]
fn one_process_at_a_time_writes_into_a_layout() {
    let workshop = Workshop::with(NAME, klines(&hours(10), 1000, false));
    workshop.ingest(Vendor::Binance);
    let held = fs::OpenOptions::new().write(true).open(workshop.bars_folder().join(".ingest.lock")).unwrap();
    held.try_lock().unwrap();
    assert!(matches!(ingest(&workshop.spec(Vendor::Binance)), Err(IngestError::Locked { .. })));
    drop(held);
    workshop.ingest(Vendor::Binance);
}

#[test]
fn files_of_others_in_the_layout_are_named_and_not_touched() {
    let text = klines(&hours(10), 1000, false);
    for (name, words) in [("BTCUSDT.parquet", "not named for a year"), ("2023.parquet", "as parquet")] {
        let workshop = Workshop::with(NAME, &text);
        workshop.ingest(Vendor::Binance);
        let path = workshop.bars_folder().join("timeframe=1h/symbol=BTCUSDT").join(name);
        fs::write(&path, "nothing").unwrap();
        let said = workshop.refusal(Vendor::Binance);
        assert!(said.contains(words) && said.contains(name), "{said}");
        assert_eq!(fs::read(&path).unwrap(), b"nothing");
    }
    let workshop = Workshop::with(NAME, &text);
    workshop.ingest(Vendor::Binance);
    let other = workshop.bars_folder().join("timeframe=1h/symbol=ETHUSDT");
    fs::create_dir(&other).unwrap();
    let files = workshop.bars_folder().join("timeframe=1h/symbol=BTCUSDT");
    fs::copy(files.join("2024.parquet"), other.join("2024.parquet")).unwrap();
    workshop.add("ETHUSDT-1h-2024-12.csv", &text);
    let said = workshop.refusal(Vendor::Binance);
    assert!(said.contains("another symbol or timeframe than its folder says"), "{said}");
}
