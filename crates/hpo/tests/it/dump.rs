//! What Optuna reads in a storage, held against what is read here.

use tapeline_hpo::{Attributes, Direction, Distribution, FrozenTrial, JsonValue, Storage, TrialState};

fn list(value: &JsonValue) -> &[JsonValue] {
    let JsonValue::Array(values) = value else { panic!("{value:?} is no list") };
    values
}

fn object(value: &JsonValue) -> &[(String, JsonValue)] {
    let JsonValue::Object(entries) = value else { panic!("{value:?} is no object") };
    entries
}

fn text(value: &JsonValue) -> &str {
    let JsonValue::Text(text) = value else { panic!("{value:?} is no text") };
    text
}

pub(crate) fn at<'a>(value: &'a JsonValue, key: &str) -> &'a JsonValue {
    value.get(key).unwrap_or_else(|| panic!("there is no {key:?} in {value:?}"))
}

/// Equal, NaN to NaN.
fn same(a: f64, b: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan())
}

/// Holds all studies of `storage` against Optuna's `dump` of it.
pub(crate) fn assert_read_alike(storage: &dyn Storage, dump: &JsonValue) {
    let dumped = list(dump);
    assert_eq!(storage.studies().unwrap().len(), dumped.len());
    for study in dumped {
        let name = text(at(study, "name"));
        let record = storage.study(name).unwrap();
        let directions: Vec<&str> = record
            .directions
            .iter()
            .map(|direction| if *direction == Direction::Minimize { "MINIMIZE" } else { "MAXIMIZE" })
            .collect();
        assert_eq!(directions, list(at(study, "directions")).iter().map(text).collect::<Vec<_>>(), "{name}");
        assert_notes(&record.user_attributes, at(study, "user"));
        assert_notes(&record.system_attributes, at(study, "system"));
        let trials = storage.trials(record.id, None, &[]).unwrap();
        let theirs = list(at(study, "trials"));
        assert_eq!(trials.len(), theirs.len(), "{name}");
        for (ours, theirs) in trials.iter().zip(theirs) {
            assert_trial(ours, theirs);
        }
    }
}

fn assert_notes(ours: &Attributes, theirs: &JsonValue) {
    let ours: Vec<(&str, String)> = ours
        .iter()
        .map(|(key, raw)| (key.as_str(), raw.parse().unwrap().to_raw().as_str().to_owned()))
        .collect();
    let theirs: Vec<(&str, String)> = object(theirs)
        .iter()
        .map(|(key, value)| (key.as_str(), value.to_raw().as_str().to_owned()))
        .collect();
    assert_eq!(ours, theirs);
}

fn assert_trial(ours: &FrozenTrial, theirs: &JsonValue) {
    let number = ours.number;
    assert_eq!(Some(number as f64), at(theirs, "number").number());
    let state = match ours.state {
        TrialState::Waiting => "WAITING",
        TrialState::Running => "RUNNING",
        TrialState::Complete => "COMPLETE",
        TrialState::Pruned => "PRUNED",
        TrialState::Fail => "FAIL",
    };
    assert_eq!(state, text(at(theirs, "state")), "trial {number}");
    match (&ours.values, at(theirs, "values")) {
        (None, JsonValue::Null) => {}
        (Some(ours), theirs) => {
            let theirs: Vec<f64> = list(theirs).iter().map(|value| value.number().unwrap()).collect();
            assert_eq!(*ours, theirs, "trial {number}");
        }
        (None, theirs) => panic!("trial {number} has {theirs:?} for Optuna and no values here"),
    }
    assert_eq!(ours.params.len(), object(at(theirs, "params")).len(), "trial {number}");
    for (name, theirs) in object(at(theirs, "params")) {
        let param = ours.params.get(name).unwrap_or_else(|| panic!("trial {number} has no {name:?}"));
        let distribution = Distribution::from_json(text(at(theirs, "distribution"))).unwrap();
        assert_eq!(param.distribution, distribution, "trial {number}, {name}");
        assert_eq!(Some(param.value), at(theirs, "internal").number(), "trial {number}, {name}");
        let external = param.distribution.external(param.value).unwrap();
        assert!(
            external.is_same_as(&at(theirs, "external").to_choice()),
            "trial {number}, {name}: {external:?}"
        );
    }
    let reports: Vec<(i64, f64)> = ours.intermediate.iter().map(|(step, value)| (*step, *value)).collect();
    let theirs_reports = list(at(theirs, "intermediate"));
    assert_eq!(reports.len(), theirs_reports.len(), "trial {number}");
    for ((step, value), theirs) in reports.into_iter().zip(theirs_reports) {
        assert_eq!(list(theirs)[0], JsonValue::Int(step), "trial {number}");
        let read = list(theirs)[1].number().unwrap();
        assert!(same(value, read), "trial {number}, step {step}: {value} here, {read} for Optuna");
    }
    assert_notes(&ours.user_attributes, at(theirs, "user"));
    assert_notes(&ours.system_attributes, at(theirs, "system"));
    for (time, key) in [(ours.started, "started"), (ours.completed, "completed")] {
        let theirs = match at(theirs, key) {
            JsonValue::Int(micros) => Some(*micros),
            _ => None,
        };
        assert_eq!(time.map(|time| time.0), theirs, "trial {number}, {key}");
    }
}
