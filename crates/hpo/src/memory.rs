//! Studies in the memory of one process.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::{
    Direction, FrozenTrial, HpoError, NewTrial, RawJson, Storage, StudyId, StudyRecord, Timestamp,
    TrialChange, TrialId, TrialState,
};

/// Studies in the memory of one process, for its threads.
///
/// It knows no time of its own: without [`MemoryStorage::with_clock`] trials have no times, and none is ever stale.
#[derive(Default)]
pub struct MemoryStorage {
    inside: Mutex<Inside>,
    clock: Option<Clock>,
}

/// What time it is.
type Clock = Box<dyn Fn() -> Timestamp + Send + Sync>;

#[derive(Default)]
struct Inside {
    studies: BTreeMap<StudyId, MemoryStudy>,
    last_study: i64,
    /// By their ids, which begin at 0.
    trials: Vec<Option<(StudyId, usize)>>,
}

struct MemoryStudy {
    record: StudyRecord,
    trials: Vec<Arc<FrozenTrial>>,
    /// The queue, by number. What is taken leaves it.
    waiting: std::collections::BTreeSet<usize>,
    beats: BTreeMap<TrialId, Timestamp>,
}

impl MemoryStorage {
    /// A storage that asks `clock` for the time.
    #[must_use]
    pub fn with_clock(clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self { inside: Mutex::default(), clock: Some(Box::new(clock)) }
    }

    fn now(&self) -> Option<Timestamp> {
        self.clock.as_ref().map(|clock| clock())
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        // Nothing inside is left half changed by a panic: every change is checked before it begins.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    fn study(&mut self, study: StudyId) -> Result<&mut MemoryStudy, HpoError> {
        self.studies.get_mut(&study).ok_or(HpoError::UnknownStudyId { study })
    }

    /// The study of an unfinished trial, and its place there.
    fn unfinished(&mut self, trial: TrialId) -> Result<(&mut MemoryStudy, usize), HpoError> {
        let place = usize::try_from(trial.0).ok().and_then(|id| self.trials.get(id).copied().flatten());
        let (study, number) = place.ok_or(HpoError::UnknownTrial { trial })?;
        let study = self.study(study)?;
        if study.trials[number].state.is_finished() {
            return Err(HpoError::TrialFinished { trial });
        }
        Ok((study, number))
    }
}

fn apply(trial: &mut FrozenTrial, changes: &[TrialChange]) {
    for change in changes {
        match change {
            TrialChange::Param { name, param } => {
                trial.params.insert(name.clone(), param.clone());
            }
            TrialChange::Report { step, value } => {
                trial.intermediate.entry(*step).or_insert(*value);
            }
            TrialChange::UserAttribute { key, value } => {
                trial.user_attributes.insert(key.clone(), value.clone());
            }
            TrialChange::SystemAttribute { key, value } => {
                trial.system_attributes.insert(key.clone(), value.clone());
            }
        }
    }
}

impl Storage for MemoryStorage {
    fn create_study(&self, name: &str, directions: &[Direction]) -> Result<StudyId, HpoError> {
        let mut inside = self.inside();
        if inside.studies.values().any(|study| study.record.name == name) {
            return Err(HpoError::StudyExists { name: name.to_owned() });
        }
        inside.last_study += 1;
        let id = StudyId(inside.last_study);
        let record = StudyRecord {
            id,
            name: name.to_owned(),
            directions: directions.to_vec(),
            user_attributes: BTreeMap::new(),
            system_attributes: BTreeMap::new(),
        };
        inside.studies.insert(
            id,
            MemoryStudy { record, trials: Vec::new(), waiting: Default::default(), beats: BTreeMap::new() },
        );
        Ok(id)
    }

    fn studies(&self) -> Result<Vec<StudyRecord>, HpoError> {
        Ok(self.inside().studies.values().map(|study| study.record.clone()).collect())
    }

    fn study(&self, name: &str) -> Result<StudyRecord, HpoError> {
        let inside = self.inside();
        let found = inside.studies.values().find(|study| study.record.name == name);
        found
            .map(|study| study.record.clone())
            .ok_or_else(|| HpoError::UnknownStudy { name: name.to_owned() })
    }

    fn delete_study(&self, study: StudyId) -> Result<(), HpoError> {
        let mut inside = self.inside();
        inside.studies.remove(&study).ok_or(HpoError::UnknownStudyId { study })?;
        for place in &mut inside.trials {
            place.take_if(|(of, _)| *of == study);
        }
        Ok(())
    }

    fn set_study_user_attribute(&self, study: StudyId, key: &str, value: &RawJson) -> Result<(), HpoError> {
        self.inside().study(study)?.record.user_attributes.insert(key.to_owned(), value.clone());
        Ok(())
    }

    fn set_study_system_attribute(&self, study: StudyId, key: &str, value: &RawJson) -> Result<(), HpoError> {
        self.inside().study(study)?.record.system_attributes.insert(key.to_owned(), value.clone());
        Ok(())
    }

    fn create_trial(&self, study: StudyId, trial: &NewTrial) -> Result<Arc<FrozenTrial>, HpoError> {
        let now = self.now();
        let mut inside = self.inside();
        let id = TrialId(inside.trials.len() as i64);
        let owner = inside.study(study)?;
        trial.check(owner.record.directions.len())?;
        let number = owner.trials.len();
        let frozen = Arc::new(trial.frozen(
            id,
            number as u64,
            now.filter(|_| trial.state != TrialState::Waiting),
            now.filter(|_| trial.state.is_finished()),
        ));
        owner.trials.push(Arc::clone(&frozen));
        if trial.state == TrialState::Waiting {
            owner.waiting.insert(number);
        }
        inside.trials.push(Some((study, number)));
        Ok(frozen)
    }

    fn claim_waiting(&self, study: StudyId) -> Result<Option<Arc<FrozenTrial>>, HpoError> {
        let now = self.now();
        let mut inside = self.inside();
        let study = inside.study(study)?;
        let Some(number) = study.waiting.pop_first() else { return Ok(None) };
        let trial = Arc::make_mut(&mut study.trials[number]);
        trial.state = TrialState::Running;
        trial.started = now;
        Ok(Some(Arc::clone(&study.trials[number])))
    }

    fn change_trial(&self, trial: TrialId, changes: &[TrialChange]) -> Result<(), HpoError> {
        let mut inside = self.inside();
        let (study, number) = inside.unfinished(trial)?;
        apply(Arc::make_mut(&mut study.trials[number]), changes);
        Ok(())
    }

    fn finish_trial(
        &self,
        trial: TrialId,
        changes: &[TrialChange],
        state: TrialState,
        values: Option<&[f64]>,
    ) -> Result<(), HpoError> {
        let now = self.now();
        let mut inside = self.inside();
        let (study, number) = inside.unfinished(trial)?;
        crate::storage::check_end(state, values, study.record.directions.len())?;
        study.waiting.remove(&number);
        study.beats.remove(&trial);
        let frozen = Arc::make_mut(&mut study.trials[number]);
        apply(frozen, changes);
        frozen.state = state;
        frozen.values = values.map(<[f64]>::to_vec);
        frozen.completed = now;
        Ok(())
    }

    fn trials(
        &self,
        study: StudyId,
        after: Option<TrialId>,
        again: &[TrialId],
    ) -> Result<Vec<Arc<FrozenTrial>>, HpoError> {
        let mut inside = self.inside();
        let mut found = Vec::with_capacity(again.len() + 1);
        let known: Vec<usize> = again
            .iter()
            .filter_map(|id| inside.trials.get(usize::try_from(id.0).ok()?).copied().flatten())
            .filter(|(of, _)| *of == study)
            .map(|(_, number)| number)
            .collect();
        let study = inside.study(study)?;
        let from = after.map_or(0, |after| study.trials.partition_point(|trial| trial.id <= after));
        found.extend(
            known.into_iter().filter(|number| *number < from).map(|number| Arc::clone(&study.trials[number])),
        );
        found.extend(study.trials[from..].iter().map(Arc::clone));
        found.sort_unstable_by_key(|trial| trial.number);
        found.dedup_by_key(|trial| trial.number);
        Ok(found)
    }

    fn beat(&self, trial: TrialId) -> Result<(), HpoError> {
        let now = self.now();
        let mut inside = self.inside();
        let (study, _) = inside.unfinished(trial)?;
        if let Some(now) = now {
            study.beats.insert(trial, now);
        }
        Ok(())
    }

    fn stale_trials(&self, study: StudyId, grace: Duration) -> Result<Vec<TrialId>, HpoError> {
        let Some(now) = self.now() else { return Ok(Vec::new()) };
        let grace = i64::try_from(grace.as_micros()).unwrap_or(i64::MAX);
        let mut inside = self.inside();
        let study = inside.study(study)?;
        let old = study.beats.iter().filter(|(_, beat)| now.0.saturating_sub(beat.0) > grace);
        Ok(old.map(|(trial, _)| *trial).collect())
    }
}
