//! A trained extractor as one verified folder: save, load, predict, and a [`Registry`] of versions and aliases. Also the
//! folder itself, hashed and atomic, which checkpoints use too.
//!
//! It must never know the training loop, a tracker or a terminal; it reads no clock and no environment.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use tapeline_artefact::{ARTEFACT_VERSION, Description, Extractor};
//! use tapeline_data_pipeline::{
//!     DataSpec, LabelSpec, SequenceLengthSpec, SourceSpec, Span, Split, SyntheticSpec, built_in_market,
//! };
//! use tapeline_models::{HeadKind, HeadSpec, InputShape, ModelSpec, NetworkSpec, build};
//! use tch::Device;
//!
//! let market = SyntheticSpec { seed: 3, symbols: 1, days: 2, best_ic: 0.4 };
//! let data_spec = DataSpec {
//!     source: SourceSpec { synthetic: Some(market.clone()), ..SourceSpec::default() },
//!     timeframes: vec!["1m".parse()?, "5m".parse()?],
//!     sequence_length: SequenceLengthSpec::Same(8),
//!     stride: 10,
//!     ..DataSpec::default()
//! };
//! let labels = vec![LabelSpec::LogReturn { horizon: 5, lag: 0 }];
//! let data = data_spec.check()?.prepare(built_in_market(&market, Span::ZERO), &labels)?;
//! let inputs = data.inputs().iter();
//! let network_spec = NetworkSpec {
//!     model: ModelSpec::default(),
//!     inputs: inputs.map(|input| InputShape { length: input.length, features: input.width() }).collect(),
//!     heads: vec![HeadSpec { name: "price_prediction".into(), kind: HeadKind::Regression { outputs: 1 } }],
//! };
//! let network = build(&network_spec, 42, Device::Cpu)?; // a trainer would now train it
//!
//! let description = Description {
//!     version: ARTEFACT_VERSION,
//!     data: data_spec,
//!     labels,
//!     fitted: data.fitted().clone(),
//!     network: network_spec,
//!     lineage: serde_json::Value::Null,
//! };
//! let samples = data.samples(Split::Test);
//! let parent = tempfile::tempdir()?;
//! let folder = parent.path().join("extractor");
//! Extractor::save(&folder, &description, network.as_ref(), &data, samples, Device::Cpu)?;
//!
//! let extractor = Extractor::load(&folder, Device::Cpu)?; // hashes checked, outputs proved
//! let said = extractor.predict(&data, samples, 64)?;
//! assert_eq!(said.features.width, 128);
//! assert_eq!(said.heads[0].values.len(), samples.len());
//! # Ok(())
//! # }
//! ```
//!
//! # The folder
//! | file | what it is |
//! |---|---|
//! | `artefact.json` | [`Description`] |
//! | `weights.safetensors` | the weights, as `tapeline-models` writes them |
//! | `golden.safetensors` | windows `input.0`, … of a few samples, and `output.<head>`: what the network said of them |
//! | `MANIFEST` | the BLAKE3 hash of each |
//!
//! # What it does not do
//! - Train, score, or choose what is worth saving.
//! - Undo the scaling of targets: forecasts are standardised, the description's `fitted` says by what.
//! - Read artefacts of another [`ARTEFACT_VERSION`], or sign them: a hash tells damage, not who wrote it.

mod error;
mod extractor;
mod predict;
mod registry;
mod tensor_file;
mod verified_folder;
mod windows;

pub use error::ArtefactError;
pub use extractor::{ARTEFACT_VERSION, Description, Extractor};
pub use predict::{Predictions, Rows, features_and_branches, predict, predict_from};
pub use registry::{
    AliasChange, AliasCommand, Aliases, ENTRY_LAYOUT, Entry, Evidence, Forced, Obstacle, Promotion, Registry,
    RegistryError, Signature, TargetVerdict, Verdict,
};
pub use tensor_file::{tensors_from_bytes, tensors_to_bytes};
pub use verified_folder::{FolderError, MANIFEST, read_folder, replace_file, write_folder};
pub use windows::Windows;
