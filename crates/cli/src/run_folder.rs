//! The folder of a run, and what lies where in it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use tapeline_data_pipeline::Split;
use tapeline_tracking::RunFile;
use tapeline_trainer::{Checkpoints, Lineage, Scorecard};

use crate::pictures::{EMBEDDING, IMAGES};

/// The file that says that a run is made of parts.
const FAMILY: &str = "family.json";
/// The folder of an experiment's studies.
pub(crate) const STUDIES: &str = "hpo";
/// The names of the folders of a study's trials begin with this.
pub(crate) const OF_TRIAL: &str = "trial-";
/// The names of the folders of what a study trained again begin with this.
pub(crate) const OF_RETRAINING: &str = "retrain-";

/// `runs/<experiment>/<run-id>`, or a part of such a run in a folder below it.
#[derive(Clone, Debug)]
pub(crate) struct RunFolder {
    path: PathBuf,
}

/// The folder that `path` lies in, if it is that of a run made of parts.
fn part_of(path: &Path) -> Option<&Path> {
    path.parent().filter(|parent| parent.join(FAMILY).is_file())
}

impl RunFolder {
    /// A new folder under `output/experiment`, named after the time it was made; a number is added if that name is taken.
    pub(crate) fn create(output: &Path, experiment: &str, now: &jiff::Zoned) -> anyhow::Result<Self> {
        Self::create_in(&output.join(experiment), &now.strftime("%Y%m%d-%H%M%S").to_string())
    }

    /// A new folder under `parent`; a number is added to its name if that is taken.
    pub(crate) fn create_in(parent: &Path, id: &str) -> anyhow::Result<Self> {
        fs::create_dir_all(parent).with_context(|| format!("cannot create {}", parent.display()))?;
        let mut attempt = 1;
        loop {
            let name = if attempt == 1 { id.to_owned() } else { format!("{id}-{attempt}") };
            let path = parent.join(name);
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self { path }),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => attempt += 1,
                Err(error) => return Err(error).with_context(|| format!("cannot create {}", path.display())),
            }
        }
    }

    /// The folder of a run that was started before.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        anyhow::ensure!(path.is_dir(), "there is no run at {}", path.display());
        let absolute = fs::canonicalize(path).with_context(|| format!("cannot find {}", path.display()))?;
        let folder = Self { path: absolute };
        let config = folder.config();
        anyhow::ensure!(config.is_file(), "{} is not a run: it has no config.yaml", path.display());
        Ok(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The folder that holds the experiments, wherever it was moved to since. A run of a study lies two folders deeper than
    /// others, in `<experiment>/hpo/<study>`.
    pub(crate) fn output(&self) -> &Path {
        let run = self.whole();
        let ancestor = |level| run.ancestors().nth(level);
        let id = run.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        let of_study = id.starts_with(OF_TRIAL) || id.starts_with(OF_RETRAINING);
        let deeper = of_study && ancestor(2).is_some_and(|folder| folder.ends_with(STUDIES));
        ancestor(if deeper { 4 } else { 2 }).unwrap_or_else(|| Path::new("."))
    }

    /// What lists beside the experiments call it: its path below the folder that holds those.
    pub(crate) fn name_in_output(&self) -> String {
        self.path.strip_prefix(self.output()).unwrap_or(&self.path).to_string_lossy().into_owned()
    }

    /// The run that this one is a part of, or a part of a part; itself where it is none.
    pub(crate) fn whole(&self) -> &Path {
        let mut run = self.path.as_path();
        while let Some(whole) = part_of(run) {
            run = whole;
        }
        run
    }

    /// What trackers call the run that this one is a part of: its path below the experiment.
    pub(crate) fn parent_id(&self) -> Option<String> {
        let experiment = self.whole().parent()?;
        Some(self.parent()?.strip_prefix(experiment).ok()?.to_string_lossy().into_owned())
    }

    /// The run that this one is a part of, such as the walk-forward of a fold.
    pub(crate) fn parent(&self) -> Option<&Path> {
        part_of(&self.path)
    }

    /// The folder of a part of this run, made if it is not there.
    pub(crate) fn member(&self, name: &str) -> anyhow::Result<Self> {
        let path = self.path.join(name);
        fs::create_dir_all(&path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(Self { path })
    }

    /// What its parts are, where it has some.
    pub(crate) fn family(&self) -> PathBuf {
        self.path.join(FAMILY)
    }

    /// What its parts came to, as JSON.
    pub(crate) fn summary(&self) -> PathBuf {
        self.path.join("summary.json")
    }

    /// True once a checkpoint was begun, whole or not.
    pub(crate) fn has_checkpoints(&self) -> bool {
        let entries = fs::read_dir(self.checkpoints().folder());
        entries.is_ok_and(|entries| {
            entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("step-"))
        })
    }

    /// Its name.
    pub(crate) fn id(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.path.join("config.yaml")
    }

    pub(crate) fn lineage(&self) -> PathBuf {
        self.path.join("lineage.json")
    }

    /// What the run was said to be before its first step; `None` where it was not said yet.
    pub(crate) fn described_lineage(&self) -> anyhow::Result<Option<Lineage>> {
        let path = self.lineage();
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            read => read.with_context(|| format!("cannot read {}", path.display()))?,
        };
        let refuse = || format!("{} cannot be understood", path.display());
        let mut file: serde_json::Value = serde_json::from_str(&text).with_context(refuse)?;
        Ok(Some(serde_json::from_value(file["lineage"].take()).with_context(refuse)?))
    }

    /// The proof that nothing saw the future, where somebody asked for one.
    pub(crate) fn leak_certificate(&self) -> PathBuf {
        self.path.join("leak-certificate.json")
    }

    pub(crate) fn audit(&self) -> PathBuf {
        self.path.join("audit.json")
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.path.join("journal.jsonl")
    }

    pub(crate) fn report(&self) -> PathBuf {
        self.path.join("report.html")
    }

    pub(crate) fn artefact(&self) -> PathBuf {
        self.path.join("artefact")
    }

    /// Scores of a span as JSON.
    pub(crate) fn scores(&self, split: &str) -> PathBuf {
        self.path.join(format!("scores-{split}.json"))
    }

    /// What became of the run's targets.
    pub(crate) fn targets(&self) -> PathBuf {
        self.path.join("targets.json")
    }

    /// The scorecards of all spans that were scored so far, oldest span first.
    pub(crate) fn scorecards(&self) -> anyhow::Result<Vec<Scorecard>> {
        let mut cards = Vec::new();
        for split in Split::ALL {
            let path = self.scores(&split.to_string());
            match fs::read(&path) {
                Ok(bytes) => {
                    let card = serde_json::from_slice(&bytes);
                    cards.push(card.with_context(|| format!("{} cannot be understood", path.display()))?);
                }
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
            }
        }
        Ok(cards)
    }

    /// Everything that tells what the run was and what came of it, by name: not its checkpoints, which are for going on,
    /// and not what trackers note.
    pub(crate) fn files(&self) -> anyhow::Result<Vec<RunFile>> {
        let mut files = Vec::new();
        let shown = [IMAGES, EMBEDDING].map(|name| self.path.join(name));
        for folder in [self.path.clone(), self.artefact()].into_iter().chain(shown) {
            let entries = match fs::read_dir(&folder) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                entries => entries.with_context(|| format!("cannot list {}", folder.display()))?,
            };
            for path in entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_file()) {
                let below = path.strip_prefix(&self.path).unwrap_or(&path);
                files.push(RunFile { name: below.to_string_lossy().into_owned(), path: path.clone() });
            }
        }
        files.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(files)
    }

    /// Forecasts of every scored decision.
    pub(crate) fn predictions(&self) -> PathBuf {
        self.path.join("predictions.parquet")
    }

    pub(crate) fn checkpoints(&self) -> Checkpoints {
        Checkpoints::at(self.path.join("checkpoints"))
    }
}
