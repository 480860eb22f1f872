use tapeline_data_pipeline::feature::Body;
use tapeline_data_pipeline::{
    Bars, DataSpec, Dataset, Difficulty, LabelSpec, REGIME_VOLATILITY_BARS, SequenceLengthSpec, Span, Split,
};

use crate::random_market::{closes, timeframe, walk};

const LABELS: [LabelSpec; 3] = [
    LabelSpec::LogReturn { horizon: 4, lag: 1 },
    LabelSpec::LogRealizedVariance { horizon: 3 },
    LabelSpec::BullBearSidewaysVolatile { horizon: 6 },
];
const MAGNITUDE: Difficulty = Difficulty::LabelMagnitude { label: 0 };

fn prepare(bars: Vec<Bars>) -> Dataset {
    let spec = DataSpec {
        timeframes: vec![timeframe("5m")],
        sequence_length: SequenceLengthSpec::Same(2),
        features: vec![Body.into()],
        ..DataSpec::default()
    };
    spec.check().unwrap().prepare(bars, &LABELS).unwrap()
}

fn two_symbols() -> Vec<Bars> {
    vec![
        walk("A", timeframe("5m"), 0..400, Span::ZERO, 1),
        walk("B", timeframe("5m"), 150..500, Span::ZERO, 2),
    ]
}

#[test]
fn difficulties_equal_their_definitions() {
    let bars = two_symbols();
    let data = prepare(bars.clone());
    let mut known = 0;
    for &sample in data.samples(Split::Train) {
        let bars = &bars[data.windows().symbols()[sample as usize] as usize];
        let row = data.windows().end_rows(0)[sample as usize] as usize;
        let found = data.difficulty(sample, Difficulty::TrailingVolatility);
        let Some(first) = row.checked_sub(REGIME_VOLATILITY_BARS) else {
            assert_eq!(found, None, "sixty returns need a past");
            continue;
        };
        let squares = (first + 1..=row).map(|row| (bars.close[row] / bars.close[row - 1]).ln().powi(2));
        let volatility = (squares.sum::<f64>() / REGIME_VOLATILITY_BARS as f64).sqrt();
        assert!((found.unwrap() / volatility - 1.0).abs() < 1e-9);
        if let Some(magnitude) = data.difficulty(sample, MAGNITUDE) {
            let outcome = (bars.close[row + 5] / bars.close[row + 1]).ln().abs();
            assert!((magnitude - outcome / volatility).abs() < 1e-5 * (1.0 + magnitude));
            known += 1;
        }
    }
    assert!(known > 100, "{known}");
}

#[test]
fn what_ends_after_the_last_train_decision_is_not_known() {
    let data = prepare(two_symbols());
    let last = data.fitted().split.last_train_decision;
    let mut late = 0;
    for &sample in data.samples(Split::Train) {
        let at = sample as usize;
        let known = |label: usize| {
            let column = &data.labels()[label];
            column.end[at] <= last && !column.values[at].is_nan()
        };
        let past = data.difficulty(sample, Difficulty::TrailingVolatility).is_some();
        assert_eq!(data.difficulty(sample, MAGNITUDE).is_some(), known(0) && past);
        assert_eq!(data.known_regime(sample, 2).is_some(), known(2));
        late += u32::from(data.labels()[2].end[at] > last);
    }
    assert!(late > 0, "no label is late: the test says nothing");
    let sample = data.samples(Split::Train)[200];
    assert_eq!(data.difficulty(sample, Difficulty::LabelMagnitude { label: 1 }), None, "no return");
    assert_eq!(data.difficulty(sample, Difficulty::LabelMagnitude { label: 9 }), None, "no label");
    assert_eq!(data.known_regime(sample, 0), None, "no regimes");
    assert_eq!(data.difficulty(u32::MAX, Difficulty::TrailingVolatility), None, "no sample");
}

#[test]
fn a_price_that_stands_still_has_no_difficulty() {
    let mut prices: Vec<f64> = (0..400).map(|row| 100.0 + f64::from(row % 7)).collect();
    prices[100..200].fill(100.0);
    let data = prepare(vec![closes("A", timeframe("5m"), &prices)]);
    let still = |row: usize| {
        let mut samples = data.samples(Split::Train).iter();
        let sample = samples.find(|&&sample| data.windows().end_rows(0)[sample as usize] as usize == row);
        data.difficulty(*sample.unwrap(), Difficulty::TrailingVolatility)
    };
    assert!(still(99).is_some() && still(150).is_some());
    assert_eq!(still(180), None);
}
