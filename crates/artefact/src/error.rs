//! What can go wrong with a trained extractor.

use std::path::PathBuf;

use tapeline_data_pipeline::DataError;
use tapeline_models::ModelError;

use crate::verified_folder::FolderError;

/// Why an artefact could not be made, saved, loaded or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArtefactError {
    /// The folder could not be written or is damaged.
    #[error("cannot use the artefact folder")]
    Folder(#[from] FolderError),
    /// A file of the artefact is missing.
    #[error("{} has no {file}", folder.display())]
    MissingFile {
        /// The artefact.
        folder: PathBuf,
        /// The file.
        file: &'static str,
    },
    /// A file of the artefact cannot be understood.
    #[error("{} cannot be understood", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The artefact was written by a release with another layout.
    #[error("{} has artefact version {found}; this release reads version {expected}", folder.display())]
    Version {
        /// The artefact.
        folder: PathBuf,
        /// Its version.
        found: u32,
        /// The version that can be read.
        expected: u32,
    },
    /// The network refused.
    #[error("cannot run the network")]
    Model(#[from] ModelError),
    /// The data refused.
    #[error("cannot read windows")]
    Data(#[from] DataError),
    /// libtorch refused an operation.
    #[error("libtorch refused an operation")]
    Torch(#[from] tch::TchError),
    /// Tensors could not be written as, or read from, a safetensors file.
    #[error("cannot use a file of tensors")]
    TensorFile(#[source] safetensors::SafeTensorError),
    /// A tensor is of another kind than artefacts hold.
    #[error("the tensor {name} is of kind {found}, not of 32-bit floats")]
    TensorKind {
        /// Its name.
        name: String,
        /// Its kind.
        found: String,
    },
    /// The dataset's windows are not those the network was trained on.
    #[error("the data has {found}, the network expects {expected}")]
    InputLayout {
        /// What the network was trained on.
        expected: String,
        /// What the dataset gives.
        found: String,
    },
    /// The dataset was scaled by other figures than those the network was trained with.
    #[error("the data was not prepared with the artefact's scaler and label scalings")]
    OtherFit,
    /// The artefact's description of the data has faults.
    #[error("the artefact's data section cannot be used")]
    DataSpec(#[source] garde::Report),
    /// There is no sample to prove a loaded network on.
    #[error("an artefact needs at least one sample to store what its network says of it")]
    NoSample,
    /// The network does not say what it said when it was saved.
    #[error(
        "output {head} differs by {difference:e} from the one stored with the artefact (allowed {allowed:e}): another \
         libtorch or processor, or changed weights"
    )]
    Golden {
        /// The head.
        head: String,
        /// Largest absolute difference.
        difference: f64,
        /// What is allowed.
        allowed: f64,
    },
}
