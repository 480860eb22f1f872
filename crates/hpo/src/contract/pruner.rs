//! What every pruner must pass.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{
    Attributes, Direction, FrozenTrial, History, Pruner, RawJson, StudyId, StudyRecord, StudyView, Timestamp,
    TrialId, TrialState,
};

/// Checks all that follows, on histories of every kind.
///
/// # Panics
/// If the pruner does not do what every pruner must.
pub fn check(pruner: &dyn Pruner) {
    for direction in [Direction::Minimize, Direction::Maximize] {
        let study = StudyRecord {
            id: StudyId(1),
            name: "contract".to_owned(),
            directions: vec![direction],
            user_attributes: Attributes::new(),
            system_attributes: Attributes::new(),
        };
        for history in [History::default(), plain(30), odd(60)] {
            let view = StudyView { study: &study, history: &history };
            let number = history.trials().len() as u64;
            a_trial_without_reports_goes_on(pruner, view, number);
            for (place, curve) in curves().into_iter().enumerate() {
                an_answer_follows_from_the_arguments(pruner, view, &running(number, &curve), place);
            }
        }
    }
}

fn running(number: u64, curve: &[(i64, f64)]) -> FrozenTrial {
    FrozenTrial {
        id: TrialId(number as i64 + 1),
        number,
        state: TrialState::Running,
        values: None,
        params: BTreeMap::new(),
        intermediate: curve.iter().copied().collect(),
        user_attributes: Attributes::new(),
        system_attributes: Attributes::new(),
        started: None,
        completed: None,
    }
}

fn complete(number: u64, curve: &[(i64, f64)]) -> FrozenTrial {
    let trial = running(number, curve);
    FrozenTrial {
        state: TrialState::Complete,
        values: Some(vec![number as f64]),
        completed: Some(Timestamp(number as i64)),
        ..trial
    }
}

fn plain(count: u64) -> History {
    let mut history = History::default();
    let curve = |number: u64| -> Vec<(i64, f64)> {
        (0..10).map(|step| (step, (number * 7 % 13) as f64 - step as f64)).collect()
    };
    history.take_in((0..count).map(|number| Arc::new(complete(number, &curve(number)))));
    history
}

/// Trials in all states, with and without reports, times and notes that cannot be read.
fn odd(count: u64) -> History {
    let mut history = History::default();
    let curves = curves();
    history.take_in((0..count).map(|number| {
        let mut trial = complete(number, &curves[number as usize % curves.len()]);
        let states = [
            TrialState::Complete,
            TrialState::Pruned,
            TrialState::Fail,
            TrialState::Running,
            TrialState::Waiting,
        ];
        trial.state = states[number as usize % states.len()];
        if trial.state != TrialState::Complete {
            trial.values = None;
        }
        if number.is_multiple_of(3) {
            trial.completed = None;
        }
        let note = ["1.0", "NaN", "Infinity", "\"text\"", "[", "null"][number as usize % 6];
        for key in ["completed_rung_0", "completed_rung_1", "constraints:c", "constraints"] {
            if number.is_multiple_of(2) {
                trial.system_attributes.insert(key.to_owned(), RawJson::from_text(note));
            }
        }
        Arc::new(trial)
    }));
    history
}

fn curves() -> Vec<Vec<(i64, f64)>> {
    let (nan, inf) = (f64::NAN, f64::INFINITY);
    vec![
        vec![(0, 1.0)],
        vec![(0, nan)],
        vec![(0, nan), (1, nan), (2, nan), (3, nan)],
        vec![(0, inf), (1, -inf), (2, 0.0)],
        vec![(i64::MIN, 1.0), (-1, 2.0)],
        vec![(-3, 5.0), (0, 4.0), (i64::MAX, 3.0)],
        vec![(1, 1.0), (10, 1.0), (100, 1.0), (1_000_000_007, nan)],
        (0..200).map(|step| (step, f64::from((step * 37 % 101) as i32))).collect(),
        (0..60).map(|step| (step, 2.0)).collect(),
    ]
}

fn a_trial_without_reports_goes_on(pruner: &dyn Pruner, view: StudyView<'_>, number: u64) {
    let (verdict, _) = pruner.verdict(view, &running(number, &[]));
    assert!(!verdict, "{}: a trial that reported nothing is given up", pruner.name());
}

fn an_answer_follows_from_the_arguments(
    pruner: &dyn Pruner,
    view: StudyView<'_>,
    trial: &FrozenTrial,
    place: usize,
) {
    let first = pruner.verdict(view, trial);
    assert!(
        first == pruner.verdict(view, trial),
        "{}: asked twice about curve {place} it says two things",
        pruner.name()
    );
    // What a trial was noted with stays with it, whatever it is.
    let mut noted = trial.clone();
    noted.system_attributes.extend(first.1);
    let (_, more) = pruner.verdict(view, &noted);
    let rewritten = more.keys().find(|key| noted.system_attributes.contains_key(*key));
    assert_eq!(rewritten, None, "{}: a note on curve {place} is written twice", pruner.name());
    if let Some(siblings) = pruner.siblings(view, trial) {
        let unknown = siblings.iter().find(|number| view.history.trial(**number).is_none());
        assert_eq!(unknown, None, "{}: a sibling is no trial of the study", pruner.name());
    }
}
