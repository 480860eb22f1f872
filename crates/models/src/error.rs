//! What can go wrong with a network or its weights.

use std::path::PathBuf;

use safetensors::SafeTensorError;
use tch::{Kind, TchError};

/// A network that cannot be built, run, saved or loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The spec describes no network; the report names every fault.
    #[error("the network cannot be built:\n{0}")]
    Spec(garde::Report),
    /// Another number of timeframes than the network was built for.
    #[error("expected {expected} inputs, one per timeframe, found {found}")]
    InputCount {
        /// The number of timeframes in the spec.
        expected: usize,
        /// The number of tensors given.
        found: usize,
    },
    /// An input is not `[batch, time, feature]` as in the spec, or its batch differs from the first input's.
    #[error(
        "input of timeframe {timeframe} has shape {found:?}, expected [batch, time, feature] = {expected:?}"
    )]
    InputShape {
        /// Which timeframe, from 0.
        timeframe: usize,
        /// Batch as in the first input, time and feature as in the spec.
        expected: [i64; 3],
        /// The tensor's shape.
        found: Vec<i64>,
    },
    /// An input does not hold `f32`.
    #[error("input of timeframe {timeframe} holds {found:?}, expected Float")]
    InputKind {
        /// Which timeframe, from 0.
        timeframe: usize,
        /// What it holds.
        found: Kind,
    },
    /// libtorch refused an operation.
    #[error("libtorch refused an operation")]
    Tensor(#[from] TchError),
    /// The shim over libtorch refused an operation.
    #[error("libtorch refused an operation")]
    TorchExt(#[from] tapeline_torch_ext::Error),
    /// A file of weights could not be written.
    #[error("cannot write the weights to {path}")]
    WriteWeights {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file of weights could not be read.
    #[error("cannot read the weights in {path}")]
    ReadWeights {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file was read, but its content was refused.
    #[error("the weights in {path} were refused")]
    RefusedWeights {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<ModelError>,
    },
    /// Bytes that are not safetensors.
    #[error("not a whole safetensors file")]
    ParseWeights(#[source] SafeTensorError),
    /// Safetensors, but not weights of this program.
    #[error("metadata `format` is {found:?}, expected \"tapeline-weights\"")]
    WeightsFormat {
        /// What the metadata says, if anything.
        found: Option<String>,
    },
    /// Weights of a version that this program does not know.
    #[error("weights have version {found:?}, this program reads version \"1\"")]
    WeightsVersion {
        /// What the metadata says, if anything.
        found: Option<String>,
    },
    /// Weights of another network.
    #[error("the weights belong to another network: {}", .faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    WeightsMismatch {
        /// Every difference.
        faults: Vec<WeightFault>,
    },
}

/// How one weight in a file differs from what the network needs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WeightFault {
    /// The network has it, the file has not.
    #[error("{name} is missing")]
    Missing {
        /// The weight.
        name: String,
    },
    /// The file has it, the network has not.
    #[error("{name} is not a weight of this network")]
    Unexpected {
        /// The weight.
        name: String,
    },
    /// The sizes differ.
    #[error("{name} has shape {found:?}, expected {expected:?}")]
    Shape {
        /// The weight.
        name: String,
        /// The network's.
        expected: Vec<i64>,
        /// The file's.
        found: Vec<usize>,
    },
    /// The file does not hold `f32`.
    #[error("{name} holds {found}, expected F32")]
    Kind {
        /// The weight.
        name: String,
        /// The file's word for what it holds.
        found: String,
    },
}
