//! More of the same: again, in halves, in any order, and against what is there.

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use tapeline_data_pipeline::{
    IngestError, IngestSpec, OnConflict, SourceSpec, Stamp, Vendor, ingest, read_bars,
};

use super::made_up::{MadeUp, feather, hours, json, klines, rows};
use super::{Workshop, names, timeframe};

/// Where one file's bars end and the next one's begin; the third begins before the second ends.
const CUTS: [(usize, usize); 3] = [(0, 20), (20, 40), (30, 60)];

/// Three files with the hours of two years.
fn in_three(bars: &[MadeUp]) -> Workshop {
    let workshop = Workshop::new();
    for (place, (start, end)) in CUTS.into_iter().enumerate() {
        let text = klines(&bars[start..end], 1000, place == 1);
        workshop.add(&format!("BTCUSDT-1h-2024-{place:02}.csv"), text);
    }
    workshop
}

fn files(workshop: &Workshop) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(workshop.raw()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn the_same_again_changes_no_byte() {
    let workshop = in_three(&hours(60));
    let report = workshop.ingest(Vendor::Binance);
    assert_eq!((report.bars, report.new, report.identical, report.written.len()), (70, 60, 10, 2));
    let before = workshop.layout();
    let report = workshop.ingest(Vendor::Binance);
    assert_eq!((report.new, report.identical, report.written.len()), (0, 70, 0));
    assert!(report.to_string().contains("nothing to write"), "{report}");
    assert_eq!(workshop.layout(), before);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Files may come one by one, in any order and more than once.
    #[test]
    fn parts_in_any_order_make_the_bytes_of_the_whole(
        order in Just(vec![0_usize, 1, 2]).prop_shuffle(),
        again in 0_usize..3,
    ) {
        let whole = in_three(&hours(60));
        whole.ingest(Vendor::Binance);
        let parts = in_three(&hours(60));
        for place in order.into_iter().chain([again]) {
            parts.ingest_file(Vendor::Binance, &files(&parts)[place]).unwrap();
        }
        let relative = |workshop: &Workshop| names(workshop).into_iter().zip(workshop.layout().into_values()).collect::<Vec<_>>();
        prop_assert_eq!(relative(&parts), relative(&whole));
    }
}

/// `data.source.path` takes the layout as it is, several years and symbols of it.
#[test]
fn a_layout_is_a_source() {
    let workshop = Workshop::new();
    workshop.add("BTC_USDT-1h.feather", feather(&hours(60)));
    workshop.add("ETH_USDT-1h.json", json(&hours(50)));
    workshop.add("ETH_USDT-4h.json", json(&hours(48).into_iter().step_by(4).collect::<Vec<_>>()));
    workshop.ingest(Vendor::Freqtrade);
    let read = |length| {
        let source = SourceSpec {
            path: Some(workshop.bars_folder()),
            stamp: Some(Stamp::Open),
            ..SourceSpec::default()
        };
        let bars = read_bars(&source, timeframe(length)).unwrap();
        bars.iter().map(|bars| (bars.symbol.to_string(), rows(bars))).collect::<Vec<_>>()
    };
    assert_eq!(read("1h"), [("BTC_USDT".into(), hours(60)), ("ETH_USDT".into(), hours(50))]);
    assert_eq!(read("4h"), [("ETH_USDT".into(), hours(48).into_iter().step_by(4).collect())]);
}

#[test]
fn only_the_files_that_change_are_written() {
    let bars = hours(60);
    let workshop = Workshop::with("BTCUSDT-1h-2024-12.csv", klines(&bars[..40], 1000, false));
    workshop.ingest(Vendor::Binance);
    fs::remove_dir_all(workshop.raw()).unwrap();
    workshop.add("BTCUSDT-1h-2025-01.csv", klines(&bars[40..], 1000, false));
    let report = workshop.ingest(Vendor::Binance);
    let written: Vec<String> = report.written.iter().map(|path| path.display().to_string()).collect();
    assert_eq!(written, ["timeframe=1h/symbol=BTCUSDT/2025.parquet"]);
    assert_eq!(rows(&workshop.bars("1h", "BTCUSDT")), bars);
    assert_eq!(report.audit.symbols[0].rows, 60);
}

/// The audit tells of everything in the layout, also of what this ingest did not touch, without reading that again.
#[test]
fn the_audit_is_of_the_whole_layout() {
    let workshop = Workshop::new();
    let one = workshop.add("BTC_USDT-1h.feather", feather(&hours(30)));
    let other = workshop.add("ETH_USDT-1h.json", json(&[&hours(60)[..10], &hours(60)[20..]].concat()));
    workshop.ingest_file(Vendor::Freqtrade, &one).unwrap();
    let report = workshop.ingest_file(Vendor::Freqtrade, &other).unwrap();
    let said: Vec<_> = report.audit.symbols.iter().map(|audit| (audit.symbol.as_str(), audit.rows)).collect();
    assert_eq!(said, [("BTC_USDT", 30), ("ETH_USDT", 50)]);
    assert_eq!(report.audit.symbols[1].gaps.unwrap().missing_bars, 10);

    let stored = fs::read_to_string(workshop.bars_folder().join("audit.json")).unwrap();
    assert!(stored.contains("\"ETH_USDT\"") && stored.contains("2024.parquet"), "{stored}");
    // Whatever becomes of it, it is made again.
    fs::write(workshop.bars_folder().join("audit.json"), "{").unwrap();
    workshop.ingest_file(Vendor::Freqtrade, &one).unwrap();
    assert_eq!(fs::read_to_string(workshop.bars_folder().join("audit.json")).unwrap(), stored);
}

/// The second file says otherwise of two bars.
fn contradicted() -> (Workshop, Vec<MadeUp>, Vec<MadeUp>) {
    let old = hours(30);
    let mut new = hours(40);
    new[10].1[3] += 0.0625;
    new[20].1[4] += 1.0;
    let workshop = Workshop::with("BTCUSDT-1h-2024-11.csv", klines(&old, 1000, false));
    workshop.ingest(Vendor::Binance);
    workshop.add("BTCUSDT-1h-2024-12.csv", klines(&new, 1000, false));
    (workshop, old, new)
}

#[test]
fn bars_that_differ_are_refused_and_named() {
    let (workshop, ..) = contradicted();
    let before = workshop.layout();
    let error = ingest(&workshop.spec(Vendor::Binance)).unwrap_err();
    let IngestError::Conflict { count, first, .. } = &error else { panic!("{error}") };
    assert_eq!((*count, first.len()), (2, 2));
    assert_eq!(first[0].open_time.to_string(), "2024-12-31T06:00:00Z");
    assert_eq!(first[0].new[3] - first[0].old[3], 0.0625);
    let said = error.to_string();
    assert!(said.contains("row 11 of") && said.contains("BTCUSDT-1h-2024-12.csv"), "{said}");
    assert_eq!(workshop.layout(), before);
}

#[test]
fn bars_that_differ_are_kept_or_replaced_when_told_so() {
    for (on_conflict, kept, replaced) in [(OnConflict::KeepOld, 2, 0), (OnConflict::KeepNew, 0, 2)] {
        let (workshop, old, new) = contradicted();
        let spec = IngestSpec { on_conflict, ..workshop.spec(Vendor::Binance) };
        let report = ingest(&spec).unwrap();
        assert_eq!((report.new, report.kept, report.replaced), (10, kept, replaced));
        let expected = if kept > 0 { [&old[..], &new[30..]].concat() } else { new };
        assert_eq!(rows(&workshop.bars("1h", "BTCUSDT")), expected);
        let settled = workshop.layout();
        assert!(ingest(&spec).unwrap().written.is_empty());
        assert_eq!(workshop.layout(), settled, "{on_conflict:?}");
    }
}
