use tapeline_data_pipeline::feature::Body;
use tapeline_data_pipeline::{
    DataError, DataSpec, Fitted, LabelSpec, Pipeline, ScalingKind, SequenceLengthSpec, Span, Timestamp,
};

use crate::random_market::{Random, timeframe, walk};

const LABELS: [LabelSpec; 3] = [
    LabelSpec::LogReturn { horizon: 3, lag: 0 },
    LabelSpec::LogRealizedVariance { horizon: 3 },
    LabelSpec::BullBearSidewaysVolatile { horizon: 3 },
];

fn pipeline(kind: ScalingKind) -> Pipeline {
    let mut spec = DataSpec {
        timeframes: vec![timeframe("5m"), timeframe("15m")],
        sequence_length: SequenceLengthSpec::Same(4),
        ..DataSpec::default()
    };
    spec.scaling.kind = kind;
    spec.check().unwrap()
}

fn two_symbols() -> Vec<tapeline_data_pipeline::Bars> {
    vec![
        walk("A", timeframe("5m"), 0..900, Span::ZERO, 1),
        walk("B", timeframe("5m"), 200..1000, Span::ZERO, 2),
    ]
}

/// log returns of rows that a table uses (past the warm-up of 20) and that are available by `until`, in f32 as tables are.
fn known_returns(bars: &[tapeline_data_pipeline::Bars], until: Timestamp) -> Vec<f64> {
    let of_symbol = |bars: &tapeline_data_pipeline::Bars| {
        (20..bars.len())
            .filter(|&row| bars.available_at[row] <= until)
            .map(|row| f64::from((bars.close[row] / bars.close[row - 1]).ln() as f32))
            .collect::<Vec<_>>()
    };
    bars.iter().flat_map(of_symbol).collect()
}

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}

fn middle(sorted: &[f64]) -> f64 {
    (sorted[(sorted.len() - 1) / 2] + sorted[sorted.len() / 2]) / 2.0
}

#[test]
fn scales_equal_their_definitions_on_train_rows() {
    let bars = two_symbols();
    for kind in [ScalingKind::Robust, ScalingKind::Standard] {
        let data = pipeline(kind).prepare(bars.clone(), &LABELS).unwrap();
        let values = sorted(known_returns(&bars, data.fitted().split.last_train_decision));
        let fitted = &data.fitted().scaler.timeframes[0];
        assert_eq!(fitted.rows, values.len() as u64);
        let scale = fitted.channels[0].scale.unwrap();
        assert_eq!(scale.kind, kind);
        let (centre, spread) = match kind {
            ScalingKind::Robust => {
                let centre = middle(&values);
                (
                    centre,
                    1.4826 * middle(&sorted(values.iter().map(|value| (value - centre).abs()).collect())),
                )
            }
            ScalingKind::Standard => {
                let mean = values.iter().sum::<f64>() / values.len() as f64;
                let squares: f64 =
                    values.iter().map(|value| value * value).sum::<f64>() / values.len() as f64;
                (mean, (squares - mean * mean).sqrt())
            }
        };
        assert!((scale.centre - centre).abs() < 1e-12, "{} instead of {centre}", scale.centre);
        assert!((scale.spread / spread - 1.0).abs() < 1e-9, "{} instead of {spread}", scale.spread);

        let row = 500;
        let raw = f64::from((bars[0].close[row] / bars[0].close[row - 1]).ln() as f32);
        let expected = ((raw - centre) / spread).clamp(-5.0, 5.0);
        assert!((f64::from(data.tables()[0][0].row(row)[0]) - expected).abs() < 1e-5);
    }
}

#[test]
fn phases_counts_ages_and_flags_are_never_scaled() {
    let data = pipeline(ScalingKind::Robust).prepare(two_symbols(), &LABELS).unwrap();
    for fitted in &data.fitted().scaler.timeframes {
        let unscaled: Vec<_> = fitted
            .channels
            .iter()
            .filter(|channel| channel.scale.is_none())
            .map(|channel| channel.channel.as_str())
            .collect();
        let mut expected = vec!["time_of_day_sin", "time_of_day_cos", "missing", "recency"];
        if fitted.timeframe != timeframe("5m") {
            expected.extend(["age", "visible"]);
        }
        assert_eq!(unscaled, expected);
    }
}

#[test]
fn where_most_values_are_one_value_the_standard_deviation_is_used() {
    let mut bars = two_symbols();
    let mut random = Random(5);
    for bars in &mut bars {
        for row in 0..bars.len() {
            if random.unit() < 0.8 {
                bars.high[row] = bars.open[row].max(bars.close[row]);
            }
        }
    }
    let data = pipeline(ScalingKind::Robust).prepare(bars, &LABELS).unwrap();
    let fitted = &data.fitted().scaler.timeframes[0];
    let wick = fitted.channels.iter().find(|channel| channel.channel == "upper_wick").unwrap();
    assert_eq!(wick.scale.unwrap().kind, ScalingKind::Standard);
    assert_eq!(fitted.channels[0].scale.unwrap().kind, ScalingKind::Robust);
}

#[test]
fn one_price_with_its_point_in_the_wrong_place_does_not_end_the_robust_scale() {
    let mut bars = two_symbols();
    let scale = |bars: &[tapeline_data_pipeline::Bars]| {
        let data = pipeline(ScalingKind::Robust).prepare(bars.to_vec(), &LABELS).unwrap();
        data.fitted().scaler.timeframes[0].channels[0].scale.unwrap()
    };
    let clean = scale(&bars);
    let slipped = &mut bars[0];
    for column in [&mut slipped.open, &mut slipped.high, &mut slipped.low, &mut slipped.close] {
        column[400] *= 1000.0;
    }
    let slipped = scale(&bars);
    assert_eq!(slipped.kind, ScalingKind::Robust);
    assert!((slipped.spread / clean.spread - 1.0).abs() < 0.01, "{slipped:?} beside {clean:?}");
}

#[test]
fn a_constant_channel_becomes_zero() {
    let mut bars = two_symbols();
    bars.iter_mut().for_each(|bars| bars.volume.fill(12.0));
    let data = pipeline(ScalingKind::Robust).prepare(bars, &LABELS).unwrap();
    let volume = data.inputs()[0].channels.iter().position(|channel| channel == "volume").unwrap();
    let table = &data.tables()[0][0];
    assert!((0..table.rows()).all(|row| table.row(row)[volume].abs() < 1e-6));
}

#[test]
fn nothing_fitted_depends_on_bars_after_the_last_train_decision() {
    let bars = two_symbols();
    let pipeline = pipeline(ScalingKind::Robust);
    let clean = pipeline.prepare(bars.clone(), &LABELS).unwrap();
    let until = clean.fitted().split.last_train_decision;
    let mut poisoned = bars;
    for bars in &mut poisoned {
        for row in (0..bars.len()).filter(|&row| bars.available_at[row] > until) {
            for column in [&mut bars.open, &mut bars.high, &mut bars.low, &mut bars.close, &mut bars.volume] {
                column[row] *= 1e6 * (1 + row % 3) as f64;
            }
        }
    }
    let after = pipeline.prepare(poisoned, &LABELS).unwrap();
    let bytes = |data: &tapeline_data_pipeline::Dataset| serde_json::to_vec(data.fitted()).unwrap();
    assert_eq!(bytes(&clean), bytes(&after));
}

#[test]
fn what_was_fitted_survives_a_round_trip_and_is_applied_as_it_is() {
    let pipeline = pipeline(ScalingKind::Robust);
    let data = pipeline.prepare(two_symbols(), &LABELS).unwrap();
    let stored = serde_json::to_string(data.fitted()).unwrap();
    let fitted: Fitted = serde_json::from_str(&stored).unwrap();
    assert_eq!(data.fitted(), &fitted);

    let again = pipeline.prepare_with(two_symbols(), &LABELS, &fitted).unwrap();
    assert_eq!(serde_json::to_string(again.fitted()).unwrap(), stored);
    assert_eq!(again.labels()[1].values.len(), data.labels()[1].values.len());
    for split in tapeline_data_pipeline::Split::ALL {
        assert_eq!(again.samples(split), data.samples(split));
    }
    let bits = |data: &tapeline_data_pipeline::Dataset| {
        data.tables()[1][1].values().iter().map(|value| value.to_bits()).collect::<Vec<_>>()
    };
    assert_eq!(bits(&again), bits(&data));

    let with_labels = |labels: &[LabelSpec]| pipeline.prepare_with(two_symbols(), labels, &fitted);
    let swapped = [LABELS[1], LABELS[0], LABELS[2]];
    let longer = [LABELS[0], LABELS[1], LabelSpec::BullBearSidewaysVolatile { horizon: 4 }];
    for other in [&LABELS[..2], &swapped, &longer] {
        assert!(matches!(with_labels(other), Err(DataError::ApplyFitted { .. })), "{other:?}");
    }
    let mut mismatched = fitted.clone();
    mismatched.labels[0].fitted = fitted.labels[2].fitted.clone();
    let result = pipeline.prepare_with(two_symbols(), &LABELS, &mismatched);
    assert!(matches!(result, Err(DataError::ApplyFitted { .. })));
    let mut wider = pipeline.spec().clone();
    wider.features = vec![Body.into()];
    assert!(wider.check().unwrap().prepare_with(two_symbols(), &LABELS, &fitted).is_err());
}
