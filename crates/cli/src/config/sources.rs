//! What a configuration is read from. This is the only place of it that touches files or the environment.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::fault::{Fault, Origin};
use super::key_path::KeyPath;
use super::layer::Layer;
use super::layers::Layers;
use super::schema::Schema;
use super::suggest;
use super::tree::Mark;

/// The configuration of a run that names no file.
const BUILT_IN: &str = include_str!("../../../../configs/quickstart.yaml");
const BUILT_IN_NAME: &str = "built-in quickstart.yaml";

/// Variables start with this; `__` separates keys.
const PREFIX: &str = "TAPELINE_";

/// Variables with the prefix that are not keys of a configuration: the folder with real bars that tests read, the filter
/// of the log, the Python that parity checks use, and whether tests insist on a GPU.
const NOT_KEYS: [&str; 4] = ["TAPELINE_BARS", "TAPELINE_GPU", "TAPELINE_LOG", "TAPELINE_PYTHON"];

/// Where to read a configuration from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources {
    /// The file; without one, the built-in quickstart.
    pub(crate) file: Option<PathBuf>,
    /// The environment: `TAPELINE_…` are keys, `HOME` is what `~` stands for.
    pub(crate) environment: Vec<(OsString, OsString)>,
    /// What `--set` was given, in order.
    pub(crate) set: Vec<String>,
    /// A text with a name, instead of a file.
    pub(crate) text: Option<(String, String)>,
    /// What a search tries: values as JSON by their keys.
    pub(crate) searched: Vec<(String, String)>,
}

impl Sources {
    /// A file, this process' environment, and flags.
    pub(crate) fn of_process(file: Option<PathBuf>, set: Vec<String>) -> Self {
        Self { file, environment: std::env::vars_os().collect(), set, ..Self::default() }
    }

    /// The folder that `~` stands for.
    pub(crate) fn home(&self) -> Option<PathBuf> {
        let home = self.environment.iter().find(|(name, _)| name == "HOME").map(|(_, value)| value)?;
        (!home.is_empty()).then(|| home.into())
    }

    /// The layers of these sources, with whatever could not be read.
    pub(crate) fn layers(&self) -> (Layers, Vec<Fault>) {
        let (mut layers, mut faults) = (Layers::default(), Vec::new());
        match self.file_layer() {
            Ok(layer) => layers.merge(layer),
            Err(found) => faults.extend(found),
        }
        if let Err(found) = layers.seed_tasks() {
            faults.extend(found);
        }
        for single in self.variables().into_iter().chain(self.flags()) {
            match single {
                Ok((path, layer)) => layers.replace(&path, layer),
                Err(found) => faults.extend(found),
            }
        }
        for (key, value) in &self.searched {
            let path = KeyPath::parse(key);
            match Layer::searched(key, &path, value) {
                Ok(layer) => layers.try_value(&path, layer, Schema::of(super::schema())),
                Err(found) => faults.extend(found),
            }
        }
        (layers, faults)
    }

    fn file_layer(&self) -> Result<Layer, Vec<Fault>> {
        if let Some((name, text)) = &self.text {
            return Layer::file(name.clone(), text);
        }
        let Some(path) = &self.file else { return Layer::file(BUILT_IN_NAME.into(), BUILT_IN) };
        let text = read(path)?;
        Layer::file(path.display().to_string(), &text)
    }

    fn variables(&self) -> Vec<Result<(KeyPath, Layer), Vec<Fault>>> {
        let mut variables: Vec<_> = self
            .environment
            .iter()
            .map(|(name, value)| (name.to_string_lossy().into_owned(), value))
            .filter(|(name, _)| {
                let ours = name.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX));
                ours && !NOT_KEYS.iter().any(|other| name.eq_ignore_ascii_case(other))
            })
            .collect();
        // A section's own variable comes before those of the keys in it.
        variables.sort_by_key(|(name, _)| name.to_ascii_uppercase());
        let twice =
            |index: usize| index > 0 && variables[index - 1].0.eq_ignore_ascii_case(&variables[index].0);
        variables
            .iter()
            .enumerate()
            .map(|(index, (name, value))| {
                let path = KeyPath::split(&name[PREFIX.len()..].to_ascii_lowercase(), "__").with_whole_keys();
                let fault = |message: String| {
                    let origin = Origin::Environment { variable: name.clone() };
                    vec![Fault { origin, path: path.clone(), message, help: None }]
                };
                if twice(index) {
                    return Err(fault(format!(
                        "{} is set too; letter case makes no difference",
                        variables[index - 1].0
                    )));
                }
                let value = value.to_str().ok_or_else(|| fault("the value is not UTF-8".into()))?;
                Ok((path.clone(), Layer::environment(name.clone(), &path, value)?))
            })
            .collect()
    }

    fn flags(&self) -> Vec<Result<(KeyPath, Layer), Vec<Fault>>> {
        self.set
            .iter()
            .map(|text| {
                let (key, value) =
                    text.split_once('=').filter(|(key, _)| !key.trim().is_empty()).ok_or_else(|| {
                        vec![Fault {
                            origin: Origin::Flag { text: text.clone() },
                            path: KeyPath::root(),
                            message: "expected key=value".into(),
                            help: Some("for example --set training.num_epochs=50".into()),
                        }]
                    })?;
                let path = KeyPath::split(key.trim(), ".").with_whole_keys();
                let layer = Layer::flag(text.clone(), &path, value)?;
                Ok((path, layer))
            })
            .collect()
    }
}

fn read(path: &Path) -> Result<String, Vec<Fault>> {
    let fault = |message: String, help: Option<String>| Fault {
        origin: Origin::File { name: path.display().to_string(), at: None },
        path: KeyPath::root(),
        message,
        help,
    };
    let bytes = fs::read(path).map_err(|error| {
        vec![match error.kind() {
            io::ErrorKind::NotFound => fault("there is no such file".into(), near_files(path)),
            io::ErrorKind::IsADirectory => fault("this is a folder, not a file".into(), files_in(path)),
            _ => fault(format!("cannot be read: {error}"), None),
        }]
    })?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let good = String::from_utf8_lossy(valid);
        let mark = Mark {
            line: good.matches('\n').count() + 1,
            column: good.chars().rev().take_while(|c| *c != '\n').count() + 1,
            width: 1,
        };
        let name = path.display().to_string();
        vec![Fault {
            origin: Origin::File { name, at: Some((mark, String::new())) },
            path: KeyPath::root(),
            message: "not UTF-8 from here on".into(),
            help: Some("save the file as UTF-8".into()),
        }]
    })
}

/// The name in the same folder that was probably meant, else the YAML files there.
fn near_files(path: &Path) -> Option<String> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let names = yaml_files(folder);
    let wanted = path.file_name()?.to_string_lossy();
    match suggest::nearest(&wanted, names.iter().map(String::as_str)) {
        Some(name) => Some(format!("did you mean {}?", path.with_file_name(name).display())),
        None => files_in(folder),
    }
}

fn files_in(folder: &Path) -> Option<String> {
    let names = yaml_files(folder);
    (!names.is_empty()).then(|| format!("there are: {}", names.join(", ")))
}

/// Names of YAML files in a folder, sorted; none where it cannot be read.
fn yaml_files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".yaml") || name.ends_with(".yml"))
        .collect();
    names.sort();
    names
}
