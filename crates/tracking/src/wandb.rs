//! Weights & Biases: the file of an offline run, written by us, which `wandb sync` and `wandb beta sync --live` upload.

mod blocks;
mod message;
mod rows;
mod sink;
mod spec;

pub(crate) use sink::Wandb;
pub use spec::WandbSpec;
