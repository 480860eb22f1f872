//! What a run is, as a user writes it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use tapeline_data_pipeline::{DataSpec, FoldsSpec};
use tapeline_models::ModelSpec;
use tapeline_tracking::TrackingSpec;
use tapeline_trainer::{TargetsSpec, TasksSpec, TrainingSpec};

use super::hpo::HpoSpec;
use super::key_path::KeyPath;

/// The seed of a run that names none.
const DEFAULT_SEED: u64 = 42;

/// The longest experiment name: it is the name of a folder, and file systems end at 255 bytes.
const LONGEST_EXPERIMENT: usize = 100;

/// A run of Tapeline. Every key has a default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RunConfig {
    /// Runs of one experiment stand in one folder of this name.
    pub(crate) experiment: String,
    /// The root of all randomness.
    pub(crate) seed: u64,
    /// Where the network is trained.
    pub(crate) device: DeviceSpec,
    /// CPU threads; recorded, part of what makes a resume exact.
    pub(crate) threads: ThreadsSpec,
    /// The folder that experiments are written to.
    pub(crate) output: PathBuf,
    /// The folder of the registry: versions of trained extractors, and the aliases that name them.
    pub(crate) registry: PathBuf,
    /// Which bars, and what is made of them.
    pub(crate) data: DataSpec,
    /// What the network learns to say.
    pub(crate) tasks: TasksSpec,
    /// The network.
    pub(crate) model: ModelSpec,
    /// How it is trained.
    pub(crate) training: TrainingSpec,
    /// How `tapeline walk-forward` cuts its folds; `train` has no use for it.
    pub(crate) walk_forward: FoldsSpec,
    /// What its scores must reach; none unless given.
    pub(crate) targets: TargetsSpec,
    /// Who hears of it; nobody unless given.
    pub(crate) tracking: TrackingSpec,
    /// What is searched when it is tuned; nothing unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hpo: Option<HpoSpec>,
}

impl Default for RunConfig {
    fn default() -> Self {
        Self {
            experiment: "tapeline".into(),
            seed: DEFAULT_SEED,
            device: DeviceSpec::Auto,
            threads: ThreadsSpec::Auto,
            output: "runs".into(),
            registry: "registry".into(),
            data: DataSpec::default(),
            tasks: TasksSpec::default(),
            model: ModelSpec::default(),
            training: TrainingSpec::default(),
            walk_forward: FoldsSpec::default(),
            targets: TargetsSpec::default(),
            tracking: TrackingSpec::default(),
            hpo: None,
        }
    }
}

impl RunConfig {
    /// Everything impossible in the values themselves, over all sections.
    pub(crate) fn faults(&self) -> Vec<(KeyPath, String)> {
        let mut faults = self.own_faults();
        let tasks = self.tasks.check();
        // Which metrics there are is known once the tasks are.
        let targets = tasks.as_ref().ok().and_then(|tasks| self.targets.check(tasks).err());
        faults.extend(self.hpo.iter().flat_map(|hpo| hpo.faults(tasks.as_ref().ok(), &self.walk_forward)));
        for (section, report) in [
            ("data", self.data.check().err()),
            ("tasks", tasks.err()),
            ("model", self.model.check().err()),
            ("training", self.training.check().err()),
            ("walk_forward", self.walk_forward.check().err()),
            ("targets", targets),
            ("tracking", self.tracking.check().err()),
        ] {
            for (path, error) in report.iter().flat_map(garde::Report::iter) {
                faults.push((KeyPath::parse(&format!("{section}.{path}")), error.to_string()));
            }
        }
        faults
    }

    fn own_faults(&self) -> Vec<(KeyPath, String)> {
        let mut faults = Vec::new();
        if let Err(message) = check_folder_name(&self.experiment) {
            faults.push((KeyPath::root().join("experiment"), message));
        }
        if self.threads == ThreadsSpec::Count(0) {
            faults.push((KeyPath::root().join("threads"), "at least 1 thread is needed, or auto".into()));
        }
        for (key, folder) in [("output", &self.output), ("registry", &self.registry)] {
            if folder.as_os_str().is_empty() {
                faults.push((KeyPath::root().join(key), "a folder is needed; `.` is the current one".into()));
            }
        }
        faults
    }
}

/// Whether `name` can be that of a folder.
pub(super) fn check_folder_name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("a name is needed: it becomes a folder".into());
    }
    if name.len() > LONGEST_EXPERIMENT {
        return Err(format!(
            "the name of a folder has at most {LONGEST_EXPERIMENT} characters, this has {}",
            name.len()
        ));
    }
    if let Some(odd) = name.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))) {
        return Err(format!(
            "{odd:?} cannot stand in the name of a folder; letters, digits, `.`, `_` and `-` can"
        ));
    }
    if !name.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_') {
        return Err("the name of a folder starts with a letter, a digit or `_`".into());
    }
    Ok(())
}

/// Where the network is trained: `auto`, `cpu`, `cuda` or `cuda:1`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum DeviceSpec {
    /// The first GPU where there is one, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The GPU of this index.
    Cuda(usize),
}

impl fmt::Display for DeviceSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(index) => write!(f, "cuda:{index}"),
        }
    }
}

impl FromStr for DeviceSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(0)),
            _ => text
                .strip_prefix("cuda:")
                .and_then(|index| index.parse().ok())
                .map(Self::Cuda)
                .ok_or_else(|| format!("`{text}` is not a device; expected auto, cpu, cuda or cuda:1")),
        }
    }
}

impl Serialize for DeviceSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DeviceSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for DeviceSpec {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "DeviceSpec".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^(auto|cpu|cuda(:[0-9]+)?)$",
            "examples": ["auto", "cpu", "cuda", "cuda:1"],
        })
    }
}

/// CPU threads: `auto` (one for each core) or a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected `auto` or a number of threads")]
pub(crate) enum ThreadsSpec {
    /// One for each core.
    #[default]
    #[serde(with = "auto")]
    #[schemars(with = "String", extend("const" = "auto"))]
    Auto,
    /// So many.
    Count(usize),
}

mod auto {
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("auto")
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
        let word = String::deserialize(deserializer)?;
        if word == "auto" { Ok(()) } else { Err(de::Error::custom("expected `auto`")) }
    }
}
