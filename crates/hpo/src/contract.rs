//! What every sampler, pruner and storage must pass, for those who write one of their own. Each check panics with what is wrong.

pub mod storage;
