//! Verdicts against Optuna 5.0 (`scripts/golden_search.py`), and what the documentation says of NaN.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use super::{Pruner, PrunerSpec};
use crate::{
    Attributes, Direction, FrozenTrial, History, RawJson, StudyId, StudyRecord, StudyView, Timestamp,
    TrialId, TrialState,
};

/// SplitMix64 (Steele, Lea and Flood, 2014): the script draws the same.
struct Draws(u64);

impl Draws {
    fn below(&mut self, count: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % count
    }
}

fn study(name: &str, direction: Direction) -> StudyRecord {
    StudyRecord {
        id: StudyId(1),
        name: name.to_owned(),
        directions: vec![direction],
        user_attributes: Attributes::new(),
        system_attributes: Attributes::new(),
    }
}

fn running(number: u64) -> FrozenTrial {
    FrozenTrial {
        id: TrialId(number as i64 + 1),
        number,
        state: TrialState::Running,
        values: None,
        params: BTreeMap::new(),
        intermediate: BTreeMap::new(),
        user_attributes: Attributes::new(),
        system_attributes: Attributes::new(),
        started: None,
        completed: None,
    }
}

fn reporting(number: u64, values: &[f64]) -> FrozenTrial {
    let intermediate = values.iter().enumerate().map(|(step, value)| (step as i64, *value)).collect();
    FrozenTrial { intermediate, ..running(number) }
}

fn complete(number: u64, values: &[f64]) -> Arc<FrozenTrial> {
    let completed = Some(Timestamp(number as i64));
    let trial = FrozenTrial { completed, ..reporting(number, values) };
    Arc::new(FrozenTrial { state: TrialState::Complete, values: Some(vec![number as f64]), ..trial })
}

struct Active {
    trial: FrozenTrial,
    level: u64,
    reports: u64,
    step: i64,
    /// Whether some reports are no finite numbers.
    torn: bool,
}

/// The study of the script's `verdicts`, one character a report.
fn verdicts(pruner: &dyn Pruner, index: u64) -> String {
    let mut draws = Draws(index);
    let direction = if draws.below(2) == 0 { Direction::Minimize } else { Direction::Maximize };
    let at_once = 1 + draws.below(4) as usize;
    let study = study(&format!("größe-{index}"), direction);
    let mut history = History::default();
    let (mut active, mut begun, mut bits, mut clock) = (Vec::<Active>::new(), 0, String::new(), 0);
    while begun < 25 || !active.is_empty() {
        if begun < 25 && active.len() < at_once {
            let (level, mut reports, step) = (draws.below(24), 1 + draws.below(12), draws.below(2) as i64);
            let torn = draws.below(2) == 1;
            if draws.below(6) == 0 {
                reports += 10;
            }
            active.push(Active { trial: running(begun), level, reports, step, torn });
            begun += 1;
            continue;
        }
        let slot = draws.below(active.len() as u64) as usize;
        let Active { trial, level, reports, step, torn } = &mut active[slot];
        let (kind, noise) = (draws.below(40), draws.below(16));
        let value = match if *torn { kind } else { u64::MAX } {
            0 | 1 => f64::NAN,
            2 => f64::INFINITY,
            3 => f64::NEG_INFINITY,
            _ => (*level as f64 + noise as f64 - (*step).min(12) as f64) / 8.0,
        };
        trial.intermediate.insert(*step, value);
        history.take_in([Arc::new(trial.clone())]);
        let (given_up, notes) = pruner.verdict(StudyView { study: &study, history: &history }, trial);
        bits.push(if given_up { '1' } else { '0' });
        trial.system_attributes.extend(notes);
        *reports -= 1;
        *step += 1 + if draws.below(4) == 0 { draws.below(4) as i64 } else { 0 };
        let mut ended = None;
        if given_up && draws.below(4) != 0 {
            ended = Some(TrialState::Pruned);
        } else if *reports == 0 {
            if draws.below(8) == 0 {
                trial.system_attributes.insert("constraints:c".to_owned(), RawJson::from_number(1.0));
            }
            ended = Some(if draws.below(12) == 0 { TrialState::Fail } else { TrialState::Complete });
        }
        if let Some(state) = ended {
            clock += 1;
            trial.state = state;
            trial.completed = Some(Timestamp(clock));
            trial.values =
                (state == TrialState::Complete).then(|| vec![(*level * 1000 + trial.number) as f64 / 8.0]);
            history.take_in([Arc::new(active.remove(slot).trial)]);
        } else {
            history.take_in([Arc::new(trial.clone())]);
        }
    }
    bits
}

#[derive(Deserialize)]
struct Member {
    spec: PrunerSpec,
    studies: Vec<String>,
}

#[test]
fn verdicts_are_those_of_optuna() {
    let members: Vec<Member> = serde_json::from_str(include_str!("../../tests/golden/pruners.json")).unwrap();
    assert_eq!(members.len(), 16);
    for Member { spec, studies } in members {
        let pruner = spec.check().unwrap();
        assert_eq!(studies.len() * 25, 1000);
        for (index, packed) in studies.iter().enumerate() {
            let (count, digits) = packed.split_once(':').unwrap();
            let mut expected: String =
                digits.chars().map(|digit| format!("{:04b}", digit.to_digit(16).unwrap())).collect();
            expected.truncate(count.parse().unwrap());
            assert_eq!(verdicts(pruner.as_ref(), index as u64), expected, "study {index} under {spec:?}");
        }
    }
}

fn verdict(spec: &str, others: &[Arc<FrozenTrial>], trial: &FrozenTrial) -> bool {
    let spec: PrunerSpec = serde_json::from_str(spec).unwrap();
    let study = study("s", Direction::Minimize);
    let mut history = History::default();
    history.take_in(others.iter().cloned());
    spec.check().unwrap().verdict(StudyView { study: &study, history: &history }, trial).0
}

const NAN: f64 = f64::NAN;

#[test]
fn nan_is_treated_as_each_pruner_says() {
    let median = r#"{"kind":"median","startup_trials":1}"#;
    assert!(verdict(median, &[complete(0, &[1.0])], &reporting(1, &[NAN])));
    assert!(
        !verdict(median, &[complete(0, &[1.0, 1.0])], &reporting(1, &[1.0, NAN])),
        "the best of all counts"
    );
    assert!(!verdict(median, &[complete(0, &[NAN])], &reporting(1, &[9.0])), "nothing to compare with");

    let halving = r#"{"kind":"successive_halving","min_resource":1}"#;
    assert!(verdict(halving, &[], &reporting(1, &[0.0, NAN])));
    assert!(!verdict(halving, &[], &reporting(1, &[NAN, 0.0])));

    let best = complete(0, &[1.0; 8]);
    let worse = [2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0];
    assert!(verdict(r#"{"kind":"wilcoxon"}"#, std::slice::from_ref(&best), &reporting(1, &worse)));
    let mut torn = worse;
    torn[3] = NAN;
    assert!(!verdict(r#"{"kind":"wilcoxon"}"#, std::slice::from_ref(&best), &reporting(1, &torn)));
    torn[3] = f64::INFINITY;
    assert!(!verdict(r#"{"kind":"wilcoxon"}"#, &[best], &reporting(1, &torn)));

    let patient = r#"{"kind":"patient","patience":1}"#;
    assert!(verdict(patient, &[], &reporting(1, &[1.0, 2.0, NAN])));
    assert!(!verdict(patient, &[], &reporting(1, &[1.0, NAN, NAN])), "no later report to compare with");
    assert!(verdict(r#"{"kind":"threshold","upper":1.0}"#, &[], &reporting(1, &[NAN])));
}

#[test]
fn a_trial_without_reports_is_never_given_up() {
    for spec in [
        r#"{"kind":"median","startup_trials":0}"#,
        r#"{"kind":"successive_halving"}"#,
        r#"{"kind":"hyperband"}"#,
        r#"{"kind":"wilcoxon"}"#,
        r#"{"kind":"patient","patience":0}"#,
        r#"{"kind":"threshold","lower":1.0}"#,
        r#"{"kind":"nop"}"#,
    ] {
        assert!(!verdict(spec, &[complete(0, &[1.0])], &running(1)), "{spec}");
    }
}

#[test]
fn running_trials_are_no_yardstick_of_the_median() {
    // Seven that run are far better at this step; only the complete one counts.
    let mut others: Vec<_> = (1..8).map(|number| Arc::new(reporting(number, &[0.0]))).collect();
    others.insert(0, complete(0, &[5.0]));
    assert!(!verdict(r#"{"kind":"median","startup_trials":1}"#, &others, &reporting(9, &[4.0])));
}

#[test]
fn what_is_derived_from_the_first_complete_trial_stays() {
    // Trial 0 ran 9 steps; that later ones run 900 changes no bracket.
    let study = study("s", Direction::Minimize);
    let pruner = serde_json::from_str::<PrunerSpec>(r#"{"kind":"hyperband"}"#).unwrap().check().unwrap();
    let mut history = History::default();
    let siblings = |history: &History| pruner.siblings(StudyView { study: &study, history }, &running(50));
    assert_eq!(siblings(&history), None);
    history.take_in((0..40).map(|number| complete(number, &[0.0; 9])));
    let before = siblings(&history).unwrap();
    assert!(!before.is_empty() && before.len() < 40);
    history.take_in([complete(40, &vec![0.0; 900])]);
    let mut after = siblings(&history).unwrap();
    after.retain(|number| *number < 40);
    assert_eq!(after, before);
}

#[test]
fn signed_ranks_are_those_of_scipy() {
    #[derive(Deserialize)]
    struct Case {
        differences: Vec<f64>,
        p: f64,
    }
    let cases: Vec<Case> = serde_json::from_str(include_str!("../../tests/golden/signed_rank.json")).unwrap();
    assert_eq!(cases.len(), 27);
    for Case { differences, p } in cases {
        let ours = super::wilcoxon::upper_tail(&differences);
        assert!((ours - p).abs() < 1e-12, "{ours} for {p} of {differences:?}");
    }
}

#[test]
fn every_fault_of_a_spec_is_named_with_its_path() {
    let spec: PrunerSpec = serde_json::from_str(
        r#"{"kind":"patient","patience":1,"min_delta":-1.0,"wrapped":{"kind":"hyperband","max_resource":0,"reduction_factor":1}}"#,
    )
    .unwrap();
    let Err(report) = spec.check() else { panic!("it was taken") };
    assert_eq!(
        report.to_string(),
        "min_delta: must be at least 0\nwrapped.max_resource: must be at least min_resource and at most 2^40\n\
         wrapped.reduction_factor: must be at least 2\n"
    );
    assert!(serde_json::from_str::<PrunerSpec>(r#"{"kind":"median","startup":1}"#).is_err());
}

#[test]
fn a_bracket_follows_from_the_name_of_the_study_and_the_number_of_the_trial() {
    // Brackets 0 to 3 get 27, 12, 6 and 4 of 49 trials. In Python, with `from binascii import crc32`:
    // [sum(crc32(f"größe_{n}".encode()) % 49 >= end for end in (27, 39, 45)) for n in range(16)]
    let expected = [1, 2, 0, 0, 2, 0, 0, 0, 0, 0, 1, 0, 0, 3, 0, 1];
    let spec = r#"{"kind":"hyperband","min_resource":1,"max_resource":27,"reduction_factor":3}"#;
    let pruner = serde_json::from_str::<PrunerSpec>(spec).unwrap().check().unwrap();
    let study = study("größe", Direction::Minimize);
    let mut history = History::default();
    history.take_in((0..16).map(|number| Arc::new(running(number))));
    for (number, bracket) in expected.iter().enumerate() {
        let siblings =
            pruner.siblings(StudyView { study: &study, history: &history }, &running(number as u64));
        let alike = (0..16).filter(|other| expected[*other as usize] == *bracket).collect();
        assert_eq!(siblings, Some(alike), "trial {number}");
    }
}
