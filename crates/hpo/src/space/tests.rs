use super::{Space, SpaceSpec};
use crate::{Choice, FloatDistribution, HpoError, IntDistribution, Study};

fn spec(text: &str) -> Result<SpaceSpec, serde_json::Error> {
    serde_json::from_str(text)
}

#[test]
fn a_written_space_asks_parents_first_and_children_where_they_are() {
    let space = spec(
        r#"{
            "a.momentum": {"kind": "float", "low": 0.5, "high": 0.99, "when": {"optimizer": ["sgd"]}},
            "beta": {"kind": "float", "low": 0.5, "high": 0.99, "when": {"optimizer": ["adam"], "nested": [true]}},
            "nested": {"kind": "categorical", "choices": [true, false], "when": {"optimizer": ["adam"]}},
            "optimizer": {"kind": "categorical", "choices": ["sgd", "adam"]},
            "units": {"kind": "int", "low": 8, "high": 100, "step": 8}
        }"#,
    )
    .and_then(|spec| spec.check().map_err(serde::de::Error::custom))
    .unwrap();
    assert_eq!(space.names().collect::<Vec<_>>(), ["optimizer", "a.momentum", "nested", "beta", "units"]);
    assert_eq!(space.distribution("units"), Some(&IntDistribution::stepped(8, 96, 8).into()));

    let study = Study::minimize("s").create().unwrap();
    let mut sizes = std::collections::BTreeSet::new();
    study
        .optimize(40, |trial| {
            let given = space.suggest(trial)?;
            let sgd = given["optimizer"] == Choice::from("sgd");
            assert_eq!(sgd, given.contains_key("a.momentum"));
            assert_eq!(!sgd, given.contains_key("nested"));
            assert_eq!(given.get("nested") == Some(&Choice::Bool(true)), given.contains_key("beta"));
            assert_eq!(given.len(), trial.record().params.len());
            sizes.insert(given.len());
            Ok::<_, HpoError>(0.0)
        })
        .unwrap();
    assert_eq!(sizes.into_iter().collect::<Vec<_>>(), [3, 4]);
}

#[test]
fn every_fault_of_a_space_is_named() {
    let space = Space::builder()
        .param("down", FloatDistribution::new(2.0, 1.0))
        .param("zero", FloatDistribution::log(0.0, 1.0))
        .categorical("twice", ["a", "a"])
        .categorical("kind", ["a", "b"])
        .param_when("orphan", IntDistribution::new(0, 1), "parent", ["a"])
        .param_when("waits", IntDistribution::new(0, 1), "kind", ["c"])
        .build();
    let text = space.unwrap_err().to_string();
    for fault in [
        r#"parameter "down": low 2 is above high 1"#,
        r#"parameter "zero": low must be above 0"#,
        r#"parameter "twice": the choice a is there twice"#,
        r#"parameter "orphan" depends on "parent", which is not declared"#,
        r#"parameter "waits" waits for "kind" to be c, which it cannot be"#,
    ] {
        assert!(text.contains(fault), "{fault} in {text}");
    }
    let circle = Space::builder()
        .param_when("a", IntDistribution::new(0, 1), "b", [1])
        .param_when("b", IntDistribution::new(0, 1), "a", [1])
        .build();
    assert!(circle.unwrap_err().to_string().contains(r#""a", "b" wait for one another"#));
}

#[test]
fn a_mistyped_key_or_kind_is_refused() {
    for (text, named) in [
        (r#"{"x": {"kind": "float", "low": 0, "high": 1, "lgo": true}}"#, "lgo"),
        (r#"{"x": {"kind": "flaot", "low": 0, "high": 1}}"#, "flaot"),
        (r#"{"x": {"kind": "int", "low": 0.5, "high": 1}}"#, "0.5"),
        (r#"{"x": {"kind": "categorical"}}"#, "choices"),
    ] {
        let error = spec(text).unwrap_err().to_string();
        assert!(error.contains(named), "{named} in {error}");
    }
}

#[test]
fn a_space_is_written_as_it_was_read() {
    let text = r#"{"x":{"kind":"float","low":1e-5,"high":0.1,"log":true},"y":{"kind":"categorical","choices":["a",null,true,3,2.5],"when":{"x":[1]}}}"#;
    assert_eq!(serde_json::to_string(&spec(text).unwrap()).unwrap().replace("0.00001", "1e-5"), text);
}
