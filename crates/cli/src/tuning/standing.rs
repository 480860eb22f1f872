//! Where a study stands: counts, the best so far, and how long the rest will take.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tapeline_hpo::{FrozenTrial, History, StudyRecord, StudyView, TrialState};

use super::attribute;

/// The system attribute with the numbers of those that a trial tries again.
const RETRIES: &str = "retry_history";

/// Where a study stands.
#[derive(Clone, Debug, Default)]
pub(crate) struct Standing {
    pub(crate) complete: usize,
    pub(crate) pruned: usize,
    pub(crate) failed: usize,
    pub(crate) running: usize,
    pub(crate) waiting: usize,
    /// Trials that ended and are not tried again: what counts towards the number of trials.
    pub(crate) spent: usize,
    /// The best trial of a study of one objective.
    pub(crate) best: Option<Arc<FrozenTrial>>,
    /// Trials that no other dominates, of a study of several.
    pub(crate) front: Vec<Arc<FrozenTrial>>,
    /// What a trial took, on average.
    pub(crate) mean: Option<Duration>,
}

impl Standing {
    pub(crate) fn of(study: &StudyRecord, history: &History) -> Self {
        let count = |state| history.in_state(state).count();
        let again: BTreeSet<u64> = history.trials().iter().flat_map(|trial| tries_again(trial)).collect();
        let finished = history.trials().iter().filter(|trial| trial.state.is_finished());
        let durations: Vec<f64> = finished.clone().filter_map(|trial| seconds(trial)).collect();
        let view = StudyView { study, history };
        let mean = durations.iter().sum::<f64>() / durations.len().max(1) as f64;
        let several = study.directions.len() > 1;
        Self {
            complete: count(TrialState::Complete),
            pruned: count(TrialState::Pruned),
            failed: count(TrialState::Fail),
            running: count(TrialState::Running),
            waiting: count(TrialState::Waiting),
            spent: finished.filter(|trial| !again.contains(&trial.number)).count(),
            best: if several { None } else { tapeline_hpo::best_trial(view) },
            front: if several { tapeline_hpo::pareto::front(view) } else { Vec::new() },
            mean: Duration::try_from_secs_f64(mean).ok().filter(|_| !durations.is_empty()),
        }
    }

    /// Time until `trials` are done, `side_by_side` at once.
    pub(crate) fn left(&self, trials: usize, side_by_side: usize) -> Option<Duration> {
        let rest = trials.saturating_sub(self.spent) as f64 / side_by_side.max(1) as f64;
        Some(self.mean?.mul_f64(rest))
    }
}

/// From when a worker took it until it was told.
pub(crate) fn seconds(trial: &FrozenTrial) -> Option<f64> {
    let (started, completed) = (trial.started?, trial.completed?);
    Some((completed.0 - started.0).max(0) as f64 / 1e6)
}

/// The numbers of those that `trial` tries again.
fn tries_again(trial: &FrozenTrial) -> Vec<u64> {
    let noted = trial.system_attributes.get(RETRIES);
    noted.and_then(|raw| serde_json::from_str(raw.as_str()).ok()).unwrap_or_default()
}

/// Who is on a running trial. One that tries another again has that one's notes until its own worker begins: the number tells.
pub(crate) fn worker(trial: &FrozenTrial) -> Option<String> {
    let noted = attribute::text(&trial.user_attributes, attribute::WORKER)?;
    Some(noted.strip_suffix(&format!("#{}", trial.number))?.to_owned())
}
