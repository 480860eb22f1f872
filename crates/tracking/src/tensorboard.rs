//! TensorBoard event files, written by us.

mod event;
mod files;
mod framing;
mod hparams;
mod message;
mod sink;
mod spec;
#[cfg(test)]
mod tests;

pub(crate) use sink::TensorBoard;
pub use spec::TensorBoardSpec;
