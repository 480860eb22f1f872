//! Real files of each vendor, in `raw` of the folder that `TAPELINE_BARS` names; without it these tests say that they
//! are skipped.

use std::path::PathBuf;

use tapeline_data_pipeline::{
    ColumnsSpec, Header, IngestReport, IngestSpec, LeanPrices, LeanSpec, RepairSpec, SourceSpec, Stamp,
    Symbol, TextSpec, TextTimeSpec, Vendor, ingest,
};

use super::made_up::rows;
use super::{Workshop, timeframe};

#[expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test may be told where bars are, and says so if not"
)]
fn raw(below: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("TAPELINE_BARS");
    if folder.is_none() {
        println!("skipped: TAPELINE_BARS is not set");
    }
    folder.map(|folder| PathBuf::from(folder).join("raw").join(below))
}

fn ingest_into(workshop: &Workshop, vendor: Vendor, input: PathBuf) -> IngestReport {
    let spec = IngestSpec { inputs: vec![input], ..workshop.spec(vendor) };
    ingest(&spec).unwrap()
}

fn seconds(instant: &str) -> i64 {
    instant.parse::<jiff::Timestamp>().unwrap().as_second()
}

#[test]
fn klines_in_milliseconds_microseconds_and_a_zip_are_the_same_bars() {
    let Some(folder) = raw("binance") else { return };
    let layouts: Vec<_> = ["csv", "us-derived.csv", "zip"]
        .into_iter()
        .map(|ending| {
            let workshop = Workshop::new();
            let path = folder.join(format!("spot-klines-BTCUSDT-1h-2024-10-28.{ending}"));
            let report = ingest_into(&workshop, Vendor::Binance, path);
            assert_eq!((report.new, report.audit.has_errors()), (24, false));
            rows(&workshop.bars("1h", "BTCUSDT"))
        })
        .collect();
    assert_eq!(layouts[0][0], (1_730_073_600, [68021.69, 68116.78, 67839.9, 67859.91, 555.35912]));
    assert_eq!(layouts[0][23], (1_730_156_400, [69961.64, 70145.5, 69733.3, 69962.21, 928.30439]));
    assert_eq!(layouts[1], layouts[0]);
    assert_eq!(layouts[2], layouts[0]);
}

#[test]
fn futures_klines_have_a_header() {
    let Some(folder) = raw("binance") else { return };
    for ending in ["csv", "zip"] {
        let workshop = Workshop::new();
        let path = folder.join(format!("futures-um-klines-BTCUSDT-1h-2024-10-28.{ending}"));
        ingest_into(&workshop, Vendor::Binance, path);
        let bars = rows(&workshop.bars("1h", "BTCUSDT"));
        assert_eq!(
            (bars.len(), bars[0]),
            (24, (1_730_073_600, [67992.7, 68094.6, 67804.7, 67835.2, 5179.117]))
        );
    }
}

/// Spot and futures are called the same; as one symbol they contradict each other.
#[test]
fn spot_and_futures_do_not_mix_unnoticed() {
    let Some(folder) = raw("binance") else { return };
    let workshop = Workshop::new();
    let spec = IngestSpec { inputs: vec![folder], ..workshop.spec(Vendor::Binance) };
    let said = ingest(&spec).unwrap_err().to_string();
    assert!(said.contains("bars of BTCUSDT 1h are there already with other numbers"), "{said}");
}

#[test]
fn histdata_is_five_hours_behind() {
    let Some(folder) = raw("histdata") else { return };
    let workshop = Workshop::new();
    ingest_into(&workshop, Vendor::HistData, folder);
    let bars = rows(&workshop.bars("1m", "EURUSD"));
    assert_eq!(bars[0], (seconds("2012-02-01T05:00:00Z"), [1.3066, 1.3066, 1.30656, 1.30656, 0.0]));
    assert_eq!(bars[6], (seconds("2012-02-01T05:06:00Z"), [1.30661, 1.30676, 1.30661, 1.30665, 0.0]));
    assert_eq!(bars.len(), 7);
}

#[test]
fn freqtrade_feather_and_json_are_the_same_bars() {
    let Some(folder) = raw("freqtrade") else { return };
    let layouts: Vec<_> = ["feather", "json.gz"]
        .into_iter()
        .map(|ending| {
            let workshop = Workshop::new();
            let path = folder.join(format!("XRP_USDT_USDT-1h-futures.{ending}"));
            ingest_into(&workshop, Vendor::Freqtrade, path);
            rows(&workshop.bars("1h", "XRP_USDT_USDT"))
        })
        .collect();
    assert_eq!(layouts[0][0], (1_637_110_800, [1.0801, 1.09758, 1.07654, 1.07925, 3_153_694.607_359]));
    assert_eq!(layouts[0].len(), layouts[1].len());
    // The feather file was made of the same numbers by a program that read their last digit carelessly.
    for ((time, feather), (same_time, json)) in layouts[0].iter().zip(&layouts[1]) {
        assert_eq!(time, same_time);
        let close = |(x, y): (&f64, &f64)| (x - y).abs() <= f64::EPSILON * y.abs();
        assert!(feather.iter().zip(json).all(close), "{feather:?} {json:?}");
    }
    let workshop = Workshop::new();
    let report = ingest_into(&workshop, Vendor::Freqtrade, folder.join("BTC_USDT-1h.feather"));
    assert!(report.new > 5000 && !report.audit.has_errors(), "{report}");
}

/// The whole data folder at once. One contract of the future has two rows, from which nobody can tell how long they are.
#[test]
fn lean_s_folder_is_read_as_it_is() {
    let Some(folder) = raw("lean") else { return };
    let workshop = Workshop::new();
    let vendor = || Vendor::Lean(LeanSpec { prices: Some(LeanPrices::Trades), zone: None });
    let spec = IngestSpec { inputs: vec![folder.clone()], ..workshop.spec(vendor()) };
    let said = ingest(&spec).unwrap_err().to_string();
    assert!(said.contains("ES-201406") && said.contains("leave the symbol out"), "{said}");

    let only =
        ["SPY", "USO", "SPWR", "BTCUSDT", "BTCUSD", "ES-201312", "ES-201403"].map(Symbol::new).to_vec();
    let report = ingest(&IngestSpec { only, ..spec }).unwrap();
    let passed: Vec<String> = report.passed_over.iter().map(ToString::to_string).collect();
    assert!(passed.iter().any(|file| file.contains("factor_files")), "{passed:?}");
    assert!(passed.iter().any(|file| file.contains("_quote.zip: it holds quotes")), "{passed:?}");

    let first = |length: &str, symbol: &str| rows(&workshop.bars(length, symbol))[0];
    // 14,400,000 ms after midnight in New York, in summer.
    assert_eq!(
        first("1m", "SPY"),
        (seconds("2013-10-07T08:00:00Z"), [167.41, 167.41, 167.25, 167.27, 3197.0])
    );
    assert_eq!(first("1d", "USO"), (seconds("1998-01-02T00:00:00Z"), [0.22, 0.25, 0.22, 0.25, 26800.0]));
    // 11:00 in New York, in winter.
    assert_eq!(
        first("1h", "SPWR"),
        (seconds("2007-11-23T16:00:00Z"), [103.44, 105.45, 102.96, 105.01, 220_500.0])
    );
    assert_eq!(first("1h", "BTCUSDT").0, seconds("2018-05-01T00:00:00Z"));
    assert_eq!(
        first("1m", "BTCUSD"),
        (seconds("2016-10-07T00:00:00Z"), [611.78, 611.91, 611.78, 611.9, 1.13872])
    );
    assert_eq!(
        first("1m", "ES-201312"),
        (seconds("2013-10-07T00:00:00Z"), [1676.5, 1676.5, 1676.5, 1676.5, 9.0])
    );
}

#[test]
fn lean_s_quotes_become_mids() {
    let Some(folder) = raw("lean") else { return };
    let workshop = Workshop::new();
    let vendor = Vendor::Lean(LeanSpec { prices: Some(LeanPrices::Mids), zone: None });
    ingest_into(&workshop, vendor, folder);
    let mid = |bid: f64, ask: f64| (bid + ask) / 2.0;
    let [open, high, low, close, volume] = rows(&workshop.bars("1m", "EURUSD"))[0].1;
    assert_eq!([open, high], [mid(1.38676, 1.38686), mid(1.38686, 1.38697)]);
    assert_eq!([low, close, volume], [mid(1.38669, 1.38680), mid(1.38686, 1.38697), 0.0]);
    let spy = rows(&workshop.bars("1m", "SPY"))[0];
    assert_eq!((spy.0, spy.1[0]), (seconds("2013-10-07T08:00:00Z"), 167.635));
    assert_eq!(rows(&workshop.bars("1d", "EURUSD"))[0].0, seconds("2007-01-01T00:00:00Z"));
}

/// Date and time in two columns, the header one column short, stamps of a bar's end on the clock of Berlin.
#[test]
fn a_future_of_frankfurt_is_declared() {
    let Some(file) = raw("generic/fesx-2006-min-001.head.txt") else { return };
    let time = TextTimeSpec {
        format: "%Y-%m-%d %H:%M:%S".parse().unwrap(),
        zone: "Europe/Berlin".parse().unwrap(),
        ..TextTimeSpec::default()
    };
    let place = |place: usize| place.to_string();
    let source = SourceSpec {
        stamp: Some(Stamp::Close),
        text: Some(TextSpec { header: Header::Ignored, time, ..TextSpec::default() }),
        columns: ColumnsSpec {
            timestamp: place(1),
            time_of_day: Some(place(2)),
            open: place(3),
            high: place(4),
            low: place(5),
            close: place(6),
            volume: Some(place(7)),
            ..ColumnsSpec::default()
        },
        ..SourceSpec::default()
    };
    let workshop = Workshop::new();
    let spec = IngestSpec {
        inputs: vec![file],
        symbol: Some(Symbol::new("FESX")),
        timeframe: Some(timeframe("1m")),
        ..workshop.spec(Vendor::Csv(Box::new(source)))
    };
    ingest(&spec).unwrap();
    let bars = rows(&workshop.bars("1m", "FESX"));
    assert_eq!(bars[0], (seconds("2006-01-02T08:00:00Z"), [3602.0, 3603.0, 3597.0, 3599.0, 5699.0]));
}

#[test]
fn defective_files_are_refused_until_a_repair_is_named() {
    let Some(file) = raw("defective/DHR_data.csv") else { return };
    let workshop = Workshop::new();
    let columns = ColumnsSpec { timestamp: "date".into(), ..ColumnsSpec::default() };
    let source = SourceSpec { stamp: Some(Stamp::Open), columns, ..SourceSpec::default() };
    let spec = IngestSpec {
        inputs: vec![file],
        symbol: Some(Symbol::new("DHR")),
        timeframe: Some(timeframe("1d")),
        ..workshop.spec(Vendor::Csv(Box::new(source)))
    };
    let said = ingest(&spec).unwrap_err().to_string();
    assert!(said.contains("non_finite") && said.contains("drop_bad_rows covers it"), "{said}");
    let report = ingest(&IngestSpec { repair: vec![RepairSpec::DropBadRows], ..spec }).unwrap();
    assert!(report.repairs[0].rows >= 2, "{report}");
}
