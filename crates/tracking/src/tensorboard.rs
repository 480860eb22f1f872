//! TensorBoard event files, written by us.

mod event;
mod files;
mod framing;
mod hparams;
mod message;
mod sink;
mod spec;

pub(crate) use sink::TensorBoard;
pub use spec::TensorBoardSpec;
