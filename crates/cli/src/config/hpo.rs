//! The `hpo:` section: what is searched, by which values, how, and for how long.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tapeline_data_pipeline::{FoldsSpec, HoldoutSpec};
use tapeline_hpo::{Direction, HpoError, PrunerSpec, Sampler, SamplerSpec, SearchSpace, Space, SpaceSpec};
use tapeline_trainer::{Tasks, metric};

use super::key_path::KeyPath;
use super::storage_url::StorageUrl;

/// Trials of a study that names no number: what a space of a few parameters needs.
const DEFAULT_TRIALS: usize = 100;

/// Configurations that are trained again at the end of a study: the best may owe its place to its seed.
const DEFAULT_TOP: usize = 5;

/// Seeds of each: the fewest that have a standard deviation worth reading.
const DEFAULT_SEEDS: usize = 3;

/// The objective that is no score: seconds from a trial's first step to its last.
pub(crate) const SECONDS: &str = "training/seconds";
/// The objective that is known before the first step: scalars that the network learns.
pub(crate) const PARAMETERS: &str = "model/parameters";

/// A search over values of the configuration it stands in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct HpoSpec {
    /// The study's name; without one, the experiment's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) study: Option<String>,
    /// Where the study is remembered: `sqlite:///FILE` or `postgresql://…`; without one, a file in the study's folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) storage: Option<StorageUrl>,
    /// What is to become good. Of several objectives none is better than the others: the result is a front.
    pub(crate) objectives: Vec<ObjectiveSpec>,
    /// What a trial is scored on.
    pub(crate) scored_on: ScoredOn,
    /// Who proposes values.
    pub(crate) sampler: SamplerSpec,
    /// The seed of what is proposed; without one, the run's seed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seed: Option<u64>,
    /// Who gives up on trials early, from their objective after each epoch, or from its mean so far after each fold. With
    /// several objectives nobody does.
    pub(crate) pruner: PrunerSpec,
    /// Trials of the study, those that are pruned or fail included.
    pub(crate) trials: usize,
    /// Whether the first trial is the configuration as it stands, so that the study is held against it.
    pub(crate) default_first: bool,
    /// What a trial leaves behind.
    pub(crate) keep: Keep,
    /// Trains the best configurations again when all trials are done; not unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retrain: Option<RetrainSpec>,
    /// What each searched value may be, by its key, such as `training.optimizer.learning_rate`.
    pub(crate) search_space: SpaceSpec,
}

impl Default for HpoSpec {
    fn default() -> Self {
        Self {
            study: None,
            storage: None,
            objectives: vec![ObjectiveSpec { metric: "validation/loss".into(), direction: None }],
            scored_on: ScoredOn::default(),
            sampler: SamplerSpec::default(),
            seed: None,
            pruner: PrunerSpec::default(),
            trials: DEFAULT_TRIALS,
            default_first: true,
            keep: Keep::default(),
            retrain: None,
            search_space: SpaceSpec::default(),
        }
    }
}

/// A metric and which way it is better.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ObjectiveSpec {
    /// A metric of the validation span, `training/seconds` or `model/parameters`.
    pub(crate) metric: String,
    /// Which way is better; every metric knows its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) direction: Option<DirectionSpec>,
}

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DirectionSpec {
    /// Less.
    Minimize,
    /// More.
    Maximize,
}

/// What a trial is scored on. Test spans and test blocks stay closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ScoredOn {
    /// The validation span, after each epoch.
    #[default]
    Span,
    /// The validation blocks of the folds of `walk_forward`, one training after the other: the mean over them.
    Folds,
}

impl ScoredOn {
    /// What a trial reports its objective after.
    pub(crate) const fn step(self) -> &'static str {
        match self {
            Self::Span => "epoch",
            Self::Folds => "fold",
        }
    }
}

/// What a trial leaves behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Keep {
    /// Configuration, lineage and journal.
    #[default]
    Journal,
    /// Its checkpoints too, from which `tapeline train --resume` makes a whole run of it.
    Checkpoints,
}

/// How the best configurations are trained again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RetrainSpec {
    /// So many configurations, the best by their trials.
    pub(crate) top: usize,
    /// So many seeds for each, none of them the study's.
    pub(crate) seeds: usize,
}

impl Default for RetrainSpec {
    fn default() -> Self {
        Self { top: DEFAULT_TOP, seeds: DEFAULT_SEEDS }
    }
}

/// An objective that a run with some tasks will have.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Objective {
    pub(crate) metric: String,
    pub(crate) direction: Direction,
}

impl Objective {
    /// True for what is measured after each epoch, and can so tell early how a trial will end.
    pub(crate) fn is_score(&self) -> bool {
        ![SECONDS, PARAMETERS].contains(&self.metric.as_str())
    }

    /// Whether `value` is better than `other`.
    pub(crate) fn prefers(&self, value: f64, other: f64) -> bool {
        match self.direction {
            Direction::Minimize => value < other,
            Direction::Maximize => value > other,
        }
    }
}

impl ObjectiveSpec {
    /// The objective, or what is wrong with which key.
    fn check(&self, tasks: &Tasks) -> Result<Objective, (&'static str, String)> {
        let own = if [SECONDS, PARAMETERS].contains(&self.metric.as_str()) {
            DirectionSpec::Minimize
        } else {
            let found = metric::find(&self.metric, tasks).map_err(|nearest| {
                let nearest = nearest.join(", ");
                let message = format!(
                    "a run will not have it; the nearest are {nearest}, and there are {SECONDS} and {PARAMETERS}"
                );
                ("metric", message)
            })?;
            match found.direction {
                metric::Direction::Minimise => DirectionSpec::Minimize,
                metric::Direction::Maximise => DirectionSpec::Maximize,
            }
        };
        if self.direction.is_some_and(|given| given != own) {
            let (way, word) = match own {
                DirectionSpec::Minimize => ("smaller", "minimize"),
                DirectionSpec::Maximize => ("larger", "maximize"),
            };
            let message =
                format!("{} is better the {way} it is; write {word}, or leave the key out", self.metric);
            return Err(("direction", message));
        }
        let direction = match own {
            DirectionSpec::Minimize => Direction::Minimize,
            DirectionSpec::Maximize => Direction::Maximize,
        };
        Ok(Objective { metric: self.metric.clone(), direction })
    }
}

impl HpoSpec {
    /// The sampler, over the parameters of `space`.
    ///
    /// # Errors
    /// Every fault, with its path relative to `hpo.sampler`.
    pub(crate) fn sampler(&self, space: &Space) -> Result<Box<dyn Sampler>, garde::Report> {
        let declared: SearchSpace = space
            .names()
            .filter_map(|name| Some((name.to_owned(), space.distribution(name)?.clone())))
            .collect();
        self.sampler.check(&declared)
    }

    /// The objectives, of a section that was checked with the same tasks.
    pub(crate) fn objectives(&self, tasks: &Tasks) -> Vec<Objective> {
        self.objectives.iter().filter_map(|spec| spec.check(tasks).ok()).collect()
    }

    /// What is impossible in the section itself: keys and messages, relative to the root. `tasks` are known unless they have
    /// faults of their own.
    pub(super) fn faults(&self, tasks: Option<&Tasks>, folds: &FoldsSpec) -> Vec<(KeyPath, String)> {
        let root = KeyPath::root().join("hpo");
        let mut faults = Vec::new();
        if let Some(Err(message)) = self.study.as_deref().map(super::run::check_folder_name) {
            faults.push((root.join("study"), message));
        }
        if let Some(message) = self.storage.as_ref().and_then(StorageUrl::fault) {
            faults.push((root.join("storage"), message));
        }
        if self.trials == 0 {
            faults.push((root.join("trials"), "0 is too few; give at least 1".into()));
        }
        if self.scored_on == ScoredOn::Folds && folds.holdout() == HoldoutSpec::Open {
            let message =
                "trials would be chosen by the test span, since walk_forward.holdout is open; close it"
                    .into();
            faults.push((root.join("scored_on"), message));
        }
        if let Some(retrain) = self.retrain {
            for (key, count) in [("top", retrain.top), ("seeds", retrain.seeds)] {
                if count == 0 {
                    let path = root.join("retrain").join(key);
                    faults.push((path, "0 is too few; give at least 1, or leave the section out".into()));
                }
            }
        }
        self.push_objective_faults(tasks, &root.join("objectives"), &mut faults);
        for (path, error) in self.pruner.check().err().iter().flat_map(garde::Report::iter) {
            faults.push((KeyPath::parse(&format!("hpo.pruner.{path}")), error.to_string()));
        }
        self.push_space_faults(&root.join("search_space"), &mut faults);
        faults
    }

    fn push_objective_faults(
        &self,
        tasks: Option<&Tasks>,
        list: &KeyPath,
        faults: &mut Vec<(KeyPath, String)>,
    ) {
        if self.objectives.is_empty() {
            faults.push((list.clone(), "at least one objective is needed".into()));
        }
        let mut names = BTreeSet::new();
        for (index, objective) in self.objectives.iter().enumerate() {
            let path = list.then(super::key_path::Step::Index(index));
            if !names.insert(&objective.metric) {
                faults.push((path.join("metric"), format!("{} is an objective already", objective.metric)));
            }
            if let Some(Err((key, message))) = tasks.map(|tasks| objective.check(tasks)) {
                faults.push((path.join(key), message));
            }
        }
    }

    fn push_space_faults(&self, section: &KeyPath, faults: &mut Vec<(KeyPath, String)>) {
        for key in self.search_space.0.keys() {
            if let Some(message) = refusal(key, self) {
                faults.push((section.join(key), message));
            }
        }
        let messages = match self.search_space.check() {
            Err(HpoError::Space { faults }) => faults,
            Err(other) => vec![other.to_string()],
            Ok(space) => {
                for (path, error) in self.sampler(&space).err().iter().flat_map(garde::Report::iter) {
                    faults.push((KeyPath::parse(&format!("hpo.sampler.{path}")), error.to_string()));
                }
                return;
            }
        };
        for message in messages {
            // The message names its parameter first.
            let named = |key: &&String| message.find(&format!("{key:?}"));
            let keys = self.search_space.0.keys().filter(|key| named(key).is_some());
            let path = keys.min_by_key(named).map_or_else(|| section.clone(), |key| section.join(key));
            faults.push((path, message));
        }
    }
}

/// Why a key cannot be searched, if it cannot.
fn refusal(key: &str, spec: &HpoSpec) -> Option<String> {
    const SEARCHED: [&str; 4] = ["data", "tasks", "model", "training"];
    let within =
        |section: &str| key == section || key.strip_prefix(section).is_some_and(|rest| rest.starts_with('.'));
    let section = key.split('.').next().unwrap_or_default();
    let known = [
        "experiment",
        "seed",
        "device",
        "threads",
        "output",
        "registry",
        "walk_forward",
        "targets",
        "tracking",
        "hpo",
    ];
    if section == "seed" {
        return Some("the seed is luck, not a choice; `retrain` shows what it does to the best".into());
    }
    if known.contains(&section) {
        return Some(format!("only keys of {} can be searched", SEARCHED.join(", ")));
    }
    for section in ["data.source", "data.split", "data.audit", "data.repair"] {
        if within(section) {
            return Some(format!("scores on other bars cannot be compared, so {section} stands still"));
        }
    }
    let weighs = key.starts_with("tasks.") && key.ends_with(".weight");
    let by_loss = spec.objectives.iter().any(|objective| objective.metric == "validation/loss");
    if (weighs || within("tasks")) && by_loss {
        return Some(
            "validation/loss is made of the tasks and their weights, so trials could not be compared by it; choose another \
             objective, such as a rank IC"
                .into(),
        );
    }
    None
}
