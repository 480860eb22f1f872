//! `walk_forward:` as a user writes it.

use garde::{Error, Path, Report};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Folds unless it is said otherwise: enough for a spread, few enough to wait for.
const DEFAULT_FOLDS: usize = 5;
/// The share of decision times before the first test block: half of them, so that the first fold is no beginner.
const DEFAULT_TRAIN: f64 = 0.5;
/// The share of a fold's train block that is chosen by instead.
const DEFAULT_VALIDATION: f64 = 0.15;
/// The share of all decision times that nothing is learned from after a test block: 1 %, as López de Prado 2018, chapter 7, has
/// it. What a window reaches back over is left out besides.
const DEFAULT_EMBARGO: f64 = 0.01;
/// More folds than anybody waits for.
pub const MOST_FOLDS: usize = 1000;

/// How decision times are shared out over folds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FoldsSpec {
    /// Each fold learns from everything before its test block.
    Anchored(WalkForwardSpec),
    /// Each fold learns from as many decision times before its test block as the first.
    Rolling(WalkForwardSpec),
    /// Each fold tests on one of equal blocks and learns from all others, before and after it.
    PurgedKFold(KFoldSpec),
}

impl Default for FoldsSpec {
    fn default() -> Self {
        Self::Anchored(WalkForwardSpec::default())
    }
}

/// Test blocks one after another, each after all that its fold learns from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WalkForwardSpec {
    /// How many folds.
    pub folds: usize,
    /// The share of decision times before the first test block; the rest is cut into test blocks of equal length.
    pub train: f64,
    /// The share of a fold's train block, at its end, that is chosen by instead of learned from.
    pub validation: f64,
    /// Whether the newest decisions, the share `data.split.test`, stay out of all folds.
    pub holdout: HoldoutSpec,
}

impl Default for WalkForwardSpec {
    fn default() -> Self {
        Self {
            folds: DEFAULT_FOLDS,
            train: DEFAULT_TRAIN,
            validation: DEFAULT_VALIDATION,
            holdout: HoldoutSpec::default(),
        }
    }
}

/// Blocks of equal length, each the test block of one fold (López de Prado 2018, chapter 7).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct KFoldSpec {
    /// How many folds.
    pub folds: usize,
    /// The share of what a fold does not test on that is chosen by: right before its test block, at most half of what lies
    /// there. The first fold, which has nothing before its block, takes it from the end.
    pub validation: f64,
    /// The share of all decision times after a test block, and after the last end of its labels, that is not learned from.
    /// What is learned from later has, besides, no window that reaches back to that end.
    pub embargo: f64,
    /// Whether the newest decisions, the share `data.split.test`, stay out of all folds.
    pub holdout: HoldoutSpec,
}

impl Default for KFoldSpec {
    fn default() -> Self {
        Self {
            folds: DEFAULT_FOLDS,
            validation: DEFAULT_VALIDATION,
            embargo: DEFAULT_EMBARGO,
            holdout: HoldoutSpec::default(),
        }
    }
}

/// What becomes of the span that `evaluate --split test` opens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HoldoutSpec {
    /// No fold sees it.
    #[default]
    Closed,
    /// It is given away: folds are made of all decisions, and that counts as a look at the test span.
    Open,
}

impl FoldsSpec {
    /// How many folds.
    #[must_use]
    pub const fn folds(&self) -> usize {
        match self {
            Self::Anchored(spec) | Self::Rolling(spec) => spec.folds,
            Self::PurgedKFold(spec) => spec.folds,
        }
    }

    /// Whether the test span stays closed.
    #[must_use]
    pub const fn holdout(&self) -> HoldoutSpec {
        match self {
            Self::Anchored(spec) | Self::Rolling(spec) => spec.holdout,
            Self::PurgedKFold(spec) => spec.holdout,
        }
    }

    /// Whether it can be.
    ///
    /// # Errors
    /// All faults, with paths relative to it.
    pub fn check(&self) -> Result<(), Report> {
        let mut report = Report::new();
        let mut fault = |key: &str, message: String| report.append(Path::new(key), Error::new(message));
        let least = if matches!(self, Self::PurgedKFold(_)) { 2 } else { 1 };
        if !(least..=MOST_FOLDS).contains(&self.folds()) {
            fault("folds", format!("must be at least {least} and at most {MOST_FOLDS}"));
        }
        let mut share = |key: &str, share: f64| {
            if !(share > 0.0 && share < 1.0) {
                fault(key, "must be above 0 and below 1".into());
            }
        };
        match self {
            Self::Anchored(spec) | Self::Rolling(spec) => {
                share("train", spec.train);
                share("validation", spec.validation);
            }
            Self::PurgedKFold(spec) => {
                share("validation", spec.validation);
                if !(0.0..1.0).contains(&spec.embargo) {
                    fault("embargo", "must be at least 0 and below 1".into());
                }
            }
        }
        if report.is_empty() { Ok(()) } else { Err(report) }
    }
}
