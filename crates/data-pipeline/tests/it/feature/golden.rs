//! Values from an independent formula: `scripts/golden_features.py`.

use std::collections::BTreeSet;

use serde::Deserialize;
use tapeline_data_pipeline::{Bar, Bars, FeatureSpec, Symbol, Timestamp};

use super::computed;
use crate::random_market::timeframe;

/// The values are rounded to nine decimals.
const TOLERANCE: f64 = 1e-6;
/// How far an average with an end may be from the textbook's endless one, as a share of the larger of value and 0.1.
const TEXTBOOK_TOLERANCE: f64 = 0.01;

#[derive(Deserialize)]
struct Golden {
    bars: Columns,
    cases: Vec<Case>,
    textbook: Vec<Textbook>,
}

#[derive(Deserialize)]
struct Columns {
    open_time: Vec<i64>,
    open: Vec<f64>,
    high: Vec<f64>,
    low: Vec<f64>,
    close: Vec<f64>,
    volume: Vec<f64>,
}

#[derive(Deserialize)]
struct Case {
    feature: FeatureSpec,
    channels: Vec<Vec<Option<f64>>>,
}

#[derive(Deserialize)]
struct Textbook {
    feature: FeatureSpec,
    last_row: Vec<f64>,
}

fn golden() -> (Golden, Bars) {
    let golden: Golden = serde_json::from_str(include_str!("../../golden/features.json")).unwrap();
    let columns = &golden.bars;
    let mut bars = Bars::with_capacity(Symbol::new("A"), timeframe("1h"), columns.open.len());
    for (row, &nanos) in columns.open_time.iter().enumerate() {
        let open_time = Timestamp::from_nanos(nanos);
        let close_time = open_time.plus(bars.timeframe.span());
        bars.push(Bar {
            open_time,
            close_time,
            available_at: close_time,
            open: columns.open[row],
            high: columns.high[row],
            low: columns.low[row],
            close: columns.close[row],
            volume: columns.volume[row],
        });
    }
    (golden, bars)
}

#[test]
fn features_equal_an_independent_formula() {
    let (golden, bars) = golden();
    for Case { feature, channels } in &golden.cases {
        let width = feature.feature().channels().len();
        assert_eq!(channels.len(), width, "{feature:?}");
        let values = computed(*feature, &bars);
        for (row, values) in values.chunks(width).enumerate() {
            for (value, expected) in values.iter().zip(channels.iter().map(|channel| channel[row])) {
                let near = expected.map_or(value.is_nan(), |expected| (value - expected).abs() < TOLERANCE);
                assert!(near, "{feature:?}, row {row}: {value} instead of {expected:?}");
            }
        }
    }
}

#[test]
fn every_feature_has_a_golden_value_for_its_defaults_and_for_other_parameters() {
    let (golden, _) = golden();
    let proven: BTreeSet<String> =
        golden.cases.iter().flat_map(|case| case.feature.channel_names()).collect();
    for spec in FeatureSpec::registered() {
        assert!(
            spec.channel_names().iter().all(|name| proven.contains(name)),
            "{spec:?} has no golden value"
        );
        let others = golden.cases.iter().filter(|case| case.feature.kind() == spec.kind()).count();
        let has_parameters = serde_json::to_value(spec).unwrap().is_object();
        assert_eq!(others, if has_parameters { 2 } else { 1 }, "{spec:?}");
    }
}

#[test]
fn averages_with_an_end_are_close_to_the_endless_ones_of_textbooks() {
    let (golden, bars) = golden();
    assert_eq!(golden.textbook.len(), 3);
    for Textbook { feature, last_row } in &golden.textbook {
        let values = computed(*feature, &bars);
        let last = &values[values.len() - last_row.len()..];
        for (value, expected) in last.iter().zip(last_row) {
            let difference = (value - expected).abs();
            assert!(
                difference < TEXTBOOK_TOLERANCE * expected.abs().max(0.1),
                "{feature:?}: {value}, not {expected}"
            );
        }
    }
}
