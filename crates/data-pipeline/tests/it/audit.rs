//! Each defect, planted by hand, is found where it is and nowhere else.

use tapeline_data_pipeline::{
    AuditReport, Bar, Bars, Finding, FindingKind, Severity, Span, Symbol, SymbolAudit, Timeframe, Timestamp,
    audit,
};

const MINUTE: i64 = 60_000_000_000;

fn good(rows: usize) -> Bars {
    good_at("5m", rows)
}

/// Bars that nobody can find fault with.
pub(crate) fn good_at(timeframe: &str, rows: usize) -> Bars {
    let timeframe: Timeframe = timeframe.parse().unwrap();
    let start: Timestamp = "2024-01-01T00:00:00Z".parse().unwrap();
    let mut bars = Bars::with_capacity(Symbol::new("AAA"), timeframe, rows);
    for row in 0..rows {
        let open_time = start.plus(Span::from_nanos(row as i64 * timeframe.nanos()));
        let close_time = open_time.plus(timeframe.span());
        let (open, close) = (100.0 + (row as f64).sin(), 100.0 + (row as f64 + 1.0).sin());
        let (high, low) = (open.max(close) + 0.5, open.min(close) - 0.5);
        bars.push(Bar {
            open_time,
            close_time,
            available_at: close_time,
            open,
            high,
            low,
            close,
            volume: 10.0,
        });
    }
    bars
}

fn look(bars: &Bars) -> SymbolAudit {
    audit(std::slice::from_ref(bars)).symbols.remove(0)
}

/// Asserts that `bars` have `kind` in exactly `rows`, and nothing else but `others`.
fn assert_found(bars: &Bars, kind: FindingKind, rows: &[usize], others: &[FindingKind]) {
    let found = look(bars);
    let rows_of = |finding: &Finding| finding.examples.iter().map(|example| example.row).collect::<Vec<_>>();
    let finding = found.findings.iter().find(|finding| finding.kind == kind).expect("not found");
    assert_eq!((rows_of(finding), finding.count), (rows.to_vec(), rows.len()), "{kind:?}");
    let rest: Vec<_> = found.findings.iter().map(|finding| finding.kind).filter(|&k| k != kind).collect();
    assert_eq!(rest, others, "besides {kind:?}");
}

#[test]
fn good_bars_have_no_findings() {
    let found = look(&good(100));
    assert_eq!((found.rows, found.gaps), (100, None));
    assert!(found.findings.is_empty());
    assert_eq!(found.smallest_step, Some("5m".parse().unwrap()));
}

#[test]
fn values_that_cannot_be_are_errors() {
    let defect = |spoil: fn(&mut Bars)| {
        let mut bars = good(100);
        spoil(&mut bars);
        bars
    };
    use FindingKind::{NegativeVolume, NonFinite, OhlcOrder, PriceNotPositive};
    assert_found(&defect(|bars| bars.open[3] = f64::NAN), NonFinite, &[3], &[]);
    assert_found(&defect(|bars| bars.close[4] = f64::INFINITY), NonFinite, &[4], &[]);
    assert_found(&defect(|bars| bars.volume[5] = f64::NAN), NonFinite, &[5], &[]);
    assert_found(&defect(|bars| bars.high[6] = bars.close[6] - 0.1), OhlcOrder, &[6], &[]);
    assert_found(&defect(|bars| bars.low[7] = bars.open[7].max(bars.close[7])), OhlcOrder, &[7], &[]);
    assert_found(
        &defect(|bars| (bars.low[8], bars.high[8]) = (bars.high[8], bars.low[8])),
        OhlcOrder,
        &[8],
        &[],
    );
    assert_found(&defect(|bars| bars.low[9] = 0.0), PriceNotPositive, &[9], &[]);
    assert_found(&defect(|bars| bars.low[9] = -1.0), PriceNotPositive, &[9], &[]);
    assert_found(&defect(|bars| bars.volume[10] = -0.5), NegativeVolume, &[10], &[]);
}

#[test]
fn rows_in_the_wrong_place_are_errors() {
    let mut bars = good(100);
    bars.open_time.swap(10, 11);
    assert_found(&bars, FindingKind::Disorder, &[11], &[]);

    let mut bars = good(100);
    bars.open_time[20] = bars.open_time[19];
    assert_found(&bars, FindingKind::Duplicate, &[20], &[]);
    assert_eq!(look(&bars).gaps.unwrap().missing_bars, 1);

    let mut bars = good(100);
    bars.open_time[50] = bars.open_time[3];
    assert_found(&bars, FindingKind::Duplicate, &[50], &[FindingKind::Disorder]);
}

#[test]
fn one_minute_bars_declared_as_five_are_off_the_grid() {
    let mut bars = good_at("1m", 20);
    bars.timeframe = "5m".parse().unwrap();
    let found = look(&bars);
    assert_eq!(found.count_of(FindingKind::OffGrid), 16);
    assert_eq!(found.smallest_step, Some("1m".parse().unwrap()));
}

#[test]
fn longer_bars_than_was_said_are_an_error() {
    for (true_length, said) in [("1h", "5m"), ("1d", "5m"), ("1d", "1h"), ("1w", "1d")] {
        let mut bars = good_at(true_length, 20);
        bars.timeframe = said.parse().unwrap();
        bars = bars.take(&(0..20).filter(|row| *row != 5).collect::<Vec<_>>());
        let found = look(&bars);
        assert_eq!((found.count_of(FindingKind::TooFarApart), found.count(Severity::Error)), (19, 19));
        let expected = format!(
            "bars are {} apart and the first of data.timeframes says {said}; set it to {0}",
            true_length.replace("1w", "7d")
        );
        assert_eq!(found.findings[0].examples[0].detail, expected);
    }
}

#[test]
fn a_single_bar_and_bars_with_gaps_tell_nothing_about_their_length() {
    assert!(look(&good(1)).findings.is_empty());
    let sparse = good(100).take(&[0, 10, 20, 21, 60]);
    assert!(look(&sparse).findings.is_empty());
}

#[test]
fn days_may_start_at_any_hour_but_not_twice() {
    let mut bars = good_at("1d", 20);
    bars.open_time.iter_mut().for_each(|open| *open = open.plus(Span::from_nanos(870 * MINUTE)));
    assert!(look(&bars).findings.is_empty());
    bars.open_time[7] = bars.open_time[6].plus(Span::from_nanos(MINUTE));
    assert_found(&bars, FindingKind::TooClose, &[7], &[]);
}

#[test]
fn gaps_zero_volume_and_jumps_are_warnings() {
    let mut bars = good(100);
    bars.volume[2] = 0.0;
    for column in [&mut bars.open, &mut bars.high, &mut bars.low, &mut bars.close] {
        column[60..].iter_mut().for_each(|price| *price *= 4.0);
    }
    let keep: Vec<usize> = (0..100).filter(|row| ![30, 40, 41, 42].contains(row)).collect();
    let found = look(&bars.take(&keep));
    assert_eq!((found.count_of(FindingKind::ZeroVolume), found.count_of(FindingKind::Jump)), (1, 1));
    assert_eq!(found.count(Severity::Error), 0);
    let gaps = found.gaps.unwrap();
    assert_eq!((gaps.count, gaps.missing_bars), (2, 4));
    assert_eq!((gaps.longest, gaps.longest_after), ("20m".parse().unwrap(), bars.open_time[39]));
}

#[test]
fn no_rows_are_an_error() {
    assert_eq!(look(&good(0)).count_of(FindingKind::NoRows), 1);
}

#[test]
fn examples_are_few_and_counts_are_full() {
    let mut bars = good(100);
    bars.close.fill(f64::NAN);
    let found = look(&bars);
    assert_eq!((found.findings[0].count, found.findings[0].examples.len()), (100, Finding::MAX_EXAMPLES));
}

#[test]
fn the_table_and_the_json_say_the_same() {
    let mut bars = good(100);
    bars.open[3] = f64::NAN;
    let report = audit(&[bars.take(&(0..50).chain(52..100).collect::<Vec<_>>())]);
    let text = report.to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "symbol  bars  rows  first                 last                  errors  warnings");
    assert_eq!(lines[1], "AAA     5m      98  2024-01-01T00:00:00Z  2024-01-01T08:15:00Z       1         1");
    assert!(text.contains("non_finite: 1 row; data.repair: [drop_bad_rows] covers it"), "{text}");
    assert!(text.contains("row 3, 2024-01-01T00:15:00Z  open NaN"), "{text}");
    assert!(
        text.contains("gap: 1 place, 2 bars missing; the longest, 15m, after 2024-01-01T04:05:00Z"),
        "{text}"
    );
    let json = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<AuditReport>(&json).unwrap(), report);
}
