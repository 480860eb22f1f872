//! Text as vendors write it, from `raw/` below the folder that `TAPELINE_BARS` names; it must be the same bars that the
//! folder has as Parquet, which were made from it by other means.

use tapeline_data_pipeline::{
    Ambiguous, Bars, ColumnsSpec, FormatSpec, Header, SourceSpec, Stamp, Symbol, SymbolsSpec, TextSpec,
    read_bars,
};

use super::time;
use crate::random_market::timeframe;
use crate::source::real::real_bars;

/// Columns by name, or by place.
fn columns([timestamp, open, high, low, close]: [&str; 5], volume: Option<&str>) -> ColumnsSpec {
    ColumnsSpec {
        timestamp: timestamp.into(),
        open: open.into(),
        high: high.into(),
        low: low.into(),
        close: close.into(),
        volume: volume.map(Into::into),
        ..ColumnsSpec::default()
    }
}

fn text(file: &str, base: &str, spec: SourceSpec) -> Option<Bars> {
    let path = real_bars("raw")?.join(file);
    let spec = SourceSpec { path: Some(path), stamp: spec.stamp.or(Some(Stamp::Open)), ..spec };
    Some(read_bars(&spec, timeframe(base)).unwrap().remove(0))
}

fn parquet(group: &str, symbol: &str, base: &str) -> Option<Bars> {
    let symbols = SymbolsSpec::Only(vec![Symbol::new(symbol)]);
    let spec = SourceSpec {
        path: Some(real_bars(group)?),
        stamp: Some(Stamp::Open),
        symbols,
        ..SourceSpec::default()
    };
    Some(read_bars(&spec, timeframe(base)).unwrap().remove(0))
}

/// All of `bars`, to the last bit, are among those of `all`.
fn assert_among(bars: &Bars, all: &Bars, rows: usize) {
    assert_eq!(bars.len(), rows);
    for row in 0..bars.len() {
        let place = all.open_time.binary_search(&bars.open_time[row]).unwrap();
        assert_eq!(bars.get(row), all.get(place));
    }
}

#[test]
fn tabs_and_capitals() {
    let columns = columns(["Time", "Open", "High", "Low", "Close"], Some("Volume"));
    let spec = SourceSpec { columns, ..SourceSpec::default() };
    let Some(bars) = text("generic/AAPLUSUSD_M15.head.tsv", "15m", spec) else { return };
    assert_among(&bars, &parquet("equities-15m", "AAPL", "15m").unwrap(), 5_999);
}

#[test]
fn offsets_and_no_volume() {
    let columns = ColumnsSpec { volume: None, ..ColumnsSpec::default() };
    let spec = SourceSpec { columns, ..SourceSpec::default() };
    let Some(bars) = text("generic/usdjpy-m1-bid-2013.head.csv", "1m", spec) else { return };
    assert_among(&bars, &parquet("fx-1m", "USDJPY", "1m").unwrap(), 5_999);
}

#[test]
fn microseconds() {
    let Some(bars) = text("generic/btc-perp-1m.head.csv", "1m", SourceSpec::default()) else { return };
    assert_among(&bars, &parquet("crypto-1m", "BTC-PERP", "1m").unwrap(), 5_999);
}

/// Date and time in two columns, a header that is one column short, stamps at the end of a bar on the clocks of Berlin.
#[test]
fn two_columns_of_time_in_berlin() {
    let columns =
        ColumnsSpec { time_of_day: Some("2".into()), ..columns(["1", "3", "4", "5", "6"], Some("7")) };
    let text_spec = TextSpec {
        header: Header::Ignored,
        time: time("iso", "Europe/Berlin", Ambiguous::Refuse),
        ..TextSpec::default()
    };
    let spec = SourceSpec {
        columns,
        format: FormatSpec::Csv,
        text: Some(text_spec),
        stamp: Some(Stamp::Close),
        ..SourceSpec::default()
    };
    let Some(bars) = text("generic/fesx-2006-min-001.head.txt", "1m", spec) else { return };
    assert_among(&bars, &parquet("futures-1m", "FESX", "1m").unwrap(), 2_999);
}

#[test]
fn dates_of_a_day() {
    let columns =
        ColumnsSpec { timestamp: "date".into(), symbol: Some("Name".into()), ..ColumnsSpec::default() };
    let spec = SourceSpec { columns, ..SourceSpec::default() };
    let Some(bars) = text("generic/AAPL_data.csv", "1d", spec) else { return };
    assert_eq!(bars.symbol.as_str(), "AAPL");
    assert_among(&bars, &parquet("equities-daily", "AAPL", "1d").unwrap(), 982);
}

#[test]
fn semicolons_without_a_header_in_new_york_s_winter_time() {
    let text_spec = TextSpec {
        delimiter: Some(';'),
        header: Header::None,
        time: time("%Y%m%d %H%M%S", "-05:00", Ambiguous::Refuse),
        ..TextSpec::default()
    };
    let columns = columns(["1", "2", "3", "4", "5"], Some("6"));
    let spec = SourceSpec { columns, text: Some(text_spec), ..SourceSpec::default() };
    let Some(bars) = text("histdata/DAT_ASCII_EURUSD_M1_201202.head.csv", "1m", spec) else { return };
    assert_eq!(bars.open_time[0].to_string(), "2012-02-01T05:00:00Z");
    assert_eq!([bars.open[0], bars.high[0], bars.low[0], bars.close[0]], [1.3066, 1.3066, 1.30656, 1.30656]);
}

/// Milliseconds without a header, with one, and microseconds: one hour is one hour.
#[test]
fn counts_of_an_exchange() {
    let names = ["open_time", "open", "high", "low", "close"];
    let read = |file: &str, format: &str, header: Header| {
        let columns = match header {
            Header::Names => columns(names, Some("volume")),
            _ => columns(["1", "2", "3", "4", "5"], Some("6")),
        };
        let text_spec =
            TextSpec { header, time: time(format, "UTC", Ambiguous::Refuse), ..TextSpec::default() };
        text(file, "1h", SourceSpec { columns, text: Some(text_spec), ..SourceSpec::default() })
    };
    let spot = "binance/spot-klines-BTCUSDT-1h-2024-10-28";
    let Some(milliseconds) = read(&format!("{spot}.csv"), "ms", Header::None) else { return };
    let microseconds = read(&format!("{spot}.us-derived.csv"), "us", Header::None).unwrap();
    assert_eq!(Bars { symbol: milliseconds.symbol.clone(), ..microseconds }, milliseconds);
    let futures = read("binance/futures-um-klines-BTCUSDT-1h-2024-10-28.csv", "ms", Header::Names).unwrap();
    assert_eq!(futures.open_time, milliseconds.open_time);
    assert_eq!((futures.len(), futures.open[0], milliseconds.open[0]), (24, 67_992.7, 68_021.69));
}
