//! What the trials of one study in one process share: the storage, what is known of it, sampler and pruner.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{
    Attributes, Distribution, FrozenTrial, History, HpoError, JointSample, Pruner, Sampler, Storage,
    StudyRecord, StudyView, TrialRandom,
};

/// What the trials of one study in one process share.
pub(crate) struct Search {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) record: StudyRecord,
    pub(crate) seed: u64,
    pub(crate) pruner: Box<dyn Pruner>,
    pub(crate) looks_back: bool,
    sees_all: bool,
    known: Mutex<Known>,
}

/// What changes while the study goes on.
struct Known {
    history: Arc<History>,
    sampler: Box<dyn Sampler>,
    /// By name, the first trial that was seen to have the parameter and what it could be.
    distributions: BTreeMap<String, (u64, Distribution)>,
    /// How many finished trials of `history` are in `distributions`.
    taken_in: usize,
}

impl Search {
    pub(crate) fn new(
        storage: Arc<dyn Storage>,
        record: StudyRecord,
        seed: u64,
        sampler: Box<dyn Sampler>,
        pruner: Box<dyn Pruner>,
    ) -> Self {
        let (looks_back, sees_all) = (sampler.looks_back(), sampler.sees_all());
        let known = Mutex::new(Known {
            history: Arc::default(),
            sampler,
            distributions: BTreeMap::new(),
            taken_in: 0,
        });
        Self { storage, record, seed, pruner, looks_back, sees_all, known }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the storage knows now. As long as somebody holds it, it stays as it is.
    pub(crate) fn synced(&self) -> Result<Arc<History>, HpoError> {
        let mut known = self.known();
        let known = &mut *known;
        let (after, again) = known.history.open_ends();
        let news = self.storage.trials(self.record.id, after, &again)?;
        if !news.is_empty() {
            match Arc::get_mut(&mut known.history) {
                Some(history) => history.take_in(news),
                None => {
                    let mut history = known.history.fork();
                    history.take_in(news);
                    known.history = Arc::new(history);
                }
            }
        }
        for trial in known.history.finished_since(known.taken_in) {
            for (name, param) in &trial.params {
                if !known.distributions.contains_key(name) {
                    known.distributions.insert(name.clone(), (trial.number, param.distribution.clone()));
                }
            }
        }
        known.taken_in = known.history.finished_count();
        Ok(Arc::clone(&known.history))
    }

    /// Whether what earlier trials had under that name agrees with `distribution`.
    pub(crate) fn known_as(
        &self,
        name: &str,
        number: u64,
        distribution: &Distribution,
    ) -> Result<(), HpoError> {
        let mut known = self.known();
        match known.distributions.get(name) {
            Some((_, earlier)) if earlier.agrees_with(distribution) => Ok(()),
            Some((earlier_number, earlier)) => {
                Err(crate::trial::disagrees(name, *earlier_number, earlier, distribution))
            }
            None => {
                known.distributions.insert(name.to_owned(), (number, distribution.clone()));
                Ok(())
            }
        }
    }

    pub(crate) fn sample_joint(
        &self,
        history: &Arc<History>,
        trial: &FrozenTrial,
    ) -> Result<JointSample, HpoError> {
        let mut random = TrialRandom::of(self.seed, trial.number);
        self.with_siblings(history, trial, |sampler, view| {
            let space = sampler.joint_space(view, trial);
            if space.is_empty() {
                Ok(JointSample::default())
            } else {
                sampler.sample_joint(view, trial, &space, &mut random)
            }
        })
    }

    pub(crate) fn sample_alone(
        &self,
        history: &Arc<History>,
        trial: &FrozenTrial,
        name: &str,
        distribution: &Distribution,
        random: &mut TrialRandom,
    ) -> Result<f64, HpoError> {
        let value = self.with_siblings(history, trial, |sampler, view| {
            sampler.sample_alone(view, trial, name, distribution, random)
        })?;
        if distribution.contains(value) {
            return Ok(value);
        }
        let fault =
            format!("it proposed {value} for parameter {name:?}, which is no value of {distribution:?}");
        Err(HpoError::Sampler { sampler: self.known().sampler.name(), fault })
    }

    /// Asks the sampler with the trials that it learns from: those that the pruner races against each other, or all.
    fn with_siblings<R>(
        &self,
        history: &Arc<History>,
        trial: &FrozenTrial,
        ask: impl FnOnce(&mut dyn Sampler, StudyView<'_>) -> R,
    ) -> R {
        let view = StudyView { study: &self.record, history };
        let numbers = if self.sees_all { None } else { self.pruner.siblings(view, trial) };
        let siblings = numbers.map(|numbers| {
            let mut own = History::default();
            own.take_in(numbers.into_iter().filter_map(|number| history.trial(number).cloned()));
            own
        });
        let view = StudyView { study: &self.record, history: siblings.as_ref().unwrap_or(history) };
        ask(self.known().sampler.as_mut(), view)
    }

    pub(crate) fn verdict(&self, trial: &FrozenTrial) -> Result<(bool, Attributes), HpoError> {
        let history = self.synced()?;
        Ok(self.pruner.verdict(StudyView { study: &self.record, history: &history }, trial))
    }

    pub(crate) fn is_exhausted(&self) -> Result<bool, HpoError> {
        let history = self.synced()?;
        Ok(self.known().sampler.is_exhausted(StudyView { study: &self.record, history: &history }))
    }

    /// Draws again what the trial drew jointly and, for `alone`, what it draws alone.
    pub(crate) fn redraw(
        &self,
        then: &Arc<History>,
        trial: &FrozenTrial,
    ) -> Result<BTreeMap<String, f64>, HpoError> {
        let mut before = trial.clone();
        before.params.clear();
        before.system_attributes.retain(|key, _| !key.starts_with(crate::joint::PREFIX));
        let joint = self.sample_joint(then, &before)?;
        let mut values = BTreeMap::new();
        for (name, param) in &trial.params {
            let value = match joint.values.get(name).filter(|value| param.distribution.contains(**value)) {
                _ if param.distribution.is_single() => param.value,
                Some(value) => *value,
                None => {
                    let mut random = TrialRandom::for_parameter(self.seed, trial.number, name);
                    self.sample_alone(then, &before, name, &param.distribution, &mut random)?
                }
            };
            values.insert(name.clone(), value);
        }
        Ok(values)
    }
}
