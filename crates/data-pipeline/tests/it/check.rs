use std::collections::BTreeMap;

use tapeline_data_pipeline::feature::Body;
use tapeline_data_pipeline::{
    DataSpec, RepairSpec, SequenceLengthSpec, Stamp, Symbol, SymbolsSpec, SyntheticSpec,
};

use crate::random_market::{span, timeframe};

fn paths(spec: &DataSpec) -> Vec<String> {
    let report = spec.check().unwrap_err();
    report.iter().map(|(path, _)| path.to_string()).collect()
}

#[test]
fn the_defaults_make_sense() {
    let pipeline = DataSpec::default().check().unwrap();
    let widths: Vec<_> = pipeline.inputs().iter().map(|layout| (layout.length, layout.width())).collect();
    assert_eq!(widths, [(60, 11), (60, 13), (60, 13)]);
    assert_eq!(
        pipeline.inputs()[1].channels,
        [
            "log_return",
            "range",
            "body",
            "upper_wick",
            "lower_wick",
            "volume",
            "realized_volatility",
            "time_of_day_sin",
            "time_of_day_cos",
            "missing",
            "recency",
            "age",
            "visible"
        ]
    );
}

#[test]
fn all_faults_are_found_at_once() {
    let mut spec = DataSpec {
        timeframes: vec![timeframe("15m"), timeframe("5m"), timeframe("1h"), timeframe("1h")],
        sequence_length: SequenceLengthSpec::Each(BTreeMap::from([
            (timeframe("15m"), 0),
            (timeframe("4h"), 3),
        ])),
        max_age: BTreeMap::from([(timeframe("15m"), span("1h")), (timeframe("2h"), span("1h"))]),
        max_gap: tapeline_data_pipeline::Span::from_nanos(-1),
        features: vec![Body.into(), Body.into()],
        repair: vec![RepairSpec::SortByTime, RepairSpec::SortByTime, RepairSpec::ForwardFill { max_bars: 0 }],
        stride: 0,
        ..DataSpec::default()
    };
    spec.scaling.clip = f64::NAN;
    spec.split.train = f64::INFINITY;
    spec.split.test = 0.0;
    spec.source.path = Some("bars".into());
    spec.source.symbols = SymbolsSpec::Only(vec![Symbol::new("A"), Symbol::new("A")]);
    spec.source.columns.low = "high".into();
    spec.source.columns.close = String::new();
    let mut found = paths(&spec);
    found.sort();
    let mut expected = [
        "source.stamp",
        "source.symbols[1]",
        "source.columns.low",
        "source.columns.close",
        "repair[1]",
        "repair[2].forward_fill.max_bars",
        "timeframes[1]",
        "timeframes[3]",
        "sequence_length.15m",
        "sequence_length.4h",
        "sequence_length.5m",
        "sequence_length.1h",
        "sequence_length.1h",
        "max_age.15m",
        "max_age.2h",
        "max_gap",
        "features[1]",
        "scaling.clip",
        "split.train",
        "split.test",
        "stride",
    ]
    .map(String::from);
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn each_impossible_value_is_refused() {
    type Change = fn(&mut DataSpec);
    let changes: [(&str, Change); 15] = [
        ("split", |spec| spec.split.train = 0.6),
        ("split.validation", |spec| spec.split.validation = -0.15),
        ("timeframes", |spec| spec.timeframes.clear()),
        ("features", |spec| spec.features.clear()),
        ("sequence_length", |spec| spec.sequence_length = SequenceLengthSpec::Same(0)),
        ("scaling.clip", |spec| spec.scaling.clip = 0.0),
        ("source.symbols", |spec| spec.source.symbols = SymbolsSpec::Only(Vec::new())),
        ("source.synthetic", |spec| {
            spec.source.path = Some("bars".into());
            spec.source.stamp = Some(Stamp::Open);
            spec.source.synthetic = Some(SyntheticSpec::default());
        }),
        ("source.synthetic.best_ic", |spec| {
            spec.source.synthetic = Some(SyntheticSpec { best_ic: 1.0, ..SyntheticSpec::default() });
        }),
        ("source.synthetic.best_ic", |spec| {
            spec.source.synthetic = Some(SyntheticSpec { best_ic: f64::NAN, ..SyntheticSpec::default() });
        }),
        ("source.synthetic.days", |spec| {
            spec.source.synthetic = Some(SyntheticSpec { days: 0, ..SyntheticSpec::default() });
        }),
        ("source.synthetic.symbols", |spec| {
            spec.source.synthetic = Some(SyntheticSpec { symbols: 0, ..SyntheticSpec::default() });
        }),
        ("source.synthetic.days", |spec| {
            spec.source.synthetic = Some(SyntheticSpec { days: usize::MAX, ..SyntheticSpec::default() });
        }),
        ("source.synthetic.symbols", |spec| {
            spec.source.synthetic = Some(SyntheticSpec { symbols: usize::MAX, ..SyntheticSpec::default() });
        }),
        ("source.synthetic.symbols", |spec| {
            let market = SyntheticSpec { symbols: 101, days: 1000, ..SyntheticSpec::default() };
            spec.source.synthetic = Some(market);
        }),
    ];
    for (path, change) in changes {
        let mut spec = DataSpec::default();
        change(&mut spec);
        assert_eq!(paths(&spec), [path]);
    }
}
