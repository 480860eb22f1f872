//! Resampling against a naive reference on random bars with random gaps.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tapeline_data_pipeline::{Bar, Bars, DataError, Span, Symbol, Timeframe, Timestamp, resample};

const MINUTE: i64 = 60_000_000_000;
const LAG: i64 = 7;

fn timeframe(text: &str) -> Timeframe {
    text.parse().unwrap()
}

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn bars_at(timeframe: Timeframe, opens: impl IntoIterator<Item = Timestamp>) -> Bars {
    let mut bars = Bars::with_capacity(Symbol::new("A"), timeframe, 0);
    for (row, open_time) in opens.into_iter().enumerate() {
        let (close_time, price) = (open_time.plus(timeframe.span()), 100.0 + (row as f64 * 0.7).sin());
        bars.push(Bar {
            open_time,
            close_time,
            available_at: close_time.plus(Span::from_nanos(LAG)),
            open: price,
            high: price + 1.0 + (row as f64).cos(),
            low: price - 1.0 + (row as f64 * 1.3).sin(),
            close: price + 0.1,
            volume: 1.0 + row as f64,
        });
    }
    bars
}

/// Every bin that lies wholly between the data's first open and last close, the obvious way.
fn reference(bars: &Bars, length: i64) -> Vec<(i64, [f64; 5])> {
    let mut bins: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
    for row in 0..bars.len() {
        bins.entry(bars.open_time[row].nanos().div_euclid(length) * length).or_default().push(row);
    }
    let (start, end) = (bars.open_time[0].nanos(), bars.close_time[bars.len() - 1].nanos());
    let whole = bins.into_iter().filter(|(bin, _)| *bin >= start && bin + length <= end);
    whole
        .map(|(bin, rows)| {
            let of = |column: &[f64]| rows.iter().map(|&row| column[row]).collect::<Vec<_>>();
            let high = of(&bars.high).into_iter().fold(f64::MIN, f64::max);
            let low = of(&bars.low).into_iter().fold(f64::MAX, f64::min);
            let (open, close) = (bars.open[rows[0]], bars.close[rows[rows.len() - 1]]);
            (bin, [open, high, low, close, of(&bars.volume).iter().sum()])
        })
        .collect()
}

proptest! {
    #[test]
    fn agrees_with_the_obvious_way(
        first in -5_000_i64..5_000,
        steps in prop::collection::vec(prop_oneof![8 => Just(1_i64), 2 => 2_i64..40, 1 => 40_i64..4_000], 0..300),
        minutes in prop_oneof![Just(5_i64), Just(15), Just(60), Just(1440)],
    ) {
        let mut minute = first;
        let mut opens = vec![Timestamp::from_nanos(first * MINUTE)];
        for step in steps {
            minute += step;
            opens.push(Timestamp::from_nanos(minute * MINUTE));
        }
        let bars = bars_at(timeframe("1m"), opens);
        let length = Timeframe::from_span(Span::from_nanos(minutes * MINUTE)).unwrap();
        let higher = resample(&bars, length).unwrap();
        let expected = reference(&bars, length.nanos());
        prop_assert_eq!(higher.len(), expected.len());
        for (row, (bin, [open, high, low, close, volume])) in expected.into_iter().enumerate() {
            prop_assert_eq!(higher.open_time[row].nanos(), bin);
            prop_assert_eq!(higher.close_time[row].nanos(), bin + length.nanos());
            prop_assert_eq!(higher.available_at[row].nanos(), bin + length.nanos() + LAG);
            prop_assert_eq!((higher.open[row], higher.high[row]), (open, high));
            prop_assert_eq!((higher.low[row], higher.close[row]), (low, close));
            prop_assert_eq!(higher.volume[row], volume);
        }
        prop_assert!(higher.available_at.is_sorted());
    }

    /// What was cut off is all that is missing from the volume.
    #[test]
    fn volume_is_conserved(minutes in 1_usize..500, offset in 0_i64..60) {
        let opens = (0..minutes).map(|row| Timestamp::from_nanos((offset + row as i64) * MINUTE));
        let bars = bars_at(timeframe("1m"), opens);
        let higher = resample(&bars, timeframe("15m")).unwrap();
        let covered = |open: &Timestamp| higher.open_time.iter().any(|bin| (0..15 * MINUTE).contains(&open.since(*bin).nanos()));
        let kept: f64 = (bars.open_time.iter().zip(&bars.volume)).filter(|(open, _)| covered(open)).map(|(_, v)| v).sum();
        prop_assert_eq!(higher.volume.iter().sum::<f64>(), kept);
        prop_assert!(bars.len() - (kept > 0.0) as usize * higher.len() * 15 < 30);
    }
}

#[test]
fn weeks_start_on_monday_and_days_at_midnight() {
    let days = (0..30).map(|day| instant("2024-01-03T00:00:00Z").plus(Span::from_nanos(day * 1440 * MINUTE)));
    let weeks = resample(&bars_at(timeframe("1d"), days), timeframe("7d")).unwrap();
    assert_eq!(weeks.open_time[0], instant("2024-01-08T00:00:00Z"));
    assert_eq!(weeks.len(), 3);

    let hours =
        (0..40).map(|hour| instant("2024-01-03T14:00:00Z").plus(Span::from_nanos(hour * 60 * MINUTE)));
    let days = resample(&bars_at(timeframe("1h"), hours), timeframe("1d")).unwrap();
    assert_eq!(days.open_time, [instant("2024-01-04T00:00:00Z")]);
    assert_eq!(days.close_time, [instant("2024-01-05T00:00:00Z")]);
}

#[test]
fn a_session_leaves_half_full_bars_that_close_late() {
    let opens = [30, 35, 40, 45, 50, 55, 60].map(|minute| Timestamp::from_nanos((14 * 60 + minute) * MINUTE));
    let next_day = Timestamp::from_nanos((38 * 60 + 55) * MINUTE);
    let bars = bars_at(timeframe("5m"), opens.into_iter().chain([next_day]));
    let hours = resample(&bars, timeframe("1h")).unwrap();
    // 14:00 is cut off by the start; 15:00 holds one bar; the next day's 14:00 holds one and the data reach to its end.
    assert_eq!(hours.open_time.iter().map(|open| open.nanos() / MINUTE / 60).collect::<Vec<_>>(), [15, 38]);
    assert_eq!(hours.close_time[0].nanos() / MINUTE, 16 * 60);
}

#[test]
fn only_multiples_can_be_made() {
    let bars = bars_at(timeframe("15m"), [Timestamp::from_nanos(0)]);
    for to in ["5m", "20m"] {
        assert!(matches!(resample(&bars, timeframe(to)), Err(DataError::Resample { .. })));
    }
    assert_eq!(resample(&bars, timeframe("15m")).unwrap(), bars);
}

#[test]
fn nothing_gives_nothing() {
    assert!(resample(&bars_at(timeframe("1m"), []), timeframe("1h")).unwrap().is_empty());
}
