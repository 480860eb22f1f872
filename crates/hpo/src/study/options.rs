//! How a study is made or opened.

use std::sync::Arc;

use super::{Heartbeat, Study};
use crate::search::Search;
use crate::{
    AutoSampler, Direction, HpoError, MemoryStorage, NopPruner, Pruner, RawJson, Sampler, Storage,
    StudyRecord,
};

/// The system attribute of a study that holds its seed.
const SEED: &str = "tapeline:seed";

/// The seed of a study that was given none: results are reproducible unless somebody wants them otherwise.
const DEFAULT_SEED: u64 = 0;

/// How a study is made or opened: the memory of this process, sampler, pruner and seed, each unless another is given.
#[must_use]
pub struct StudyOptions {
    name: String,
    directions: Vec<Direction>,
    storage: Option<Arc<dyn Storage>>,
    sampler: Option<Box<dyn Sampler>>,
    pruner: Option<Box<dyn Pruner>>,
    seed: Option<u64>,
    heartbeat: Option<Heartbeat>,
}

impl StudyOptions {
    pub(super) fn new(name: impl Into<String>, directions: Vec<Direction>) -> Self {
        Self {
            name: name.into(),
            directions,
            storage: None,
            sampler: None,
            pruner: None,
            seed: None,
            heartbeat: None,
        }
    }

    /// Where it is remembered.
    pub fn storage(mut self, storage: Arc<dyn Storage>) -> Self {
        self.storage = Some(storage);
        self
    }

    /// Who proposes parameters.
    pub fn sampler(mut self, sampler: impl Sampler + 'static) -> Self {
        self.sampler = Some(Box::new(sampler));
        self
    }

    /// The same, where it is not known which.
    pub fn boxed_sampler(mut self, sampler: Box<dyn Sampler>) -> Self {
        self.sampler = Some(sampler);
        self
    }

    /// Who gives up on trials early; nobody if this is not said.
    pub fn pruner(mut self, pruner: impl Pruner + 'static) -> Self {
        self.pruner = Some(Box::new(pruner));
        self
    }

    /// The same, where it is not known which.
    pub fn boxed_pruner(mut self, pruner: Box<dyn Pruner>) -> Self {
        self.pruner = Some(pruner);
        self
    }

    /// What its trials draw is a function of this and their numbers. A study that is opened keeps the one it was made with
    /// unless another is given here.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Signs of life, for workers that may be killed.
    pub fn heartbeat(mut self, heartbeat: Heartbeat) -> Self {
        self.heartbeat = Some(heartbeat);
        self
    }

    /// Makes the study.
    ///
    /// # Errors
    /// [`HpoError::StudyExists`] if there is one of that name; [`HpoError::Objectives`] without a direction.
    pub fn create(self) -> Result<Study, HpoError> {
        if self.directions.is_empty() {
            return Err(HpoError::Objectives { study: self.name, found: 0, expected: 1 });
        }
        let storage = self.storage.clone().unwrap_or_else(|| Arc::new(MemoryStorage::default()));
        let id = storage.create_study(&self.name, &self.directions)?;
        let seed = self.seed.unwrap_or(DEFAULT_SEED);
        storage.set_study_system_attribute(id, SEED, &RawJson::from_text(seed.to_string()))?;
        let record = storage.study(&self.name)?;
        Ok(self.with(storage, record))
    }

    /// Opens the study.
    ///
    /// # Errors
    /// [`HpoError::UnknownStudy`] if there is none of that name; [`HpoError::Directions`] if it searches another way.
    pub fn open(self) -> Result<Study, HpoError> {
        let storage = self.storage.clone().unwrap_or_else(|| Arc::new(MemoryStorage::default()));
        let record = storage.study(&self.name)?;
        if record.directions != self.directions {
            return Err(HpoError::Directions {
                name: self.name,
                found: record.directions,
                expected: self.directions,
            });
        }
        Ok(self.with(storage, record))
    }

    /// Opens the study, or makes it if there is none. Several workers may do so at once.
    ///
    /// # Errors
    /// As [`StudyOptions::open`].
    pub fn create_or_open(mut self) -> Result<Study, HpoError> {
        let storage = self.storage.get_or_insert_with(|| Arc::new(MemoryStorage::default())).clone();
        match storage.create_study(&self.name, &self.directions) {
            Ok(id) => {
                let seed = self.seed.unwrap_or(DEFAULT_SEED);
                storage.set_study_system_attribute(id, SEED, &RawJson::from_text(seed.to_string()))?;
            }
            Err(HpoError::StudyExists { .. }) => {}
            Err(error) => return Err(error),
        }
        self.open()
    }

    fn with(self, storage: Arc<dyn Storage>, record: StudyRecord) -> Study {
        let noted = record.system_attributes.get(SEED).and_then(|raw| raw.as_str().parse().ok());
        let seed = self.seed.or(noted).unwrap_or(DEFAULT_SEED);
        let sampler = self.sampler.unwrap_or_else(|| Box::new(AutoSampler::default()));
        let pruner = self.pruner.unwrap_or_else(|| Box::new(NopPruner));
        let search = Search::new(storage, record, seed, sampler, pruner);
        Study { search: Arc::new(search), heartbeat: self.heartbeat }
    }
}
