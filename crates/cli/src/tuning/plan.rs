//! What a study is: a configuration, what is searched in it, and where the search is remembered.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use serde_json::Value;
use tapeline_hpo::{
    Attributes, Choice, Direction, Heartbeat, HpoError, Space, Storage, StorageOptions, Study, StudyRecord,
};

use super::attribute::{self, CONFIG, DEFAULT, METRIC_NAMES};
use crate::config::{
    HpoSpec, Objective, RunConfig, Sources, StorageUrl, own_values, resolved_yaml, with_values,
};
use crate::failure::Failure;
use crate::run_folder::STUDIES;

/// Signs of life of a trial: seldom enough to cost nothing, and three missed in a row are no accident.
pub(super) const HEARTBEAT: Heartbeat =
    Heartbeat { interval: Duration::from_secs(20), grace: Duration::from_secs(90), retries: RETRIES };

/// How often what a lost trial tried is tried again: whatever kills twice kills again.
pub(crate) const RETRIES: usize = 2;
/// The key `hpo.storage` in the environment, where an address with a password in it is not seen by everybody on the machine.
pub(crate) const STORAGE_VARIABLE: &str = "TAPELINE_HPO__STORAGE";

/// A study as it was begun.
pub(crate) struct Plan {
    /// Its name.
    pub(crate) name: String,
    /// Where it is remembered.
    pub(crate) url: StorageUrl,
    /// Where its trials leave what they leave.
    pub(crate) folder: PathBuf,
    /// The configuration that values are put into, with the section it was begun with.
    pub(crate) config: RunConfig,
    pub(crate) hpo: HpoSpec,
    pub(crate) objectives: Vec<Objective>,
    pub(crate) space: Space,
    /// The configuration without that section, as YAML.
    base: String,
}

impl Plan {
    /// The study of a configuration with absolute paths.
    pub(crate) fn of(config: RunConfig) -> Result<Self, Failure> {
        let Some(hpo) = config.hpo.clone() else {
            return Err(Failure::bad_input(anyhow!(
                "the configuration has no hpo section, so there is nothing to search; configs/hpo/quickstart.yaml is an example"
            )));
        };
        let tasks = config.tasks.check().map_err(|report| Failure::bad_input(anyhow!("tasks: {report}")))?;
        let space = hpo.search_space.check().map_err(Failure::bad_input)?;
        if space.names().next().is_none() {
            return Err(Failure::bad_input(anyhow!(
                "hpo.search_space is empty; give it keys such as training.optimizer.learning_rate: {{kind: float, low: 1e-4, \
                 high: 1e-2, log: true}}"
            )));
        }
        let name = hpo.study.clone().unwrap_or_else(|| config.experiment.clone());
        let folder = config.output.join(&config.experiment).join(STUDIES).join(&name);
        let url = match &hpo.storage {
            Some(url) => url.clone(),
            None => format!("sqlite:///{}", folder.join("study.db").display()).into(),
        };
        let base = resolved_yaml(&RunConfig { hpo: None, ..config.clone() });
        Ok(Self { name, url, folder, objectives: hpo.objectives(&tasks), space, base, config, hpo })
    }

    /// The study as its storage has it. `set` moves where things are, not what they are.
    pub(crate) fn of_record(url: &StorageUrl, record: &StudyRecord, set: &[String]) -> Result<Self, Failure> {
        let Some(text) = attribute::text(&record.user_attributes, CONFIG) else {
            return Err(Failure::bad_input(anyhow!(
                "study {:?} was not begun by `tapeline hpo run`: it has no attribute {CONFIG}",
                record.name
            )));
        };
        let sources = Sources {
            text: Some((format!("the configuration of study {}", record.name), text)),
            set: set.to_vec(),
            ..Sources::default()
        };
        let mut config = crate::config::load(&sources).map_err(Failure::bad_input)?.config;
        if let Some(hpo) = &mut config.hpo {
            hpo.study = Some(record.name.clone());
            hpo.storage = Some(url.clone());
        }
        Self::of(config)
    }

    /// Makes the study, or opens it if this very study was begun before.
    pub(crate) fn create_or_open(&self) -> Result<Study, Failure> {
        std::fs::create_dir_all(&self.folder)
            .with_context(|| format!("cannot create {}", self.folder.display()))?;
        let storage = open_storage(&self.url)?;
        match storage.study(&self.name) {
            Ok(record) => self.must_be(&record, &*storage)?,
            Err(HpoError::UnknownStudy { .. }) => {}
            Err(error) => return Err(storage_failure(error)),
        }
        let study = self.options(Arc::clone(&storage))?.create_or_open().map_err(storage_failure)?;
        let id = study.record().id;
        // Also of one that goes on: it may be given more trials, and lies where it is now.
        let config = attribute::json(resolved_yaml(&self.without_storage()));
        storage.set_study_user_attribute(id, CONFIG, &config).map_err(storage_failure)?;
        let names: Vec<&str> = self.objectives.iter().map(|objective| objective.metric.as_str()).collect();
        let names = attribute::json(names);
        storage.set_study_system_attribute(id, METRIC_NAMES, &names).map_err(storage_failure)?;
        // Looked for and not taken for granted: whoever began the study may have been killed before it got here.
        let history = study.history().map_err(storage_failure)?;
        let has_default = history.trials().iter().any(|trial| trial.user_attributes.contains_key(DEFAULT));
        if let Some(own) = self.own_values().filter(|_| self.hpo.default_first && !has_default) {
            let note = Attributes::from([(DEFAULT.to_owned(), attribute::json(true))]);
            study.enqueue(&own, note).map_err(storage_failure)?;
        }
        Ok(study)
    }

    /// What it is called beside the studies of other experiments: `experiment/study`.
    pub(crate) fn id(&self) -> String {
        format!("{}/{}", self.config.experiment, self.name)
    }

    /// The configuration as everybody may read it who opens the study: an address has a password in it.
    fn without_storage(&self) -> RunConfig {
        let hpo = HpoSpec { storage: None, ..self.hpo.clone() };
        RunConfig { hpo: Some(hpo), ..self.config.clone() }
    }

    /// Opens the study, which must be there.
    pub(crate) fn open(&self) -> Result<Study, Failure> {
        self.options(open_storage(&self.url)?)?.open().map_err(storage_failure)
    }

    fn options(&self, storage: Arc<dyn Storage>) -> Result<tapeline_hpo::StudyOptions, Failure> {
        let directions: Vec<Direction> =
            self.objectives.iter().map(|objective| objective.direction).collect();
        let refuse =
            |section: &str, report: garde::Report| Failure::bad_input(anyhow!("hpo.{section}: {report}"));
        let sampler = self.hpo.sampler(&self.space).map_err(|report| refuse("sampler", report))?;
        let pruner = self.hpo.pruner.check().map_err(|report| refuse("pruner", report))?;
        Ok(Study::of(self.name.clone(), directions)
            .storage(storage)
            .seed(self.hpo.seed.unwrap_or(self.config.seed))
            .boxed_sampler(sampler)
            .boxed_pruner(pruner)
            .heartbeat(HEARTBEAT))
    }

    /// Refuses to go on with a study that was begun with another configuration. One whose beginning was cut short, and which has
    /// no trial, is begun anew.
    fn must_be(&self, record: &StudyRecord, storage: &dyn Storage) -> Result<(), Failure> {
        if !record.user_attributes.contains_key(CONFIG)
            && storage.trials(record.id, None, &[]).map_err(storage_failure)?.is_empty()
        {
            return Ok(());
        }
        let begun = Self::of_record(&self.url, record, &[])?;
        let differences = differences(&what(&begun.config), &what(&self.config));
        if differences.is_empty() {
            return Ok(());
        }
        Err(Failure::bad_input(anyhow!(
            "study {:?} was begun with another configuration; give this one another name (--study), or go back to what it was:\
             \n  {}",
            self.name,
            differences.join("\n  ")
        )))
    }

    /// The values that the configuration itself has; `None` if the search has no words for one of them.
    pub(crate) fn own_values(&self) -> Option<BTreeMap<String, Choice>> {
        let own = own_values(&self.space, &self.config);
        // What is there only with other values than the configuration's is missing rightly.
        let document = serde_json::to_value(&self.config).unwrap_or_default();
        let is_said = |key: &&str| document.pointer(&format!("/{}", key.replace('.', "/"))).is_some();
        let complete = self.space.names().filter(is_said).all(|key| own.contains_key(key));
        complete.then_some(own)
    }

    /// The configuration of a trial with `values`.
    pub(crate) fn config_with(
        &self,
        values: &BTreeMap<String, Choice>,
    ) -> Result<RunConfig, crate::config::ConfigError> {
        with_values(&self.base, values)
    }

    /// The folder of the experiments.
    pub(crate) fn output(&self) -> &Path {
        &self.config.output
    }
}

/// The storage behind `url`.
pub(crate) fn open_storage(url: &StorageUrl) -> Result<Arc<dyn Storage>, Failure> {
    Ok(Arc::from(
        tapeline_hpo::open_storage(url.secret(), &StorageOptions::default()).map_err(storage_failure)?,
    ))
}

/// Studies that are not there are the user's mistake; whatever else a storage says is not.
pub(crate) fn storage_failure(error: HpoError) -> Failure {
    match error {
        HpoError::Url { .. }
        | HpoError::UnknownStudy { .. }
        | HpoError::Directions { .. }
        | HpoError::Space { .. } => Failure::bad_input(error),
        _ => Failure::failed(error),
    }
}

/// The study that is meant where a storage has several.
pub(crate) fn only_study(storage: &dyn Storage, url: &StorageUrl) -> Result<StudyRecord, Failure> {
    let find = || {
        let mut studies = storage.studies()?;
        if studies.len() > 1 {
            let names: Vec<String> = studies.into_iter().map(|study| study.name).collect();
            bail!("{url} holds several studies; say which with --study: {}", names.join(", "));
        }
        studies.pop().ok_or_else(|| anyhow!("{url} holds no study"))
    };
    find().map_err(Failure::bad_input)
}

/// Whether two configurations train the same run, wherever its bars and its folder lie.
pub(crate) fn is_same_run(one: &RunConfig, other: &RunConfig) -> bool {
    what(one) == what(other)
}

/// The part of a configuration that decides what a trial's score is.
fn what(config: &RunConfig) -> Value {
    let mut config = config.clone();
    config.output = PathBuf::new();
    config.registry = PathBuf::new();
    config.data.source.path = None;
    config.threads = crate::config::ThreadsSpec::Auto;
    config.device = crate::config::DeviceSpec::Auto;
    if let Some(hpo) = &mut config.hpo {
        hpo.study = None;
        hpo.storage = None;
        hpo.trials = 0;
        hpo.retrain = None;
        hpo.keep = crate::config::Keep::default();
    }
    serde_json::to_value(config).unwrap_or_default()
}

/// `key: then → now` for each value that differs.
fn differences(then: &Value, now: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("", then, now, &mut found);
    found
}

fn compare(path: &str, then: &Value, now: &Value, found: &mut Vec<String>) {
    match (then, now) {
        (Value::Object(a), Value::Object(b)) => {
            for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                let side =
                    |map: &serde_json::Map<String, Value>| map.get(key).cloned().unwrap_or(Value::Null);
                compare(&path, &side(a), &side(b), found);
            }
        }
        _ if then == now => {}
        _ => found.push(format!("{path}: {then} → {now}")),
    }
}
