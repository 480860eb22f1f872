//! What each vendor's rows mean.

use tapeline_data_pipeline::{
    Ambiguous, ColumnsSpec, Header, IngestSpec, LeanPrices, LeanSpec, SourceSpec, Stamp, Symbol, TextSpec,
    TextTimeSpec, Vendor, ingest,
};

use super::made_up::{
    MadeUp, START, bars_from, feather, gzipped, hours, json, klines, lines, on_a_clock, rows, zipped,
};
use super::{Workshop, names, timeframe};

fn lean() -> Vendor {
    Vendor::Lean(LeanSpec::default())
}

/// Semicolons, no header, times like `31.12.2024 15:00` on the clock of New York.
fn declared() -> SourceSpec {
    let time = TextTimeSpec {
        format: "%d.%m.%Y %H:%M".parse().unwrap(),
        zone: "America/New_York".parse().unwrap(),
        ..TextTimeSpec::default()
    };
    let place = |place: usize| place.to_string();
    SourceSpec {
        stamp: Some(Stamp::Open),
        text: Some(TextSpec { delimiter: Some(';'), header: Header::None, time, ..TextSpec::default() }),
        columns: ColumnsSpec {
            timestamp: place(1),
            open: place(2),
            high: place(3),
            low: place(4),
            close: place(5),
            volume: Some(place(6)),
            ..ColumnsSpec::default()
        },
        ..SourceSpec::default()
    }
}

#[test]
fn hourly_bars_are_the_same_whoever_wrote_them() {
    let bars = hours(50);
    let klines_csv = |units, header| klines(&bars, units, header);
    let clock = |time| on_a_clock(time, -5, "%d.%m.%Y %H:%M");
    let lean_clock = |time| on_a_clock(time, 0, "%Y%m%d %H:%M");
    let kline_zip = zipped(&[("BTCUSDT-1h-2024-12.csv", &klines_csv(1000, false))]);
    let lean_zip = zipped(&[("btcusdt.csv", &lines(&bars, ',', lean_clock))]);
    let cases: Vec<(Vendor, &str, Vec<u8>)> = vec![
        (Vendor::Binance, "BTCUSDT-1h-2024-12.csv", klines_csv(1000, false).into()),
        (Vendor::Binance, "BTCUSDT-1h-2024-12.csv", klines_csv(1_000_000, false).into()),
        (Vendor::Binance, "BTCUSDT-1h-2024-12.csv", klines_csv(1000, true).into()),
        (Vendor::Binance, "BTCUSDT-1h-2024-12.csv", klines_csv(1_000_000, true).into()),
        (Vendor::Binance, "BTCUSDT-1h-2024-12.zip", kline_zip),
        (Vendor::Freqtrade, "BTCUSDT-1h.feather", feather(&bars)),
        (Vendor::Freqtrade, "BTCUSDT-1h.json", json(&bars).into()),
        (Vendor::Freqtrade, "BTCUSDT-1h-futures.json.gz", gzipped(&json(&bars))),
        (lean(), "crypto/binance/hour/btcusdt_trade.zip", lean_zip),
        (Vendor::Csv(Box::new(declared())), "BTCUSDT.csv", lines(&bars, ';', clock).into()),
        (Vendor::Csv(Box::new(declared())), "BTCUSDT.csv.gz", gzipped(&lines(&bars, ';', clock))),
    ];
    for (vendor, name, bytes) in cases {
        let workshop = Workshop::with(name, bytes);
        let length = matches!(vendor, Vendor::Csv(_)).then(|| timeframe("1h"));
        let spec = IngestSpec { timeframe: length, ..workshop.spec(vendor.clone()) };
        let report = ingest(&spec).unwrap_or_else(|error| panic!("{vendor} {name}: {error}"));
        assert_eq!((report.bars, report.new), (50, 50), "{vendor} {name}");
        assert_eq!(rows(&workshop.bars("1h", "BTCUSDT")), bars, "{vendor} {name}");
        let files =
            ["2024.parquet", "2025.parquet"].map(|name| format!("timeframe=1h/symbol=BTCUSDT/{name}"));
        let expected = [".ingest.lock", "audit.json"].map(String::from).into_iter().chain(files);
        assert_eq!(names(&workshop), expected.collect::<Vec<_>>());
    }
}

/// Eastern Standard Time has no summer: noon in July is 17:00 UTC, as in January.
#[test]
fn minutes_of_histdata_are_five_hours_behind_all_year() {
    for start in ["2012-01-31T17:00:00Z", "2012-07-31T17:00:00Z"] {
        let start: jiff::Timestamp = start.parse().unwrap();
        let bars = bars_from(start.as_second(), 60, 4);
        let text = lines(&bars, ';', |time| on_a_clock(time, -5, "%Y%m%d %H%M%S"));
        assert!(text.contains(" 120000;"), "{text}");
        let zip =
            zipped(&[("DAT_ASCII_EURUSD_M1_2012.csv", &text), ("DAT_ASCII_EURUSD_M1_2012.txt", "no gaps")]);
        let workshop = Workshop::with("HISTDATA_COM_ASCII_EURUSD_M1_2012.zip", zip);
        workshop.ingest(Vendor::HistData);
        assert_eq!(rows(&workshop.bars("1m", "EURUSD")), bars);
    }
}

/// Milliseconds since midnight in New York, which is four hours behind UTC in summer and five in winter; prices × 10000.
#[test]
fn minutes_of_equities_follow_new_york() {
    for (day, open) in [("20240705", "2024-07-05T13:30:00Z"), ("20240105", "2024-01-05T14:30:00Z")] {
        let open: jiff::Timestamp = open.parse().unwrap();
        let bars = bars_from(open.as_second(), 60, 5);
        let scaled: Vec<MadeUp> = bars
            .iter()
            .map(|&(time, [o, h, l, c, v])| (time, [o, h, l, c].map(|price| price * 10_000.0), v))
            .map(|(time, [o, h, l, c], v)| (time, [o, h, l, c, v]))
            .collect();
        let since_midnight = |time: i64| ((time - open.as_second()) * 1000 + 34_200_000).to_string();
        let text = lines(&scaled, ',', since_midnight);
        assert!(text.starts_with("34200000,"), "half past nine");
        let entry = format!("{day}_spy_minute_trade.csv");
        let name = format!("equity/usa/minute/spy/{day}_trade.zip");
        let workshop = Workshop::with(&name, zipped(&[(&entry, &text)]));
        workshop.ingest(lean());
        assert_eq!(rows(&workshop.bars("1m", "SPY")), bars);
    }
}

#[test]
fn quotes_become_their_mids() {
    let quote =
        "0,1.25,1.5,1.0,1.375,7,1.75,2.0,1.5,1.625,9\n60000,1.25,1.5,1.0,1.375,7,1.75,2.0,1.5,1.625,9\n";
    let zip = zipped(&[("20140501_eurusd_minute_quote.csv", quote)]);
    let workshop = Workshop::with("forex/oanda/minute/eurusd/20140501_quote.zip", zip);
    let report = workshop.ingest(lean());
    assert_eq!(report.without_volume, [Symbol::new("EURUSD")]);
    let start = "2014-05-01T00:00:00Z".parse::<jiff::Timestamp>().unwrap().as_second();
    let mid = [1.5, 1.75, 1.25, 1.5, 0.0];
    assert_eq!(rows(&workshop.bars("1m", "EURUSD")), [(start, mid), (start + 60, mid)]);
}

/// A session of New York ends before the UTC day does, so that the bar is known late rather than early, and days are
/// 24 hours long when the clocks change too.
#[test]
fn days_of_equities_keep_their_date() {
    let text = "20240308 00:00,10000,20000,10000,15000,3\n20240311 00:00,10000,20000,10000,15000,4\n\
                20240312 00:00,10000,20000,10000,15000,4\n";
    let workshop = Workshop::with("equity/usa/daily/spy.zip", zipped(&[("spy.csv", text)]));
    workshop.ingest(lean());
    let opens: Vec<String> = workshop.bars("1d", "SPY").open_time.iter().map(ToString::to_string).collect();
    assert_eq!(opens, ["2024-03-08T00:00:00Z", "2024-03-11T00:00:00Z", "2024-03-12T00:00:00Z"]);
}

#[test]
fn each_contract_of_a_future_is_a_symbol() {
    let text = "0,10,20,10,15,3\n60000,10,20,10,15,4\n";
    let (near, far) = ("20131007_es_minute_trade_201312.csv", "20131007_es_minute_trade_201403.csv");
    let zip = zipped(&[(near, text), (far, text)]);
    let workshop = Workshop::with("future/cme/minute/es/20131007_trade.zip", zip);
    let report = workshop.ingest(lean());
    let symbols: Vec<&str> = report.audit.symbols.iter().map(|audit| audit.symbol.as_str()).collect();
    assert_eq!(symbols, ["ES-201312", "ES-201403"]);

    let spec = IngestSpec { only: vec![Symbol::new("ES-201403")], ..workshop.spec(lean()) };
    let one = Workshop::new();
    assert_eq!(ingest(&IngestSpec { into: one.bars_folder(), ..spec }).unwrap().new, 2);
}

#[test]
fn trades_and_quotes_of_one_symbol_need_a_choice() {
    let workshop = Workshop::new();
    let trades = "34200000,10000,20000,10000,15000,3\n34260000,10000,20000,10000,15000,3\n";
    let quotes = "34200000,10000,20000,10000,15000,3,20000,30000,20000,25000,3\n\
                  34260000,10000,20000,10000,15000,3,20000,30000,20000,25000,3\n";
    for (kind, text) in [("trade", trades), ("quote", quotes)] {
        let zip = zipped(&[(&format!("20240705_spy_minute_{kind}.csv"), text)]);
        workshop.add(&format!("equity/usa/minute/spy/20240705_{kind}.zip"), zip);
    }
    let said = workshop.refusal(lean());
    assert!(said.contains("trades and quotes of SPY 1m"), "{said}");
    for (prices, open) in [(LeanPrices::Trades, 1.0), (LeanPrices::Mids, 1.5)] {
        let spec = workshop.spec(Vendor::Lean(LeanSpec { prices: Some(prices), zone: None }));
        let other = Workshop::new();
        let report = ingest(&IngestSpec { into: other.bars_folder(), ..spec }).unwrap();
        assert_eq!((report.new, report.passed_over.len()), (2, 1));
        assert_eq!(other.bars("1m", "SPY").open, [open, open]);
    }
}

#[test]
fn a_text_may_hold_many_symbols_and_close_stamps_and_no_volume() {
    let text = "when,name,open,high,low,close\n\
                2024-01-01T01:00:00Z,A/B,10,20,10,15\n2024-01-01T01:00:00Z,C,1,2,1,1.5\n\
                2024-01-01T02:00:00Z,A/B,11,21,11,16\n2024-01-01T02:00:00Z,C,2,3,2,2.5\n";
    let columns = ColumnsSpec {
        timestamp: "when".into(),
        symbol: Some("name".into()),
        volume: None,
        ..ColumnsSpec::default()
    };
    let source = SourceSpec { stamp: Some(Stamp::Close), columns, ..SourceSpec::default() };
    let workshop = Workshop::with("all.csv", text);
    let spec = workshop.spec(Vendor::Csv(Box::new(source)));
    let report = ingest(&IngestSpec { timeframe: Some(timeframe("1h")), ..spec }).unwrap();
    assert_eq!(report.without_volume, [Symbol::new("A/B"), Symbol::new("C")]);
    let midnight = "2024-01-01T00:00:00Z".parse::<jiff::Timestamp>().unwrap().as_second();
    let bars = workshop.bars("1h", "A%2FB");
    assert_eq!(
        rows(&bars),
        [(midnight, [10.0, 20.0, 10.0, 15.0, 0.0]), (midnight + 3600, [11.0, 21.0, 11.0, 16.0, 0.0])]
    );
}

/// In the night to 3 November 2024, New York sees the hour from one to two twice.
#[test]
fn times_that_occur_twice_are_refused_or_counted() {
    let bars = bars_from(START, 3600, 2);
    let text = lines(&bars, ';', |time| on_a_clock(time - START, 1, "03.11.2024 %H:%M"));
    let workshop = Workshop::with("BTCUSDT.csv", text);
    let ingested = |source: SourceSpec| {
        let spec = workshop.spec(Vendor::Csv(Box::new(source)));
        ingest(&IngestSpec { timeframe: Some(timeframe("1h")), ..spec })
    };
    let said = ingested(declared()).unwrap_err().to_string();
    assert!(said.contains("twice") && said.contains("line 1"), "{said}");
    let mut source = declared();
    source.text.as_mut().unwrap().time.ambiguous = Ambiguous::Later;
    let report = ingested(source).unwrap();
    assert_eq!(report.ambiguous_times, 1);
    assert_eq!(workshop.bars("1h", "BTCUSDT").open_time[0].to_string(), "2024-11-03T06:00:00Z");
}

#[test]
fn inputs_may_be_globs() {
    let workshop = Workshop::new();
    workshop.add("one/BTC_USDT-1h.json", json(&hours(10)));
    workshop.add("two/ETH_USDT-1h.json", json(&hours(10)));
    workshop.add("two/ETH_USDT-1h.txt", "nothing");
    let inputs = vec![workshop.raw().join("t*/ETH*")];
    let report = ingest(&IngestSpec { inputs, ..workshop.spec(Vendor::Freqtrade) }).unwrap();
    assert_eq!((report.files, report.passed_over.len()), (1, 1));
    let inputs = vec![workshop.raw().join("three/*")];
    let said = ingest(&IngestSpec { inputs, ..workshop.spec(Vendor::Freqtrade) }).unwrap_err().to_string();
    assert!(said.contains("three/*"), "{said}");
}

#[test]
fn names_can_be_said_instead() {
    let workshop = Workshop::with("klines.csv", klines(&bars_from(START, 300, 10), 1000, false));
    let said = workshop.refusal(Vendor::Binance);
    assert!(said.contains("klines.csv: its name does not say whose bars these are"), "{said}");
    let spec = IngestSpec {
        symbol: Some(Symbol::new("BTC-PERP")),
        timeframe: Some(timeframe("5m")),
        ..workshop.spec(Vendor::Binance)
    };
    ingest(&spec).unwrap();
    assert_eq!(workshop.bars("5m", "BTC-PERP").len(), 10);
}
