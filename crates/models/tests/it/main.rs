//! What every network promises, and that the numbers are PyTorch's.
#![cfg(test)]

mod autocast;
mod contract;
mod golden;
mod init;
mod recorded;
mod recurrent_dropout;
mod replicate;
mod spec;
mod summary;
mod weights;
