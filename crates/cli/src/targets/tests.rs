use tapeline_events::{TargetOutcome, TargetVerdict};

use super::{render, require};

fn outcome(
    metric: &str,
    bounds: (Option<f64>, Option<f64>),
    value: Option<f64>,
    verdict: TargetVerdict,
) -> TargetOutcome {
    TargetOutcome { metric: metric.into(), min: bounds.0, max: bounds.1, value, verdict }
}

fn outcomes() -> Vec<TargetOutcome> {
    vec![
        outcome("test/loss", (None, Some(0.9)), None, TargetVerdict::NotScored),
        outcome("training/epochs_to_best", (None, Some(100.0)), Some(4.0), TargetVerdict::Met),
        outcome(
            "validation/price_prediction/h12/rank_ic_cross",
            (Some(0.02), None),
            None,
            TargetVerdict::Undefined,
        ),
        outcome(
            "validation/price_prediction/h12/rank_ic_series",
            (Some(0.02), Some(0.5)),
            Some(-0.012_34),
            TargetVerdict::Missed,
        ),
    ]
}

#[test]
fn a_table_shows_every_target() {
    let table = render(&outcomes());
    let rows: Vec<String> =
        table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(rows[1], "target bound value verdict");
    for row in [
        "test/loss ≤ 0.9000 – not scored yet",
        "training/epochs_to_best ≤ 100 4 met",
        "validation/price_prediction/h12/rank_ic_cross ≥ 0.02000 – undefined",
        "validation/price_prediction/h12/rank_ic_series 0.02000 to 0.5000 −0.01234 missed",
    ] {
        assert!(rows.iter().any(|line| line == row), "{row:?} is not in\n{table}");
    }
    assert_eq!(render(&[]), "");
}

#[test]
fn what_is_required_and_not_met_is_an_error_that_names_it() {
    let error = require(&outcomes()).unwrap_err();
    assert_eq!(error.code(), 1);
    assert_eq!(
        error.message(),
        "2 of 4 targets are not met: validation/price_prediction/h12/rank_ic_cross is –, wanted ≥ 0.02000; \
         validation/price_prediction/h12/rank_ic_series is −0.01234, wanted 0.02000 to 0.5000"
    );
    assert!(require(&outcomes()[..2]).is_ok(), "an open target is no miss");
}
