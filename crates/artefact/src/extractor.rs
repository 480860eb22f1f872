//! A trained extractor as one verified folder.

use std::path::Path;

use serde::{Deserialize, Serialize};
use tapeline_data_pipeline::{DataSpec, Dataset, Fitted, InputLayout, LabelSpec};
use tapeline_models::{Network, NetworkSpec, build, weights_from_bytes, weights_to_bytes};
use tch::{Device, Tensor};

use crate::error::ArtefactError;
use crate::predict::{Predictions, predict, say};
use crate::tensor_file::{tensors_from_bytes, tensors_to_bytes};
use crate::verified_folder::{read_folder, write_folder};
use crate::windows::Windows;

/// The layout of the folder that this release writes and reads.
pub const ARTEFACT_VERSION: u32 = 1;
/// Samples whose inputs and outputs are stored to prove that a loaded network says what it said.
const GOLDEN_SAMPLES: usize = 4;
/// How far a golden output may be off: another processor may order sums differently.
const GOLDEN_TOLERANCE: f64 = 1e-4;

const WEIGHTS: &str = "weights.safetensors";
const DESCRIPTION: &str = "artefact.json";
const GOLDEN: &str = "golden.safetensors";

/// Everything about a trained extractor but its weights: enough to read bars and make its windows again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// [`ARTEFACT_VERSION`] when it was written.
    pub version: u32,
    /// Which bars, features and windows.
    pub data: DataSpec,
    /// What is forecast, in the order of the dataset's label columns.
    pub labels: Vec<LabelSpec>,
    /// All that was learned from train rows besides weights: scaler, target scaling, thresholds, split instants.
    pub fitted: Fitted,
    /// Which network; its heads bear the tasks' names.
    pub network: NetworkSpec,
    /// Where it comes from, as its trainer wrote it.
    pub lineage: serde_json::Value,
}

/// A trained network with what is needed to feed it.
pub struct Extractor {
    id: String,
    description: Description,
    inputs: Vec<InputLayout>,
    network: Box<dyn Network>,
    device: Device,
}

impl Extractor {
    /// The BLAKE3 hash of its files, in hexadecimal: one name for exactly this extractor, wherever its folder lies.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What it is.
    #[must_use]
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// Its network.
    #[must_use]
    pub fn network(&self) -> &dyn Network {
        self.network.as_ref()
    }

    /// What it says of `samples`, in batches of `batch`. They may come from other bars than it was trained on, prepared
    /// [with](tapeline_data_pipeline::Pipeline::prepare_with) the description's `fitted`.
    ///
    /// # Errors
    /// [`ArtefactError::InputLayout`] if timeframes, lengths or channels differ; [`ArtefactError::OtherFit`] if the data was
    /// scaled by other figures.
    pub fn predict(
        &self,
        data: &Dataset,
        samples: &[u32],
        batch: usize,
    ) -> Result<Predictions, ArtefactError> {
        check_inputs(&self.inputs, data.inputs())?;
        if *data.fitted() != self.description.fitted {
            return Err(ArtefactError::OtherFit);
        }
        predict(self.network.as_ref(), data, samples, batch, self.device)
    }

    /// Writes a trained `network` as the new folder `folder`, with golden inputs and outputs from `samples`.
    ///
    /// # Errors
    /// [`ArtefactError::NoSample`] without a sample; [`ArtefactError::Folder`] if it is there already or the disk refuses.
    pub fn save(
        folder: &Path,
        description: &Description,
        network: &dyn Network,
        data: &Dataset,
        samples: &[u32],
        device: Device,
    ) -> Result<(), ArtefactError> {
        if samples.is_empty() {
            return Err(ArtefactError::NoSample);
        }
        let samples = &samples[..samples.len().min(GOLDEN_SAMPLES)];
        let inputs = Windows::on_host(data, device).of(samples)?;
        let outputs = say(network, &inputs)?;
        let mut golden: Vec<(String, Tensor)> = Vec::new();
        golden.extend(
            inputs.into_iter().enumerate().map(|(position, input)| (format!("input.{position}"), input)),
        );
        golden.extend(
            description.network.heads.iter().map(|head| format!("output.{}", head.name)).zip(outputs.heads),
        );
        let description = serde_json::to_vec_pretty(description)
            .map_err(|source| ArtefactError::Parse { path: folder.join(DESCRIPTION), source })?;
        let (weights, golden) = (weights_to_bytes(network.parameters())?, tensors_to_bytes(&golden)?);
        let files: [(&str, &[u8]); 3] = [(DESCRIPTION, &description), (WEIGHTS, &weights), (GOLDEN, &golden)];
        Ok(write_folder(folder, &files)?)
    }

    /// Reads the folder, checks every hash, rebuilds the network and proves it on the golden samples.
    ///
    /// # Errors
    /// [`ArtefactError::Folder`] if a file is damaged; [`ArtefactError::Version`] if another release wrote it;
    /// [`ArtefactError::Golden`] if it does not say what it said.
    pub fn load(folder: &Path, device: Device) -> Result<Self, ArtefactError> {
        let mut files = read_folder(folder)?;
        let mut take = |file| {
            files.remove(file).ok_or_else(|| ArtefactError::MissingFile { folder: folder.into(), file })
        };
        let (description, weights, golden) = (take(DESCRIPTION)?, take(WEIGHTS)?, take(GOLDEN)?);
        let id = id_of([&description, &weights, &golden]);
        let parse = |source| ArtefactError::Parse { path: folder.join(DESCRIPTION), source };
        let Version { version } = serde_json::from_slice(&description).map_err(parse)?;
        if version != ARTEFACT_VERSION {
            return Err(ArtefactError::Version {
                folder: folder.into(),
                found: version,
                expected: ARTEFACT_VERSION,
            });
        }
        let description: Description = serde_json::from_slice(&description).map_err(parse)?;
        let inputs = description.data.check().map_err(ArtefactError::DataSpec)?.inputs().to_vec();
        let network = build(&description.network, 0, device)?;
        weights_from_bytes(network.parameters(), &weights)?;
        let extractor = Self { id, description, inputs, network, device };
        extractor.prove(&tensors_from_bytes(&golden)?)?;
        Ok(extractor)
    }

    fn prove(&self, golden: &[(String, Tensor)]) -> Result<(), ArtefactError> {
        let stored = |name: &str| golden.iter().find(|(key, _)| key == name).map(|(_, tensor)| tensor);
        let inputs: Vec<Tensor> = (0..)
            .map_while(|position| stored(&format!("input.{position}")))
            .map(|tensor| tensor.f_to_device(self.device))
            .collect::<Result<_, _>>()?;
        let outputs = say(self.network.as_ref(), &inputs)?;
        for (head, output) in self.description.network.heads.iter().zip(&outputs.heads) {
            let difference = match stored(&format!("output.{}", head.name)) {
                Some(expected) if expected.size() == output.size() => {
                    let off = output.f_to_device(Device::Cpu)?.f_sub(expected)?.f_abs()?.f_max()?;
                    f64::try_from(off)?
                }
                _ => f64::INFINITY,
            };
            if difference.is_nan() || difference > GOLDEN_TOLERANCE {
                return Err(ArtefactError::Golden {
                    head: head.name.clone(),
                    difference,
                    allowed: GOLDEN_TOLERANCE,
                });
            }
        }
        Ok(())
    }
}

/// The hash of the files' hashes.
fn id_of(files: [&[u8]; 3]) -> String {
    let mut hasher = blake3::Hasher::new();
    for bytes in files {
        hasher.update(blake3::hash(bytes).as_bytes());
    }
    hasher.finalize().to_string()
}

/// Refuses windows with other channels, even if there are as many of them.
fn check_inputs(expected: &[InputLayout], found: &[InputLayout]) -> Result<(), ArtefactError> {
    if expected == found {
        return Ok(());
    }
    let words = |layouts: &[InputLayout]| {
        let words = |input: &InputLayout| {
            format!("{}: {} bars of [{}]", input.timeframe, input.length, input.channels.join(", "))
        };
        layouts.iter().map(words).collect::<Vec<_>>().join(", ")
    };
    Err(ArtefactError::InputLayout { expected: words(expected), found: words(found) })
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}
