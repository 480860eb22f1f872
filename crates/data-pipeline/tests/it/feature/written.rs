//! How features stand in a configuration.

use serde_json::{Value, json};
use tapeline_data_pipeline::feature::{
    FeatureSpec, LONGEST_LOOKBACK, LogReturn, Macd, RealizedVolatility, Rsi,
};
use tapeline_data_pipeline::{DataSpec, InputLayout};

use super::feature;

fn refusal(written: Value) -> String {
    serde_json::from_value::<FeatureSpec>(written).unwrap_err().to_string()
}

#[test]
fn a_kind_alone_is_the_feature_with_its_defaults() {
    for spec in FeatureSpec::registered() {
        assert_eq!(feature(json!(spec.kind())), spec);
        assert_eq!(feature(json!({ "kind": spec.kind() })), spec);
        assert_eq!(feature(serde_json::to_value(spec).unwrap()), spec, "spelled out");
    }
}

#[test]
fn names_and_maps_stand_in_one_list() {
    let written =
        json!({"features": ["log_return", {"kind": "rsi", "period": 21}, {"kind": "macd", "slow": 30}]});
    let spec: DataSpec = serde_json::from_value(written).unwrap();
    let expected = [LogReturn.into(), Rsi { period: 21 }.into(), Macd { slow: 30, ..Macd::default() }.into()];
    assert_eq!(spec.features, expected);
    assert_eq!(
        serde_json::to_string(&spec.features).unwrap(),
        r#"["log_return",{"kind":"rsi","period":21},{"kind":"macd","fast":12,"slow":30,"signal":9}]"#
    );
    let inputs = spec.check().unwrap();
    let channels = |layout: &InputLayout| layout.channels[..4].to_vec();
    assert_eq!(
        channels(&inputs.inputs()[0]),
        ["log_return", "rsi(period=21)", "macd(slow=30)", "macd_histogram(slow=30)"]
    );
}

#[test]
fn the_default_features_are_the_eight_of_the_first_configurations() {
    let names: Vec<_> = DataSpec::default().features.iter().flat_map(FeatureSpec::channel_names).collect();
    let expected = [
        "log_return",
        "range",
        "body",
        "upper_wick",
        "lower_wick",
        "volume",
        "realized_volatility",
        "time_of_day_sin",
        "time_of_day_cos",
    ];
    assert_eq!(names, expected);
    assert_eq!(FeatureSpec::DEFAULT[6], RealizedVolatility::default().into());
}

#[test]
fn what_is_not_a_feature_is_refused_by_name() {
    assert!(refusal(json!("rsy")).contains("unknown variant `rsy`"), "{}", refusal(json!("rsy")));
    assert!(refusal(json!({"kind": "rsi", "bars": 3})).contains("unknown field `bars`, expected `period`"));
    assert!(refusal(json!({"kind": "log_return", "bars": 3})).contains("LogReturn"));
    assert!(refusal(json!({"period": 3})).contains("missing field `kind`"));
    assert!(refusal(json!(14)).contains("a feature such as log_return or {kind: rsi, period: 14}"));
}

#[test]
fn impossible_parameters_are_all_named_with_their_places() {
    let impossible = [
        json!({"kind": "rsi", "period": 1}),
        json!("log_return"),
        json!({"kind": "yang_zhang", "bars": 1}),
        json!({"kind": "momentum", "bars": 0}),
        json!({"kind": "macd", "fast": 30, "signal": 0}),
        json!({"kind": "parkinson", "bars": LONGEST_LOOKBACK + 1}),
        json!("log_return"),
    ];
    let spec = DataSpec { features: impossible.map(feature).to_vec(), ..DataSpec::default() };
    let faults = spec.check().unwrap_err().to_string();
    for expected in [
        "features[0].period: must be at least 2 bars",
        "features[2].bars: must be at least 2 bars",
        "features[3].bars: must be at least 1 bar",
        "features[4].slow: must be at least 31 bars",
        "features[4].signal: must be at least 1 bar",
        "features[5].bars: must be at most 10080 bars",
        "features[6]: is there twice",
    ] {
        assert!(faults.lines().any(|line| line == expected), "{expected} is missing in\n{faults}");
    }
    assert_eq!(faults.lines().count(), 7, "{faults}");
}

#[test]
fn the_schema_knows_every_kind_and_parameter() {
    let schema = serde_json::to_value(schemars::schema_for!(FeatureSpec)).unwrap();
    let forms = schema["anyOf"].as_array().unwrap();
    let registered = FeatureSpec::registered();
    assert_eq!(forms.len(), registered.len() + 1);
    let kinds: Vec<_> = registered.iter().map(FeatureSpec::kind).collect();
    assert_eq!(forms[0]["enum"], json!(kinds));
    for (form, spec) in forms[1..].iter().zip(&registered) {
        let properties = form["properties"].as_object().unwrap();
        assert_eq!(properties["kind"]["const"], json!(spec.kind()));
        let written = serde_json::to_value(spec).unwrap();
        for (name, value) in written.as_object().into_iter().flatten().filter(|(name, _)| *name != "kind") {
            assert_eq!(&properties[name]["default"], value, "{spec:?}");
            assert!(properties[name]["description"].is_string(), "{spec:?}");
        }
    }
}
