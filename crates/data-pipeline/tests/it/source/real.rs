//! Real bars, from the folder that `TAPELINE_BARS` names; without it these tests say that they are skipped.

use std::path::PathBuf;

use tapeline_data_pipeline::{
    DataError, DataSpec, FindingKind, Pipeline, RepairSpec, SourceSpec, Stamp, Symbol, SymbolAudit,
    SymbolsSpec, audit, read_bars, resample,
};

use super::{only, timeframe};

#[expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test may be told where bars are, and says so if not"
)]
pub(crate) fn real_bars(group: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("TAPELINE_BARS");
    if folder.is_none() {
        println!("skipped: TAPELINE_BARS is not set");
    }
    folder.map(|folder| PathBuf::from(folder).join(group))
}

fn source(path: PathBuf, symbols: SymbolsSpec) -> SourceSpec {
    SourceSpec { path: Some(path), stamp: Some(Stamp::Open), symbols, ..SourceSpec::default() }
}

fn pipeline(source: SourceSpec, base: &str, repair: Vec<RepairSpec>) -> Pipeline {
    DataSpec { source, repair, timeframes: vec![timeframe(base)], ..DataSpec::default() }.check().unwrap()
}

#[test]
fn crypto_has_an_exchange_halt_and_a_missing_day() {
    let Some(path) = real_bars("crypto-5m") else { return };
    let (bars, report) = pipeline(source(path, only(&["BTCUSDT", "ETHUSDT"])), "5m", vec![]).read().unwrap();
    for (bars, audit) in bars.iter().zip(&report.symbols) {
        let gaps = audit.gaps.unwrap();
        assert_eq!((bars.len(), gaps.count, gaps.missing_bars), (157_232, 2, 304));
        assert_eq!(gaps.longest_after.to_string(), "2023-12-30T23:55:00Z");
        assert_eq!(audit.count_of(FindingKind::ZeroVolume), 14);
    }
}

/// An hourly file of another origin agrees with the five-minute bars, hour by hour.
#[test]
fn five_minute_bars_add_up_to_the_exchange_s_own_hours() {
    let (Some(fives), Some(hours)) = (real_bars("crypto-5m"), real_bars("crypto-1h")) else { return };
    let read = |path, base| read_bars(&source(path, only(&["BTCUSDT"])), timeframe(base)).unwrap().remove(0);
    let (made, given) = (resample(&read(fives, "5m"), timeframe("1h")).unwrap(), read(hours, "1h"));
    let mut compared = 0;
    for row in 0..made.len() {
        let Ok(other) = given.open_time.binary_search(&made.open_time[row]) else { continue };
        let close = |x: f64, y: f64| (x - y).abs() <= 1e-9 * y.abs();
        assert_eq!([made.open[row], made.high[row]], [given.open[other], given.high[other]]);
        assert_eq!([made.low[row], made.close[row]], [given.low[other], given.close[other]]);
        assert!(close(made.volume[row], given.volume[other]), "{}", made.open_time[row]);
        compared += 1;
    }
    assert!(compared > 11_000, "{compared}");
}

#[test]
fn the_known_bad_rows_of_daily_equities_are_found_and_no_others() {
    let Some(path) = real_bars("equities-daily") else { return };
    let report = audit(&read_bars(&source(path.clone(), SymbolsSpec::All), timeframe("1d")).unwrap());
    assert_eq!(report.symbols.len(), 329);
    assert_eq!(report.symbols.iter().map(|audit| audit.rows).sum::<usize>(), 317_361);
    let bad = |audit: &SymbolAudit| {
        let of = |kind| audit.count_of(kind);
        (audit.symbol.to_string(), of(FindingKind::NonFinite), of(FindingKind::OhlcOrder))
    };
    let found: Vec<_> =
        report.symbols.iter().map(bad).filter(|(_, finite, order)| finite + order > 0).collect();
    let expected = [
        ("AOS", 0, 1),
        ("BBY", 0, 1),
        ("CHD", 0, 1),
        ("DHR", 2, 1),
        ("ES", 1, 0),
        ("IP", 0, 1),
        ("LNT", 0, 1),
        ("REGN", 1, 0),
        ("SPG", 0, 1),
        ("VRTX", 1, 0),
    ];
    assert_eq!(found, expected.map(|(symbol, finite, order)| (symbol.to_string(), finite, order)));

    let spec = || source(path.clone(), SymbolsSpec::Only(vec![Symbol::new("DHR")]));
    assert!(matches!(pipeline(spec(), "1d", vec![]).read(), Err(DataError::Audit { .. })));
    let (_, report) = pipeline(spec(), "1d", vec![RepairSpec::DropBadRows]).read().unwrap();
    assert_eq!(report.symbols[0].repairs[0].rows, 3);
}

#[test]
fn currencies_have_weekends_and_no_volume() {
    let Some(path) = real_bars("fx-1h") else { return };
    let (bars, report) = pipeline(source(path, only(&["EURUSD"])), "1h", vec![]).read().unwrap();
    let gaps = report.symbols[0].gaps.unwrap();
    assert_eq!((bars[0].len(), gaps.count, gaps.missing_bars), (74_439, 641, 30_730));
    assert_eq!(report.symbols[0].count_of(FindingKind::ZeroVolume), 74_439);
}
