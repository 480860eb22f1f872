use std::collections::BTreeMap;

use tapeline_data_pipeline::feature::{Body, LogReturn};
use tapeline_data_pipeline::{
    Bars, DataError, DataSpec, Dataset, LabelSpec, MASKED, SequenceLengthSpec, Span, Timestamp,
};

use crate::random_market::{at, span, timeframe, walk};

const LABEL: [LabelSpec; 1] = [LabelSpec::LogReturn { horizon: 1, lag: 0 }];

fn spec(timeframes: &[&str], length: usize) -> DataSpec {
    DataSpec {
        timeframes: timeframes.iter().map(|text| timeframe(text)).collect(),
        sequence_length: SequenceLengthSpec::Same(length),
        features: vec![Body.into()],
        ..DataSpec::default()
    }
}

fn prepare(spec: &DataSpec, bars: Vec<Bars>) -> Dataset {
    spec.check().unwrap().prepare(bars, &LABEL).unwrap()
}

/// When the newest row a sample sees of `timeframe` became available.
fn newest(data: &Dataset, timeframe: usize, decision: Timestamp) -> Option<Timestamp> {
    let sample = data.windows().decisions().binary_search(&decision).unwrap();
    let end = data.windows().end_rows(timeframe)[sample];
    let symbol = data.windows().symbols()[sample] as usize;
    (end != MASKED).then(|| data.tables()[symbol][timeframe].available_at()[end as usize])
}

#[test]
fn an_hour_is_seen_by_the_decision_at_its_close_and_not_before() {
    let data = prepare(&spec(&["5m", "1h"], 3), vec![walk("A", timeframe("5m"), 0..288, Span::ZERO, 1)]);
    let table = [
        ("2024-01-01T11:50:00Z", "2024-01-01T11:00:00Z", 50.0 / 60.0),
        ("2024-01-01T11:55:00Z", "2024-01-01T11:00:00Z", 55.0 / 60.0),
        ("2024-01-01T12:00:00Z", "2024-01-01T12:00:00Z", 0.0),
        ("2024-01-01T12:05:00Z", "2024-01-01T12:00:00Z", 5.0 / 60.0),
    ];
    for (decision, hour, age) in table {
        assert_eq!(newest(&data, 1, at(decision)), Some(at(hour)), "at {decision}");
        let sample = data.windows().decisions().binary_search(&at(decision)).unwrap() as u32;
        assert!((f64::from(data.age(1, sample).unwrap()) - age).abs() < 1e-6);
        let mut window = vec![f32::NAN; data.inputs()[1].window_len()];
        data.fill_inputs(1, &[sample], &mut window).unwrap();
        assert_eq!(data.inputs()[1].channels, ["body", "missing", "recency", "age", "visible"]);
        for row in window.chunks(5) {
            assert!((f64::from(row[3]) - age).abs() < 1e-6 && row[4] == 1.0);
        }
    }
}

#[test]
fn a_publication_lag_delays_every_timeframe_alike() {
    let data = prepare(&spec(&["5m", "1h"], 3), vec![walk("A", timeframe("5m"), 0..288, span("7m"), 1)]);
    assert_eq!(newest(&data, 1, at("2024-01-01T12:02:00Z")), Some(at("2024-01-01T11:07:00Z")));
    assert_eq!(newest(&data, 1, at("2024-01-01T12:07:00Z")), Some(at("2024-01-01T12:07:00Z")));
}

#[test]
fn a_window_too_old_is_masked_not_carried_forward() {
    // Base bars pause from 05:00 to 09:00; afterwards the newest 4h bar is the one that closed at 08:00.
    let mut spec = spec(&["5m", "4h"], 1);
    spec.max_age = BTreeMap::from([(timeframe("4h"), span("2h"))]);
    let steps = (0..288).filter(|step| !(60..108).contains(step));
    let data = prepare(&spec, vec![walk("A", timeframe("5m"), steps, Span::ZERO, 1)]);
    assert_eq!(newest(&data, 1, at("2024-01-01T10:00:00Z")), Some(at("2024-01-01T08:00:00Z")));
    assert_eq!(newest(&data, 1, at("2024-01-01T10:05:00Z")), None);
    assert_eq!(newest(&data, 1, at("2024-01-01T12:00:00Z")), Some(at("2024-01-01T12:00:00Z")));
    let masked = data.windows().decisions().binary_search(&at("2024-01-01T10:05:00Z")).unwrap() as u32;
    let mut window = vec![f32::NAN; data.inputs()[1].window_len()];
    data.fill_inputs(1, &[masked], &mut window).unwrap();
    assert!(window.iter().all(|&value| value == 0.0));
    assert_eq!(data.age(1, masked).unwrap(), 0.0);
}

#[test]
fn nothing_reaches_over_a_long_gap() {
    let mut spec = spec(&["5m", "15m"], 4);
    spec.features = vec![LogReturn.into()];
    spec.max_gap = span("1h");
    // Missing: 30 minutes from step 60 on (short), 61 minutes' worth and more from step 150 on (long).
    let steps = (0..400).filter(|step| !(60..66).contains(step) && !(150..163).contains(step));
    let bars = walk("A", timeframe("5m"), steps, Span::ZERO, 1);
    let data = prepare(&spec, vec![bars.clone()]);
    let decided: Vec<_> = data.windows().end_rows(0).to_vec();
    let row_after_short = 60;
    let row_after_long = 150 - 6;
    assert!(decided.contains(&row_after_short), "a short gap is no wall");
    // Four 15m rows with a return need five 15m bars after the gap: steps 165 to 179.
    let first_after =
        bars.open_time.iter().position(|&open| open == at("2024-01-01T14:55:00Z")).unwrap() as u32;
    let expected: Vec<u32> = (0..row_after_long).chain(first_after..bars.len() as u32).collect();
    let found: Vec<u32> = decided.iter().copied().filter(|row| *row > 15).collect();
    assert_eq!(found, expected.into_iter().filter(|row| *row > 15).collect::<Vec<_>>());

    let last_before = decided.iter().position(|&row| row + 1 == row_after_long).unwrap();
    assert!(data.labels()[0].values[last_before].is_nan(), "no label over a long gap");
    assert!(data.labels()[0].absent.beyond_gap == 1 && data.labels()[0].absent.past_the_end == 1);
    assert!(data.past_return(last_before as u32 + 1, 50).is_nan());
}

#[test]
fn missing_bars_are_counted_in_their_channel() {
    let steps = (0..200).filter(|step| !(100..103).contains(step));
    let data = prepare(&spec(&["5m", "15m"], 2), vec![walk("A", timeframe("5m"), steps, Span::ZERO, 1)]);
    let missing = 1;
    assert_eq!(data.inputs()[0].channels[missing], "missing");
    let rows: Vec<f32> = (0..197).map(|row| data.tables()[0][0].row(row)[missing]).collect();
    assert_eq!(rows[100], 4.0_f32.ln());
    assert!(rows.iter().enumerate().all(|(row, &value)| row == 100 || value == 0.0));
}

#[test]
fn symbols_never_mix() {
    // The body of every bar of symbol k is k, and table rows of symbols have different lengths.
    let symbols = ["A", "B", "C"];
    let bars: Vec<Bars> = (1..)
        .zip(symbols)
        .map(|(k, symbol)| {
            let mut bars = walk(symbol, timeframe("5m"), 40 * k..40 * k + 150 + 30 * k, Span::ZERO, k as u64);
            for row in 0..bars.len() {
                bars.open[row] = 1.0;
                bars.close[row] = (k as f64).exp();
                (bars.low[row], bars.high[row]) = (1.0, bars.close[row]);
            }
            bars
        })
        .collect();
    let mut spec = spec(&["5m", "15m"], 6);
    spec.scaling.kind = tapeline_data_pipeline::ScalingKind::Standard;
    let data = prepare(&spec, bars);
    for (timeframe, layout) in data.inputs().iter().enumerate() {
        let scale = data.fitted().scaler.timeframes[timeframe].channels[0].scale.unwrap();
        let samples: Vec<u32> = (0..data.windows().len() as u32).collect();
        let mut windows = vec![f32::NAN; samples.len() * layout.window_len()];
        data.fill_inputs(timeframe, &samples, &mut windows).unwrap();
        for (window, &symbol) in windows.chunks(layout.window_len()).zip(data.windows().symbols()) {
            let expected = (f64::from(symbol) + 1.0 - scale.centre) / scale.spread;
            for row in window.chunks(layout.width()) {
                assert!((f64::from(row[0]) - expected).abs() < 1e-5, "symbol {symbol} sees {}", row[0]);
            }
        }
    }
}

#[test]
fn samples_are_in_the_order_of_decision_and_symbol() {
    let mut spec = spec(&["5m"], 2);
    spec.stride = 3;
    let bars = vec![
        walk("A", timeframe("5m"), 0..50, Span::ZERO, 1),
        walk("B", timeframe("5m"), (7..80).filter(|step| step % 5 != 0), Span::ZERO, 2),
    ];
    let data = prepare(&spec, bars);
    let order: Vec<_> = data
        .windows()
        .decisions()
        .iter()
        .zip(data.windows().symbols())
        .map(|(time, symbol)| (*time, *symbol))
        .collect();
    assert!(order.is_sorted_by(|left, right| left < right));
    let stride = 3 * timeframe("5m").nanos();
    let on_grid = |time: &Timestamp| (time.nanos() - timeframe("5m").nanos()) % stride == 0;
    assert!(order.iter().all(|(time, _)| on_grid(time)), "symbols decide at the same times");
    assert_eq!(data.stride(), 3);
}

#[test]
fn bars_that_break_their_promises_are_refused() {
    let pipeline = spec(&["5m"], 2).check().unwrap();
    let good = walk("A", timeframe("5m"), 0..50, Span::ZERO, 1);
    let mut twice = good.clone();
    twice.open_time[7] = twice.open_time[6];
    let mut early = good.clone();
    early.available_at[7] = early.open_time[7];
    let mut short = good.clone();
    short.volume.pop();
    let mut at_once = good.clone();
    at_once.available_at[7] = at_once.available_at[8];
    for broken in [twice, early, short, at_once, walk("A", timeframe("15m"), 0..50, Span::ZERO, 1)] {
        assert!(pipeline.prepare(vec![broken], &LABEL).is_err());
    }
    assert!(pipeline.prepare(vec![good.clone(), good], &LABEL).is_err());
}

#[test]
fn numbers_that_would_poison_everything_fitted_are_refused() {
    type Column = fn(&mut Bars) -> &mut Vec<f64>;
    let prices: [Column; 4] =
        [|bars| &mut bars.open, |bars| &mut bars.high, |bars| &mut bars.low, |bars| &mut bars.close];
    let volume: Column = |bars| &mut bars.volume;
    let pipeline = spec(&["5m"], 2).check().unwrap();
    let prepare = |column: Column, value| {
        let mut bars = walk("A", timeframe("5m"), 0..50, Span::ZERO, 1);
        column(&mut bars)[7] = value;
        pipeline.prepare(vec![bars], &LABEL)
    };
    for value in [f64::NAN, f64::INFINITY, 0.0, -1.0] {
        for price in prices {
            assert!(matches!(prepare(price, value), Err(DataError::UseBars { row: 7, .. })), "{value}");
        }
    }
    for value in [f64::NAN, f64::INFINITY, -1.0] {
        assert!(matches!(prepare(volume, value), Err(DataError::UseBars { row: 7, .. })), "{value}");
    }
    assert!(prepare(volume, 0.0).is_ok());
}

#[test]
fn a_stride_that_misses_every_bar_is_what_the_error_speaks_of() {
    let afternoons = (0..24 * 60).filter(|hour| (14..20).contains(&(hour % 24)));
    let bars = walk("A", timeframe("1h"), afternoons, Span::ZERO, 1);
    let prepare = |stride, length| {
        let spec = DataSpec { stride, ..spec(&["1h"], length) };
        spec.check().unwrap().prepare(vec![bars.clone()], &LABEL).map(|data| data.windows().len())
    };
    for stride in [24, usize::MAX] {
        let error = prepare(stride, 2).unwrap_err();
        assert!(matches!(error, DataError::FindDecisions { bars: 360, .. }), "{error}");
        assert!(
            error.to_string().starts_with("none of 360 bars opens on the grid of data.stride"),
            "{error}"
        );
    }
    assert_eq!(prepare(5, 2).unwrap(), 72);
    let too_long = prepare(5, 1000).unwrap_err();
    assert!(matches!(too_long, DataError::FindWindows { bars: 360, on_grid: 72, .. }), "{too_long}");
}
