//! What a person sees while trials run: a line for each that ends, and where the study stands.

use std::collections::BTreeSet;
use std::time::Duration;

use tapeline_hpo::{FrozenTrial, HpoError, Study, TrialState};

use super::attribute::{self, FAIL_REASON};
use super::plan::Plan;
use super::standing::{Standing, seconds};
use crate::config::ScoredOn;
use crate::report::number::compact;

/// The longest reason of a failure that a line shows.
const LONGEST_REASON: usize = 100;

/// Progress of a study on standard error.
pub(crate) struct Board {
    metrics: Vec<String>,
    scored_on: ScoredOn,
    trials: usize,
    side_by_side: usize,
    told: BTreeSet<u64>,
    /// What was there before is not told again.
    begun: bool,
}

impl Board {
    pub(crate) fn new(plan: &Plan, side_by_side: usize) -> Self {
        let metrics = plan.objectives.iter().map(|objective| short(&objective.metric)).collect();
        let (scored_on, trials) = (plan.hpo.scored_on, plan.hpo.trials);
        Self { metrics, scored_on, trials, side_by_side, told: BTreeSet::new(), begun: false }
    }

    /// Tells of what ended since the last time.
    pub(crate) fn show(&mut self, study: &Study) -> Result<(), HpoError> {
        let history = study.history()?;
        let ended: Vec<_> = history
            .trials()
            .iter()
            .filter(|trial| trial.state.is_finished() && !self.told.contains(&trial.number))
            .cloned()
            .collect();
        self.told.extend(ended.iter().map(|trial| trial.number));
        let is_first = !std::mem::replace(&mut self.begun, true);
        if ended.is_empty() {
            return Ok(());
        }
        let standing = Standing::of(study.record(), &history);
        let place = self.place(&standing);
        if is_first {
            eprintln!("going on: {place}");
        } else {
            for trial in &ended {
                eprintln!("{} · {place}", self.line(trial));
            }
        }
        Ok(())
    }

    /// How a trial ended.
    fn line(&self, trial: &FrozenTrial) -> String {
        let took = seconds(trial).map_or_else(String::new, |seconds| format!(" in {seconds:.1}s"));
        let number = trial.number;
        match (trial.state, &trial.values) {
            (TrialState::Complete, Some(values)) => {
                let values = self.metrics.iter().zip(values);
                let values: Vec<String> =
                    values.map(|(name, value)| format!("{name} {}", compact(*value))).collect();
                format!("trial {number}: {}{took}", values.join(", "))
            }
            (TrialState::Pruned, _) => {
                let step = trial.last_step().unwrap_or_default();
                format!("trial {number}: pruned after {} {step}{took}", self.scored_on.step())
            }
            _ => {
                let reason = attribute::text(&trial.user_attributes, FAIL_REASON);
                let reason = reason.unwrap_or_else(|| "no reason given".into());
                let reason: String =
                    reason.chars().filter(|c| !c.is_control()).take(LONGEST_REASON).collect();
                format!("trial {number}: failed, {reason}")
            }
        }
    }

    fn place(&self, standing: &Standing) -> String {
        let best = match (&standing.best, &standing.front[..]) {
            (Some(best), _) => {
                let value = best.values.as_deref().and_then(|values| values.first().copied());
                format!("best {} (trial {})", value.map_or_else(String::new, compact), best.number)
            }
            (None, []) => "no best yet".into(),
            (None, front) => format!("front of {}", front.len()),
        };
        let left = standing.left(self.trials, self.side_by_side);
        let left = left
            .filter(|left| !left.is_zero())
            .map_or_else(String::new, |left| format!(" · {} left", in_words(left)));
        format!(
            "{best} · {}/{} done, {} pruned, {} failed, {} running{left}",
            standing.spent, self.trials, standing.pruned, standing.failed, standing.running
        )
    }
}

/// The end of a metric's name, which tells it from others in a line.
pub(crate) fn short(metric: &str) -> String {
    metric.rsplit('/').next().unwrap_or(metric).to_owned()
}

/// The two largest units.
pub(crate) fn in_words(time: Duration) -> String {
    crate::progress::duration(time)
}
