//! Several splits of the same bars: walk-forward, where each fold learns from what came before its test block, and purged
//! k-fold, where it also learns from what came after. Every fold is resolved into [`SplitInstants`] of its own, so that all
//! that is fitted is fitted anew inside.
//!
//! Nothing of a fold is decided after, or has a label that ends after, the first decision of the closed holdout.

mod resolve;
mod spec;

pub(crate) use resolve::{Decided, resolve};
pub use spec::{FoldsSpec, HoldoutSpec, KFoldSpec, MOST_FOLDS, WalkForwardSpec};
