//! What every sampler, pruner and storage must pass, for those who write one of their own: functions that panic, with what is
//! wrong, when it does not.

pub mod pruner;
pub mod sampler;
pub mod storage;
#[cfg(test)]
mod tests;
