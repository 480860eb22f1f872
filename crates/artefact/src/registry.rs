//! Trained extractors under names that last: `<model>/<version>` is a verified copy of an artefact with what is known of it,
//! and an alias such as `champion` names the version to use.
//!
//! ```text
//! registry/<model>/
//!   1/ 2/ …        artefact.json  weights.safetensors  golden.safetensors  entry.json  MANIFEST
//!   aliases.json   where each alias points, and every move it has made
//!   last-version   the highest number that was ever given: none is given twice
//!   .lock          held while something is changed
//! ```
//!
//! A version is written beside its place, read back, and renamed; it never changes afterwards. `aliases.json` is replaced by
//! rename. So whoever reads takes no lock, and a process that is killed leaves the registry as it was.

mod add;
mod alias;
mod entry;
mod error;
mod lock;
mod name;
mod obstacle;
mod promote;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use tch::Device;

use crate::extractor::Extractor;
use crate::verified_folder::{io_error, read_folder};

pub use alias::{AliasChange, AliasCommand, Aliases, Forced};
pub use entry::{ENTRY_LAYOUT, Entry, Evidence, Signature, TargetVerdict, Verdict};
pub use error::RegistryError;
pub use obstacle::Obstacle;
pub use promote::Promotion;

const ENTRY: &str = "entry.json";
const ALIASES: &str = "aliases.json";
const LAST_VERSION: &str = "last-version";

/// A folder of models, their versions and aliases.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use tapeline_artefact::{ARTEFACT_VERSION, Description, Extractor};
/// # use tapeline_data_pipeline::{
/// #     DataSpec, LabelSpec, SequenceLengthSpec, SourceSpec, Span, Split, SyntheticSpec, built_in_market, leak,
/// # };
/// # use tapeline_models::{HeadKind, HeadSpec, InputShape, ModelSpec, NetworkSpec, build};
/// # use tch::Device;
/// # let market = SyntheticSpec { seed: 3, symbols: 1, days: 2, best_ic: 0.4 };
/// # let data_spec = DataSpec {
/// #     source: SourceSpec { synthetic: Some(market.clone()), ..SourceSpec::default() },
/// #     timeframes: vec!["1m".parse()?, "5m".parse()?],
/// #     sequence_length: SequenceLengthSpec::Same(8),
/// #     stride: 10,
/// #     ..DataSpec::default()
/// # };
/// # let labels = vec![LabelSpec::LogReturn { horizon: 5, lag: 0 }];
/// # let pipeline = data_spec.check()?;
/// # let bars = built_in_market(&market, Span::ZERO);
/// # let certificate = leak::check(&pipeline, &bars, &labels, 2, 0)?;
/// # let data = pipeline.prepare(bars.clone(), &labels)?;
/// # let inputs = data.inputs().iter();
/// # let network_spec = NetworkSpec {
/// #     model: ModelSpec::default(),
/// #     inputs: inputs.map(|input| InputShape { length: input.length, features: input.width() }).collect(),
/// #     heads: vec![HeadSpec { name: "price_prediction".into(), kind: HeadKind::Regression { outputs: 1 } }],
/// # };
/// # let network = build(&network_spec, 42, Device::Cpu)?;
/// # let description = Description {
/// #     version: ARTEFACT_VERSION,
/// #     data: data_spec,
/// #     labels: labels.clone(),
/// #     fitted: data.fitted().clone(),
/// #     network: network_spec,
/// #     lineage: serde_json::json!({ "data": data.fingerprint() }),
/// # };
/// # let parent = tempfile::tempdir()?;
/// # let artefact = parent.path().join("artefact");
/// # Extractor::save(&artefact, &description, network.as_ref(), &data, data.samples(Split::Test), Device::Cpu)?;
/// # let root = parent.path().join("registry");
/// use tapeline_artefact::{Evidence, Registry, Signature};
///
/// // Whoever trains: a version with what is known of it, and the alias that says it is the one to use.
/// let registry = Registry::create(&root)?;
/// let evidence = Evidence { leak_certificate: Some(certificate), ..Evidence::default() };
/// let signature = Signature { at: "2026-01-31T00:00:00Z".into(), by: "research".into() };
/// let entry = registry.add("hybrid", &artefact, evidence, &signature)?;
/// registry.promote("hybrid", entry.version, "champion", &signature, None)?;
///
/// // Whoever trades: the extractor behind the alias, hashes checked and outputs proved.
/// let extractor = Registry::open(&root)?.resolve("hybrid", "champion")?;
/// let live = extractor.description().data.check()?.prepare_with(bars, &labels, &extractor.description().fitted)?;
/// let newest = live.windows().len() as u32 - 1;
/// assert_eq!(extractor.predict(&live, &[newest], 1)?.features.width, 128);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Registry {
    root: PathBuf,
    device: Device,
}

impl Registry {
    /// The registry at `root`, which is there.
    ///
    /// # Errors
    /// [`RegistryError::NoRegistry`] if it is not.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, RegistryError> {
        let root = root.into();
        if root.is_dir() {
            Ok(Self { root, device: Device::Cpu })
        } else {
            Err(RegistryError::NoRegistry { root })
        }
    }

    /// The registry at `root`, which is made if need be.
    ///
    /// # Errors
    /// [`RegistryError::Folder`] if it cannot be made.
    pub fn create(root: impl Into<PathBuf>) -> Result<Self, RegistryError> {
        let root = root.into();
        fs::create_dir_all(&root).map_err(io_error("create", &root))?;
        Self::open(root)
    }

    /// The same registry, whose extractors are loaded to `device` instead of the CPU.
    #[must_use]
    pub fn on(self, device: Device) -> Self {
        Self { device, ..self }
    }

    /// Where it is.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The extractor of a model that `reference` names: an alias such as `champion`, or a version's number.
    ///
    /// # Errors
    /// [`RegistryError::NoModel`], [`RegistryError::NoAlias`] or [`RegistryError::NoVersion`] with what there is instead;
    /// [`RegistryError::Unusable`] if the version is damaged.
    pub fn resolve(&self, model: &str, reference: &str) -> Result<Extractor, RegistryError> {
        self.load(model, self.version(model, reference)?)
    }

    /// The extractor of a version: hashes checked, outputs proved.
    ///
    /// # Errors
    /// [`RegistryError::NoVersion`] if it is not there; [`RegistryError::Unusable`] if it is damaged.
    pub fn load(&self, model: &str, version: u32) -> Result<Extractor, RegistryError> {
        self.check_version(model, version)?;
        let unusable =
            |source| RegistryError::Unusable { model: model.into(), version, source: Box::new(source) };
        Extractor::load(&self.folder_of(model, version), self.device).map_err(unusable)
    }

    /// The number that `reference` stands for: an alias, or the number itself.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve).
    pub fn version(&self, model: &str, reference: &str) -> Result<u32, RegistryError> {
        if let Ok(version) = reference.parse() {
            self.check_version(model, version)?;
            return Ok(version);
        }
        let aliases = self.aliases(model)?;
        let missing = || RegistryError::NoAlias {
            model: model.into(),
            alias: reference.into(),
            there_are: aliases.names().map(str::to_owned).collect(),
        };
        aliases.get(reference).ok_or_else(missing)
    }

    /// The models, in the order of their names.
    ///
    /// # Errors
    /// [`RegistryError::Folder`] if the folder cannot be listed.
    pub fn models(&self) -> Result<Vec<String>, RegistryError> {
        let mut models = folder_names(&self.root)?;
        models.retain(|name| name::check_model(name).is_ok());
        models.sort();
        Ok(models)
    }

    /// The numbers of a model's versions, ascending.
    ///
    /// # Errors
    /// [`RegistryError::NoModel`] if there is no such model.
    pub fn versions(&self, model: &str) -> Result<Vec<u32>, RegistryError> {
        self.check_model(model)?;
        numbers(&self.model_folder(model))
    }

    /// What is known of a version. Every file's hash is checked; the network is not built.
    ///
    /// # Errors
    /// [`RegistryError::NoVersion`] if it is not there; [`RegistryError::Unusable`] or [`RegistryError::Parse`] if it is
    /// damaged.
    pub fn entry(&self, model: &str, version: u32) -> Result<Entry, RegistryError> {
        self.check_version(model, version)?;
        let folder = self.folder_of(model, version);
        let unusable = |source: crate::ArtefactError| RegistryError::Unusable {
            model: model.into(),
            version,
            source: Box::new(source),
        };
        let mut files = read_folder(&folder).map_err(|error| unusable(error.into()))?;
        let missing = crate::ArtefactError::MissingFile { folder: folder.clone(), file: ENTRY };
        let bytes = files.remove(ENTRY).ok_or_else(|| unusable(missing))?;
        Entry::parse(&bytes, &folder.join(ENTRY))
    }

    /// Where a model's aliases point, and how they came to.
    ///
    /// # Errors
    /// [`RegistryError::NoModel`] if there is no such model; [`RegistryError::Parse`] or [`RegistryError::Aliases`] if the
    /// file of aliases is damaged.
    pub fn aliases(&self, model: &str) -> Result<Aliases, RegistryError> {
        self.check_model(model)?;
        Aliases::read(&self.model_folder(model).join(ALIASES))
    }

    /// The folder of a version.
    #[must_use]
    pub fn folder_of(&self, model: &str, version: u32) -> PathBuf {
        self.model_folder(model).join(version.to_string())
    }

    fn model_folder(&self, model: &str) -> PathBuf {
        self.root.join(model)
    }

    fn check_model(&self, model: &str) -> Result<(), RegistryError> {
        name::check_model(model)?;
        if self.model_folder(model).is_dir() {
            return Ok(());
        }
        Err(RegistryError::NoModel {
            root: self.root.clone(),
            model: model.into(),
            there_are: self.models()?,
        })
    }

    fn check_version(&self, model: &str, version: u32) -> Result<(), RegistryError> {
        self.check_model(model)?;
        if version > 0 && self.folder_of(model, version).is_dir() {
            return Ok(());
        }
        Err(RegistryError::NoVersion { model: model.into(), version, there_are: self.versions(model)? })
    }
}

/// The names of the folders in `folder`.
fn folder_names(folder: &Path) -> Result<Vec<String>, RegistryError> {
    let list = |source| RegistryError::from(io_error("list", folder)(source));
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(list)? {
        let entry = entry.map_err(list)?;
        let is_folder = entry.file_type().map_err(list)?.is_dir();
        names.extend(entry.file_name().into_string().ok().filter(|_| is_folder));
    }
    Ok(names)
}

/// The versions in a model's folder, ascending. A number is written in one way only.
fn numbers(folder: &Path) -> Result<Vec<u32>, RegistryError> {
    let number =
        |name: String| name.parse::<u32>().ok().filter(|number| *number > 0 && number.to_string() == name);
    let mut numbers: Vec<u32> = folder_names(folder)?.into_iter().filter_map(number).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// The bytes of a file that may not be there yet.
fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, RegistryError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_error("read", path)(error).into()),
    }
}
