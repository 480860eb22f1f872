//! A study: ask for trials, tell what came of them.

mod options;
mod retry;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

pub use options::StudyOptions;

use crate::search::Search;
use crate::seen::{SEEN, Seen};
use crate::trial::FIXED;
use crate::{
    Attributes, Choice, Direction, FrozenTrial, History, HpoError, NewTrial, Outcome, RawJson, Storage,
    StudyRecord, StudyView, Trial, TrialChange, TrialId, TrialState,
};

/// Signs of life of running trials, for workers that may be killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// How long from one sign to the next.
    pub interval: Duration,
    /// A running trial whose last sign is older is taken for dead: it fails.
    pub grace: Duration,
    /// How often what a dead trial tried is queued again.
    pub retries: usize,
}

/// A search: ask for trials, tell what came of them. Clones are the same study, for several threads.
#[derive(Clone)]
pub struct Study {
    search: Arc<Search>,
    heartbeat: Option<Heartbeat>,
}

impl Study {
    /// A study in which less is better; see [`StudyOptions`] for the rest of it.
    pub fn minimize(name: impl Into<String>) -> StudyOptions {
        StudyOptions::new(name, vec![Direction::Minimize])
    }

    /// A study in which more is better.
    pub fn maximize(name: impl Into<String>) -> StudyOptions {
        StudyOptions::new(name, vec![Direction::Maximize])
    }

    /// A study of several objectives.
    pub fn of(name: impl Into<String>, directions: impl Into<Vec<Direction>>) -> StudyOptions {
        StudyOptions::new(name, directions.into())
    }

    /// Its record in the storage, as it was when the study was opened.
    #[must_use]
    pub fn record(&self) -> &StudyRecord {
        &self.search.record
    }

    /// The storage that remembers it.
    #[must_use]
    pub fn storage(&self) -> &Arc<dyn Storage> {
        &self.search.storage
    }

    /// What its trials draw is a function of this and their numbers.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.search.seed
    }

    /// All trials that the storage knows now.
    ///
    /// # Errors
    /// What the storage says.
    pub fn history(&self) -> Result<Arc<History>, HpoError> {
        self.search.synced()
    }

    /// The next trial: the first that is queued, else a new one.
    ///
    /// # Errors
    /// What the storage says.
    pub fn ask(&self) -> Result<Trial, HpoError> {
        if let Some(queued) = self.ask_queued()? {
            return Ok(queued);
        }
        let new = NewTrial::in_state(TrialState::Running);
        self.begin(self.search.storage.create_trial(self.search.record.id, &new)?)
    }

    /// The first trial that is queued.
    fn ask_queued(&self) -> Result<Option<Trial>, HpoError> {
        let queued = self.search.storage.claim_waiting(self.search.record.id)?;
        queued.map(|queued| self.begin(queued)).transpose()
    }

    fn begin(&self, trial: Arc<FrozenTrial>) -> Result<Trial, HpoError> {
        if self.heartbeat.is_some() {
            self.search.storage.beat(trial.id)?;
        }
        Trial::new(Arc::clone(&self.search), Arc::unwrap_or_clone(trial))
    }

    /// Ends a trial. What it ended as is returned: a NaN, or values of the wrong number, make it a failed one.
    ///
    /// # Errors
    /// What the storage says; [`HpoError::TrialFinished`] if others took it for dead.
    pub fn tell(&self, trial: Trial, outcome: impl Into<Outcome>) -> Result<FrozenTrial, HpoError> {
        trial.finish(outcome.into())
    }

    /// Queues a trial that has these parameters fixed; the others are sampled. Returns its number.
    ///
    /// # Errors
    /// What the storage says.
    pub fn enqueue(
        &self,
        fixed: &BTreeMap<String, Choice>,
        user_attributes: Attributes,
    ) -> Result<u64, HpoError> {
        let mut queued = NewTrial::in_state(TrialState::Waiting);
        queued.system_attributes.insert(FIXED.to_owned(), fixed_json(fixed));
        queued.user_attributes = user_attributes;
        Ok(self.search.storage.create_trial(self.search.record.id, &queued)?.number)
    }

    /// Adds a trial that ran elsewhere.
    ///
    /// # Errors
    /// What the storage says; values that do not fit the state.
    pub fn add(&self, trial: &NewTrial) -> Result<u64, HpoError> {
        Ok(self.search.storage.create_trial(self.search.record.id, trial)?.number)
    }

    /// The complete trial with the best value among those that violate no constraint, the earliest of equals.
    ///
    /// # Errors
    /// What the storage says; [`HpoError::Objectives`] if there are several, see [`crate::pareto::front`].
    pub fn best_trial(&self) -> Result<Option<Arc<FrozenTrial>>, HpoError> {
        let record = self.record();
        if record.directions.len() != 1 {
            let (study, found) = (record.name.clone(), record.directions.len());
            return Err(HpoError::Objectives { study, found, expected: 1 });
        }
        let history = self.history()?;
        Ok(crate::best_trial(StudyView { study: record, history: &history }))
    }

    /// The complete trials that no other dominates, in the order of their numbers.
    ///
    /// # Errors
    /// What the storage says.
    pub fn front(&self) -> Result<Vec<Arc<FrozenTrial>>, HpoError> {
        let history = self.history()?;
        Ok(crate::pareto::front(StudyView { study: self.record(), history: &history }))
    }

    /// Runs `count` trials one after the other, fewer if the sampler has nothing more to try and nothing is queued. A trial that
    /// fails is told so and the next one runs.
    ///
    /// # Errors
    /// What the objective returns as an error, after the trial was told as failed, and what the storage says.
    pub fn optimize<O: Into<Outcome>, E: From<HpoError> + fmt::Display>(
        &self,
        count: usize,
        objective: impl FnMut(&mut Trial) -> Result<O, E>,
    ) -> Result<(), E> {
        let mut left = 0..count;
        self.optimize_while(|| Ok(left.next().is_some()), objective)
    }

    /// Runs trials one after the other as long as `go_on` says so before each, and the sampler has something to try or
    /// something is queued. Of a study with a heartbeat the dead trials are retired before `go_on` is asked: it sees them as
    /// failed, and what they tried as queued.
    ///
    /// # Errors
    /// As [`Study::optimize`], and what `go_on` returns as an error.
    pub fn optimize_while<O: Into<Outcome>, E: From<HpoError> + fmt::Display>(
        &self,
        mut go_on: impl FnMut() -> Result<bool, E>,
        mut objective: impl FnMut(&mut Trial) -> Result<O, E>,
    ) -> Result<(), E> {
        loop {
            self.retire_dead()?;
            if !go_on()? {
                return Ok(());
            }
            // A search that is over still owes what is queued; if another worker took the last of it, nothing is left.
            let trial = match self.search.is_exhausted()? {
                true => self.ask_queued()?,
                false => Some(self.ask()?),
            };
            let Some(trial) = trial else { return Ok(()) };
            self.run_trial(trial, &mut objective)?;
        }
    }

    /// Asks for one trial, runs it and tells what came of it, with signs of life in between if the study has them.
    ///
    /// # Errors
    /// As [`Study::optimize`].
    pub fn run<O: Into<Outcome>, E: From<HpoError> + fmt::Display>(
        &self,
        objective: impl FnOnce(&mut Trial) -> Result<O, E>,
    ) -> Result<FrozenTrial, E> {
        self.run_trial(self.ask()?, objective)
    }

    fn run_trial<O: Into<Outcome>, E: From<HpoError> + fmt::Display>(
        &self,
        mut trial: Trial,
        objective: impl FnOnce(&mut Trial) -> Result<O, E>,
    ) -> Result<FrozenTrial, E> {
        match self.beating(trial.record().id, || objective(&mut trial)) {
            Ok(outcome) => Ok(self.tell(trial, outcome)?),
            Err(error) => {
                // The first error is the one to tell; where the storage is at fault, this is one more of it.
                drop(self.tell(trial, Outcome::Failed(format!("{error:#}"))));
                Err(error)
            }
        }
    }

    /// Does `work` while a thread gives signs of life of `trial`.
    fn beating<R>(&self, trial: TrialId, work: impl FnOnce() -> R) -> R {
        let Some(heartbeat) = self.heartbeat else { return work() };
        std::thread::scope(|scope| {
            // Dropped when the work is done, and when it panics.
            let (_working, ended) = channel::<()>();
            scope.spawn(move || {
                while ended.recv_timeout(heartbeat.interval) == Err(RecvTimeoutError::Timeout) {
                    // A sign that is missed is made up for by the next. If none gets through, others take the trial for dead,
                    // and `tell` says so.
                    drop(self.search.storage.beat(trial));
                }
            });
            work()
        })
    }

    /// Takes running trials for dead whose last sign of life is too old: they fail, and what they tried is queued again as
    /// often as the study retries. Returns their numbers. Without a heartbeat nothing is ever dead.
    ///
    /// # Errors
    /// What the storage says.
    pub fn retire_dead(&self) -> Result<Vec<u64>, HpoError> {
        let Some(heartbeat) = self.heartbeat else { return Ok(Vec::new()) };
        let mut retired = Vec::new();
        for dead in self.search.storage.stale_trials(self.search.record.id, heartbeat.grace)? {
            let failed = self.fail_dead(dead, "its worker gave no more signs of life", heartbeat.retries)?;
            retired.extend(failed.map(|(number, _)| number));
        }
        Ok(retired)
    }

    /// Takes a running trial for dead, whatever its signs of life: whoever started its worker saw it end. It fails with `reason`,
    /// and what it tried is queued again unless it was tried again `retries` times already. Returns the number of the queued
    /// one; nothing happens to a trial that does not run.
    ///
    /// # Errors
    /// What the storage says; [`HpoError::UnknownNumber`] if there is no such trial.
    pub fn retire(&self, number: u64, reason: &str, retries: usize) -> Result<Option<u64>, HpoError> {
        let history = self.search.synced()?;
        let unknown = || HpoError::UnknownNumber { study: self.record().name.clone(), number };
        let trial = history.trial(number).ok_or_else(unknown)?;
        if trial.state != TrialState::Running {
            return Ok(None);
        }
        Ok(self.fail_dead(trial.id, reason, retries)?.and_then(|(_, again)| again))
    }

    /// Fails a running trial and queues again what it tried; its number, and that of the queued one. `None` if it has ended.
    fn fail_dead(
        &self,
        dead: TrialId,
        reason: &str,
        retries: usize,
    ) -> Result<Option<(u64, Option<u64>)>, HpoError> {
        let value = RawJson::from_text(serde_json::Value::from(reason).to_string());
        let reason = TrialChange::UserAttribute { key: "fail_reason".to_owned(), value };
        match self.search.storage.finish_trial(dead, &[reason], TrialState::Fail, None) {
            Ok(()) => {}
            // Somebody else was quicker, or it was not dead after all.
            Err(HpoError::TrialFinished { .. }) => return Ok(None),
            Err(error) => return Err(error),
        }
        // With all that was told of it until then.
        let history = self.search.synced()?;
        let Some(trial) = history.trials().iter().find(|trial| trial.id == dead) else { return Ok(None) };
        let again = retry::of_dead(trial, retries).map(|again| self.create(&again)).transpose()?;
        Ok(Some((trial.number, again)))
    }

    /// Queues again what a failed trial tried, where it was no fault of its own, such as a signal to its worker. That is none of
    /// the times that what dead workers tried is tried again. Returns the number of the queued one.
    ///
    /// # Errors
    /// What the storage says; [`HpoError::UnknownNumber`] if there is no such trial.
    pub fn queue_again(&self, number: u64) -> Result<u64, HpoError> {
        let history = self.search.synced()?;
        let unknown = || HpoError::UnknownNumber { study: self.record().name.clone(), number };
        let trial = history.trial(number).ok_or_else(unknown)?;
        self.create(&retry::of_interrupted(trial))
    }

    fn create(&self, trial: &NewTrial) -> Result<u64, HpoError> {
        Ok(self.search.storage.create_trial(self.search.record.id, trial)?.number)
    }

    /// Draws the parameters of trial `number` again, from what it saw when it drew them, with this study's sampler and seed.
    /// They are the ones the trial has, whatever ran beside it, if it was sampled by the same sampler here and nothing of it
    /// was fixed. `None` if the trial does not say what it saw.
    ///
    /// # Errors
    /// What storage and sampler say; [`HpoError::UnknownNumber`] if there is no such trial.
    pub fn redraw(&self, number: u64) -> Result<Option<BTreeMap<String, f64>>, HpoError> {
        let history = self.search.synced()?;
        let unknown = || HpoError::UnknownNumber { study: self.record().name.clone(), number };
        let trial = history.trial(number).ok_or_else(unknown)?;
        let then = match trial.system_attributes.get(SEEN).map(Seen::from_json) {
            Some(Some(seen)) => Arc::new(seen.history(&history)),
            _ if !self.search.looks_back => Arc::default(),
            _ => return Ok(None),
        };
        self.search.redraw(&then, trial).map(Some)
    }
}

/// What a queued trial fixes, as Optuna writes it.
fn fixed_json(fixed: &BTreeMap<String, Choice>) -> RawJson {
    let pairs = fixed
        .iter()
        .map(|(name, value)| format!("{}: {}", serde_json::Value::from(name.as_str()), value.to_json()));
    RawJson::from_text(format!("{{{}}}", pairs.collect::<Vec<_>>().join(", ")))
}
