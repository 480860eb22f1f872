use tapeline_data_pipeline::feature::Body;
use tapeline_data_pipeline::{
    Bars, DataSpec, Dataset, FittedLabel, LabelSpec, Regime, SequenceLengthSpec, Span, VARIANCE_FLOOR,
};

use crate::random_market::{closes, timeframe, walk};

fn prepare(bars: Vec<Bars>, labels: &[LabelSpec]) -> Dataset {
    let spec = DataSpec {
        timeframes: vec![timeframe("5m")],
        sequence_length: SequenceLengthSpec::Same(2),
        features: vec![Body.into()],
        ..DataSpec::default()
    };
    spec.check().unwrap().prepare(bars, labels).unwrap()
}

/// (sample, bars of its symbol, base row) of every sample.
fn places<'a>(data: &'a Dataset, bars: &'a [Bars]) -> impl Iterator<Item = (usize, &'a Bars, usize)> {
    (0..data.windows().len()).map(|sample| {
        let symbol = data.windows().symbols()[sample] as usize;
        (sample, &bars[symbol], data.windows().end_rows(0)[sample] as usize)
    })
}

fn two_symbols() -> Vec<Bars> {
    vec![
        walk("A", timeframe("5m"), 0..400, Span::ZERO, 1),
        walk("B", timeframe("5m"), 150..500, Span::ZERO, 2),
    ]
}

fn squared_returns(bars: &Bars, from: usize, to: usize) -> f64 {
    (from + 1..=to).map(|row| (bars.close[row] / bars.close[row - 1]).ln().powi(2)).sum()
}

#[test]
fn labels_equal_their_definitions_and_end_with_their_last_bar() {
    let bars = two_symbols();
    let labels = [
        LabelSpec::LogReturn { horizon: 1, lag: 0 },
        LabelSpec::LogReturn { horizon: 12, lag: 2 },
        LabelSpec::LogRealizedVariance { horizon: 5 },
    ];
    let data = prepare(bars.clone(), &labels);
    let mut absent = [0; 3];
    for (sample, bars, row) in places(&data, &bars) {
        for (label, (entry, exit)) in [(0, (0, 1)), (1, (2, 14)), (2, (0, 5))] {
            let column = &data.labels()[label];
            if row + exit >= bars.len() {
                absent[label] += 1;
                assert!(column.values[sample].is_nan(), "a label without its bars is absent, not 0");
                assert_eq!(column.end[sample], data.windows().decisions()[sample]);
                continue;
            }
            let expected = match column.spec {
                LabelSpec::LogReturn { .. } => (bars.close[row + exit] / bars.close[row + entry]).ln(),
                _ => squared_returns(bars, row, row + exit).ln(),
            };
            assert!((f64::from(column.values[sample]) - expected).abs() < 1e-6);
            assert_eq!(column.end[sample], bars.available_at[row + exit]);
        }
    }
    assert_eq!(absent, [2, 28, 10]);
    for (column, absent) in data.labels().iter().zip(absent) {
        assert_eq!(column.absent.past_the_end, absent);
    }
}

#[test]
fn targets_are_standardised_on_labels_that_end_by_the_last_train_decision() {
    let data = prepare(two_symbols(), &[LabelSpec::LogReturn { horizon: 12, lag: 0 }]);
    let column = &data.labels()[0];
    let until = data.fitted().split.last_train_decision;
    let known: Vec<f64> = (0..data.windows().len())
        .filter(|&sample| data.windows().decisions()[sample] <= until && column.end[sample] <= until)
        .map(|sample| f64::from(column.values[sample]))
        .filter(|value| !value.is_nan())
        .collect();
    let mean = known.iter().sum::<f64>() / known.len() as f64;
    let variance = known.iter().map(|value| value * value).sum::<f64>() / known.len() as f64 - mean * mean;
    let FittedLabel::Regression { mean: fitted_mean, std } = column.fitted else { panic!("a regression") };
    assert!((fitted_mean - mean).abs() < 1e-9 && (std - variance.sqrt()).abs() < 1e-9);
}

#[test]
fn regimes_equal_their_definition() {
    let bars = two_symbols();
    let (horizon, data) = (6, prepare(bars.clone(), &[LabelSpec::BullBearSidewaysVolatile { horizon: 6 }]));
    let column = &data.labels()[0];
    let FittedLabel::Regime { thresholds, class_counts } = &column.fitted else { panic!("a regime") };
    let regime = |bars: &Bars, row: usize| {
        let sigma = (squared_returns(bars, row - 60, row) / 60.0).sqrt();
        let z = (bars.close[row + horizon] / bars.close[row]).ln() / (sigma * (horizon as f64).sqrt());
        let volatile =
            squared_returns(bars, row, row + horizon) > thresholds.volatile_above_by_symbol[&bars.symbol];
        match () {
            () if volatile => Regime::Volatile,
            () if z > 0.5 => Regime::Bull,
            () if z < -0.5 => Regime::Bear,
            () => Regime::Sideways,
        }
    };
    let mut seen = [0; 4];
    for (sample, bars, row) in places(&data, &bars) {
        if row < 60 || row + horizon >= bars.len() {
            assert!(column.values[sample].is_nan());
        } else {
            assert_eq!(column.values[sample], regime(bars, row).index() as f32);
            seen[regime(bars, row).index()] += 1;
        }
        let past = (row >= 60 + horizon).then(|| regime(bars, row - horizon));
        assert_eq!(data.past_regime(sample as u32, 0), past);
    }
    assert!(seen.iter().all(|&count| count > 20), "{seen:?}");
    let fitted: u64 = class_counts.iter().sum();
    let volatile = class_counts[Regime::Volatile.index()] as f64 / fitted as f64;
    assert!((volatile - 0.25).abs() < 0.01, "a quarter of the train samples is volatile, here {volatile}");
    assert!(data.past_regime(0, 1).is_none());
}

#[test]
fn variance_below_the_floor_is_absent_and_counted() {
    let mut prices: Vec<f64> = walk("A", timeframe("5m"), 0..300, Span::ZERO, 4).close;
    prices[100..140].fill(80.0);
    prices[200] = prices[199] * (0.9 * VARIANCE_FLOOR.sqrt()).exp();
    let bars = closes("A", timeframe("5m"), &prices);
    let labels =
        [LabelSpec::LogRealizedVariance { horizon: 1 }, LabelSpec::LogRealizedVariance { horizon: 5 }];
    let data = prepare(vec![bars.clone()], &labels);
    assert_eq!(data.labels()[0].absent.below_floor, 40);
    assert_eq!(data.labels()[1].absent.below_floor, 35);
    for (sample, _, row) in places(&data, std::slice::from_ref(&bars)) {
        let still = (100..139).contains(&row) || row == 199 || row == 299;
        assert_eq!(data.labels()[0].values[sample].is_nan(), still, "row {row}");
    }
    assert!(data.labels().iter().all(|column| column.values.iter().all(|value| !value.is_infinite())));
}

/// The close says which symbol and bar it is, so that a label from the wrong row or symbol has the wrong number.
#[test]
fn labels_are_of_their_own_symbol_and_row() {
    let mark = |symbol: usize, row: usize| (1e-3 * row as f64 * (symbol + 1) as f64).exp();
    let bars: Vec<Bars> = (0..3)
        .map(|symbol| {
            let prices: Vec<f64> = (0..120 + 20 * symbol).map(|row| mark(symbol, row)).collect();
            closes(&format!("S{symbol}"), timeframe("5m"), &prices)
        })
        .collect();
    let data = prepare(bars.clone(), &[LabelSpec::LogReturn { horizon: 4, lag: 1 }]);
    for (sample, bars, row) in places(&data, &bars) {
        let symbol = data.windows().symbols()[sample] as usize;
        let value = f64::from(data.labels()[0].values[sample]);
        assert!(value.is_nan() == (row + 5 >= bars.len()));
        assert!(value.is_nan() || (value - 4e-3 * (symbol + 1) as f64).abs() < 1e-8);
        assert_eq!(data.close(sample as u32), mark(symbol, row));
        let past = data.past_return(sample as u32, 3);
        assert!(if row < 3 { past.is_nan() } else { (past - 3e-3 * (symbol + 1) as f64).abs() < 1e-12 });
    }
}

#[test]
fn a_label_of_no_bars_is_refused() {
    assert!(LabelSpec::LogReturn { horizon: 0, lag: 3 }.check().is_err());
    let spec: LabelSpec = serde_json::from_str(r#"{"kind": "log_return", "horizon": 3}"#).unwrap();
    assert_eq!(spec, LabelSpec::LogReturn { horizon: 3, lag: 0 });
    assert!(serde_json::from_str::<LabelSpec>(r#"{"kind": "log_return", "horizon": 3, "lags": 1}"#).is_err());
}
