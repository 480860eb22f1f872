//! What can go wrong between Rust and libtorch.

use tch::{Kind, TchError};

/// A refused call. Nothing was changed, unless the variant says otherwise.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// libtorch threw; what the operation writes to may be half written.
    #[error("libtorch refused {operation}: {message}")]
    Libtorch {
        /// The function of this crate that was called.
        operation: &'static str,
        /// libtorch's own words, without its stack trace.
        message: String,
    },
    /// A tensor operation of `tch` failed.
    #[error("a tensor operation failed")]
    Tensor(#[from] TchError),
    /// Lists that belong together differ in length.
    #[error("{operation}: expected {expected} {list}, found {found}")]
    Count {
        /// The function of this crate that was called.
        operation: &'static str,
        /// Which list.
        list: &'static str,
        /// How many there are parameters.
        expected: usize,
        /// How many were given.
        found: usize,
    },
    /// A list that must hold something is empty.
    #[error("{operation}: no tensors were given")]
    Empty {
        /// The function of this crate that was called.
        operation: &'static str,
    },
    /// A tensor has another shape than the parameter it belongs to.
    #[error("{operation}: {list}[{index}] has shape {found:?}, expected {expected:?}")]
    Shape {
        /// The function of this crate that was called.
        operation: &'static str,
        /// Which list.
        list: &'static str,
        /// Which of its tensors.
        index: usize,
        /// The parameter's shape, or `[]` for a single number.
        expected: Vec<i64>,
        /// The shape that was given.
        found: Vec<i64>,
    },
    /// A tensor holds another kind of number.
    #[error("{operation}: {list}[{index}] holds {found:?}, expected {expected:?}")]
    Kind {
        /// The function of this crate that was called.
        operation: &'static str,
        /// Which list.
        list: &'static str,
        /// Which of its tensors.
        index: usize,
        /// The kind that is needed.
        expected: Kind,
        /// The kind that was given.
        found: Kind,
    },
    /// A tensor that is updated in place is not laid out in one piece, in order.
    #[error("{operation}: {list}[{index}] is not contiguous")]
    Layout {
        /// The function of this crate that was called.
        operation: &'static str,
        /// Which list.
        list: &'static str,
        /// Which of its tensors.
        index: usize,
    },
    /// An operation that is written for the CPU was given a tensor that lies elsewhere.
    #[error("{operation} is written for the CPU, and a tensor lies on {device:?}")]
    NotOnCpu {
        /// The function of this crate that was called.
        operation: &'static str,
        /// Where the tensor lies.
        device: tch::Device,
    },
    /// A number is out of its range.
    #[error("{operation}: {name} is {found}, expected {expected}")]
    Number {
        /// The function of this crate that was called.
        operation: &'static str,
        /// Which number.
        name: &'static str,
        /// What it may be.
        expected: &'static str,
        /// What it was.
        found: f64,
    },
    /// The device has no generator that can be read.
    #[error("the random generator of {device:?} cannot be read or set")]
    Device {
        /// The device that was named.
        device: tch::Device,
    },
}
