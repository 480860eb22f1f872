use std::collections::BTreeMap;
use std::fs;

use tapeline_data_pipeline::Timestamp;
use tapeline_hpo::{Direction, NewTrial, RawJson, Study, TrialState};

use super::deflation::{Deflated, null_deviation};
use super::looks::Looks;
use super::retrained::{Retrained, Row};
use super::standing::Standing;
use crate::config::Objective;
use crate::seen::Seen;

/// The values of `scripts/golden_deflation.py`, which gets Φ and Φ⁻¹ from Python's standard library.
#[test]
fn deflation_is_that_of_an_independent_computation() {
    for (best, trials, deviation, expected, probability) in [
        (0.08, 1, 0.02, 0.0, 0.999_968_328_758_166_9),
        (0.05, 2, 0.02, 0.010_395_106_885_611_878, 0.976_161_977_856_600_4),
        (0.05, 30, 0.02, 0.041_467_846_158_998_935, 0.665_167_452_909_629_5),
        (0.03, 1_000, 0.01, 0.032_551_215_136_527_23, 0.399_314_624_169_195_83),
    ] {
        let deflated = Deflated::of(best, trials, deviation);
        assert!((deflated.expected_of_luck - expected).abs() < 1e-9, "{deflated:?}");
        assert!((deflated.probability - probability).abs() < 1e-9, "{deflated:?}");
        assert!((deflated.score - (best - expected)).abs() < 1e-9, "{deflated:?}");
    }
}

/// Uniform in (0, 1): a linear congruential generator, the same on every machine.
fn noise(state: &mut u64) -> f64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    ((*state >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
}

/// A search over pure noise is not taken for a find (semantics, ways to be wrong, 10).
#[test]
fn the_best_of_noise_is_told_as_luck() {
    let mut state = 7;
    let mut normal = || {
        let (u, v) = (noise(&mut state), noise(&mut state));
        (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    };
    let studies = 200;
    let (mut finds, mut mean) = (0, 0.0);
    for _ in 0..studies {
        let best = (0..200).map(|_| 0.03 * normal()).fold(f64::MIN, f64::max);
        let deflated = Deflated::of(best, 200, 0.03);
        finds += usize::from(deflated.probability >= 0.95);
        mean += deflated.score / f64::from(studies);
    }
    assert!(finds <= 10, "{finds} of {studies} searches over noise found something");
    // What luck is expected to find is what it found, to a tenth of a deviation.
    assert!(mean.abs() < 0.1 * 0.03, "{mean}");
}

#[test]
fn what_a_score_of_nothing_varies_by_depends_on_overlap_and_symbols() {
    let of = |metric: &str, stride| null_deviation(metric, &[401, 401], stride);
    let series = of("validation/price_prediction/h1/rank_ic_series", 1).unwrap();
    assert!((series - 0.05).abs() < 1e-12, "{series}");
    // Outcomes over 4 bars, a decision each bar: a quarter of them is independent; a decision every 4 bars: all are.
    let overlapping = of("validation/price_prediction/h4/ic_series", 1).unwrap();
    assert!((overlapping - 1.0 / (401.0_f64 / 4.0 - 1.0).sqrt()).abs() < 1e-12);
    assert_eq!(of("validation/price_prediction/h4/ic_series", 4), Some(series));
    let cross = null_deviation("validation/price_prediction/h1/rank_ic_cross", &[100; 26], 1).unwrap();
    assert!((cross - 1.0 / (25.0 * 100.0_f64).sqrt()).abs() < 1e-12);
    for unknown in ["validation/loss", "training/seconds", "validation/price_prediction/h1/r2_zero"] {
        assert_eq!(of(unknown, 1), None, "{unknown}");
    }
}

#[test]
fn looks_of_studies_that_say_no_more_are_counted_by_bars() {
    let folder = tempfile::tempdir().unwrap();
    let looks = Looks::of(folder.path());
    assert_eq!(looks.of_others("bars", "first").unwrap(), 0);
    for (data, study, trial) in
        [("bars", "first", 0), ("bars", "first", 1), ("bars", "second", 0), ("other", "first", 2)]
    {
        looks.note(data, study, trial, "2026-01-01T00:00:00Z".into()).unwrap();
    }
    assert_eq!(looks.of_others("bars", "first").unwrap(), 1);
    assert_eq!(looks.of_others("bars", "third").unwrap(), 3);
    assert_eq!(looks.of_others("nothing", "first").unwrap(), 0);
}

#[test]
fn looks_are_counted_by_symbol_and_time_across_studies() {
    let folder = tempfile::tempdir().unwrap();
    let looks = Looks::of(folder.path());
    let at = |nanos: i64| Some(Timestamp::from_nanos(nanos));
    let seen = |data: &str, symbols: &[&str], from: i64, to: i64| Seen {
        symbols: symbols.iter().map(ToString::to_string).collect(),
        from: at(from),
        to: at(to),
        ..Seen::bars(data)
    };
    let first = seen("bars", &["A", "B"], 100, 200);
    for _ in 0..2 {
        looks.describe("one/first", &first).unwrap();
        looks.note("bars", "one/first", 0, "now".into()).unwrap();
    }
    assert_eq!(looks.of_others("bars", "one/first").unwrap(), 0);
    assert_eq!(looks.of_others("bars", "two/first").unwrap(), 2, "a namesake of another experiment");
    for (name, other, count) in [
        ("a day was appended, and the split moved with it", seen("more bars", &["A", "B"], 150, 250), 2),
        ("one symbol, one instant", seen("others", &["B", "C"], 200, 300), 2),
        ("the same bars, a later span", seen("bars", &["A", "B"], 201, 300), 0),
        ("another market", seen("others", &["C"], 100, 200), 0),
    ] {
        looks.describe(name, &other).unwrap();
        assert_eq!(looks.of_others(&other.data, name).unwrap(), count, "{name}");
    }
    // A study that says no more than its bars counts whatever was seen of them.
    assert_eq!(looks.of_others("bars", "old").unwrap(), 2);
    // Nothing was said twice.
    let list = folder.path().join("validation-looks.jsonl");
    assert_eq!(fs::read_to_string(&list).unwrap().lines().count(), 3 + 4);
    // Bars that nobody described, by a study that described others; and a line that was torn inside a character.
    looks.note("undescribed", "one/first", 1, "now".into()).unwrap();
    assert_eq!(looks.of_others("undescribed", "old").unwrap(), 1);
    fs::write(&list, [&fs::read(&list).unwrap()[..], b"{\"study\":\"\xc3"].concat()).unwrap();
    looks.note("undescribed", "old", 0, "now".into()).unwrap();
    assert_eq!(looks.of_others("undescribed", "one/old").unwrap(), 1, "its own, by the name it had before");
    assert_eq!(looks.of_others("undescribed", "one/new").unwrap(), 2);
}

#[test]
fn what_is_tried_again_is_not_counted_twice() {
    let study = Study::maximize("counts").create().unwrap();
    let state = |state| NewTrial {
        values: (state == TrialState::Complete).then(|| vec![1.0]),
        ..NewTrial::in_state(state)
    };
    study.add(&state(TrialState::Complete)).unwrap();
    study.add(&state(TrialState::Fail)).unwrap();
    study.add(&state(TrialState::Pruned)).unwrap();
    let mut again = state(TrialState::Complete);
    again.system_attributes.insert("retry_history".into(), RawJson::from_text("[1]"));
    study.add(&again).unwrap();
    study.add(&state(TrialState::Waiting)).unwrap();
    let standing = Standing::of(study.record(), &study.history().unwrap());
    let counts = (standing.complete, standing.failed, standing.pruned, standing.waiting, standing.spent);
    assert_eq!(counts, (2, 1, 1, 1, 3));
    assert_eq!(standing.best.unwrap().number, 0);
}

fn row(trial: u64, is_default: bool, scores: &[f64]) -> Row {
    let mut row = Row { trial, is_default, found: Some(1.0), values: BTreeMap::new(), runs: Vec::new() };
    for (seed, score) in scores.iter().enumerate() {
        row.push(seed as u64, Some(*score).filter(|score| score.is_finite()), format!("run-{seed}").as_ref());
    }
    row
}

#[test]
fn seeds_decide_by_their_mean_and_the_middle_run_wins() {
    let metric = |direction| Objective { metric: "validation/loss".into(), direction };
    let rows =
        || vec![row(0, true, &[3.0, 5.0]), row(7, false, &[6.0, 2.0, 4.0]), row(9, false, &[1.0, f64::NAN])];
    let table = Retrained::new(metric(Direction::Minimize), rows());
    let order: Vec<u64> = table.rows.iter().map(|row| row.trial).collect();
    assert_eq!(order, [0, 7, 9], "what is undefined with one seed comes last");
    assert_eq!(table.gain(), None);

    let rows = vec![row(0, true, &[3.0, 5.0]), row(7, false, &[6.0, 8.0, 10.0])];
    let table = Retrained::new(metric(Direction::Maximize), rows);
    let winner = table.winner().unwrap();
    assert_eq!((winner.trial, winner.mean(), winner.deviation()), (7, Some(8.0), Some(2.0)));
    assert_eq!(winner.middle_run().unwrap().to_str(), Some("run-1"));
    let (gain, error) = table.gain().unwrap();
    // √(2²/3 + √2²/2)
    assert!((gain - 4.0).abs() < 1e-12 && (error.unwrap() - (4.0_f64 / 3.0 + 1.0).sqrt()).abs() < 1e-12);
    assert!(
        table.text().contains("trial 7 is better than the default by +4.0000 ± 1.528"),
        "{}",
        table.text()
    );
}
