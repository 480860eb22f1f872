use std::collections::BTreeMap;

use tapeline_events::TargetVerdict::{Met, Missed, NotScored, Undefined};

use super::{BoundsSpec, TargetsSpec};
use crate::error::TrainError;
use crate::small_network::tasks;

fn targets(bounds: &[(&str, Option<f64>, Option<f64>)]) -> TargetsSpec {
    let bounds = bounds.iter().map(|&(name, min, max)| (name.to_owned(), BoundsSpec { min, max }));
    TargetsSpec(bounds.collect())
}

fn verdict(min: Option<f64>, max: Option<f64>, value: Option<Option<f64>>) -> tapeline_events::TargetVerdict {
    let metrics: BTreeMap<_, _> = value.map(|value| ("m".to_owned(), value)).into_iter().collect();
    targets(&[("m", min, max)]).verdicts(&metrics)[0].verdict
}

#[test]
fn a_value_on_its_bound_meets_the_target() {
    let (low, high) = (Some(0.02), Some(0.5));
    for (value, expected) in
        [(0.02, Met), (0.019_999, Missed), (0.5, Met), (0.500_001, Missed), (-1.0, Missed)]
    {
        assert_eq!(verdict(low, high, Some(Some(value))), expected, "{value}");
    }
    assert_eq!(verdict(low, None, Some(Some(9.0))), Met);
    assert_eq!(verdict(None, high, Some(Some(-9.0))), Met);
}

#[test]
fn what_is_undefined_or_not_finite_meets_nothing() {
    for value in [None, Some(f64::NAN), Some(f64::INFINITY), Some(f64::NEG_INFINITY)] {
        assert_eq!(verdict(Some(0.0), None, Some(value)), Undefined, "{value:?}");
        assert_eq!(verdict(None, Some(0.0), Some(value)), Undefined, "{value:?}");
    }
    assert_eq!(verdict(Some(0.0), None, None), NotScored);
    assert!(Undefined.failed() && Missed.failed() && !Met.failed() && !NotScored.failed());
}

#[test]
fn every_fault_is_named_at_once() {
    let nothing_wrong = targets(&[
        ("validation/loss", None, Some(1.0)),
        ("test/price_prediction/h2/rank_ic_series", Some(0.02), None),
        ("train/regime_detection/h1/mcc", Some(0.1), Some(0.9)),
        ("training/epochs_to_best", None, Some(100.0)),
    ]);
    assert!(nothing_wrong.check(&tasks()).is_ok());
    let faults = targets(&[
        ("validation/los", Some(0.0), None),
        ("validation/loss", None, None),
        ("training/seconds", None, Some(60.0)),
        ("validation/price_prediction/h1/rmse", Some(2.0), Some(1.0)),
        ("validation/price_prediction/h1/r2_zero", Some(f64::NAN), None),
    ]);
    let report = faults.check(&tasks()).unwrap_err().to_string();
    for words in [
        "validation/los: this run will not have it; the nearest are validation/loss",
        "validation/loss: a target needs a bound",
        "training/seconds: this run will not have it; the nearest are train/loss, training/epochs_to_best",
        "rmse: no value is at least 2 and at most 1",
        "r2_zero.min: a bound is a finite number",
    ] {
        assert!(report.contains(words), "{words:?} is not in\n{report}");
    }
}

#[test]
fn a_score_over_symbols_needs_symbols() {
    let cross = targets(&[("validation/price_prediction/h1/rank_ic_cross", Some(0.01), None)]);
    assert!(cross.check_symbols(10).is_ok());
    let refused = cross.check_symbols(9);
    assert!(matches!(refused, Err(TrainError::UndefinedMetric { policy: "targets", symbols: 9, .. })));
    assert!(targets(&[("validation/loss", None, Some(1.0))]).check_symbols(1).is_ok());
}
