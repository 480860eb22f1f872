//! Pruners as a user writes them.

use garde::{Error, Path, Report};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    HalvingPruner, HyperbandPruner, NopPruner, PatientPruner, PercentilePruner, Pruner, ThresholdPruner,
    WilcoxonPruner,
};

/// Trials that must be complete before others are compared with them; Optuna's, for the same verdicts in a mixed study.
pub const DEFAULT_STARTUP_TRIALS: usize = 5;
/// One in so many goes on from a rung of successive halving; Optuna's and the paper's.
pub const DEFAULT_HALVING_FACTOR: u32 = 4;
/// The same for Hyperband; its paper's theory has e, which is nearest to 3.
pub const DEFAULT_HYPERBAND_FACTOR: u32 = 3;
/// Below this probability a trial counts as worse; large, since a trial that is given up wrongly costs less than one that is
/// run to its end.
pub const DEFAULT_P_THRESHOLD: f64 = 0.1;
/// Fewer pairs than these can show nothing.
pub const DEFAULT_STARTUP_STEPS: usize = 2;
/// No count of steps or trials may exceed this, so that sums of a few fit into 63 bits.
const LARGEST_COUNT: u64 = 1 << 40;

/// Who gives up on trials early.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PrunerSpec {
    /// Nobody.
    Nop(NopSpec),
    /// Worse than the median of complete trials at the same step.
    Median(MedianSpec),
    /// Worse than a percentile of complete trials at the same step.
    Percentile(PercentileSpec),
    /// Not among the best at steps that grow by a factor.
    SuccessiveHalving(HalvingSpec),
    /// Several successive halvings with different first steps.
    Hyperband(HyperbandSpec),
    /// Worse than the best trial by a signed-rank test over folds or seeds.
    Wilcoxon(WilcoxonSpec),
    /// Not improved for a while.
    Patient(PatientSpec),
    /// Outside of limits.
    Threshold(ThresholdSpec),
}

impl Default for PrunerSpec {
    fn default() -> Self {
        Self::Median(MedianSpec::default())
    }
}

/// Nothing to set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NopSpec {}

/// Worse than the median of complete trials at the same step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MedianSpec {
    /// Complete trials that must be there before any is given up.
    pub startup_trials: usize,
    /// Steps of a trial before it is looked at.
    pub warmup_steps: u64,
    /// Steps between two looks at a trial, at least 1.
    pub interval: u64,
    /// Complete trials that must have reported at a step before it counts, at least 1.
    pub min_trials: usize,
}

impl Default for MedianSpec {
    fn default() -> Self {
        Self { startup_trials: DEFAULT_STARTUP_TRIALS, warmup_steps: 0, interval: 1, min_trials: 1 }
    }
}

/// Worse than a percentile of complete trials at the same step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PercentileSpec {
    /// The share of trials that goes on, in percent.
    pub percentile: f64,
    /// Complete trials that must be there before any is given up.
    #[serde(default = "startup_trials")]
    pub startup_trials: usize,
    /// Steps of a trial before it is looked at.
    #[serde(default)]
    pub warmup_steps: u64,
    /// Steps between two looks at a trial, at least 1.
    #[serde(default = "one")]
    pub interval: u64,
    /// Complete trials that must have reported at a step before it counts, at least 1.
    #[serde(default = "one_trial")]
    pub min_trials: usize,
}

/// Not among the best at steps that grow by a factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HalvingSpec {
    /// The step of the first rung, at least 1. Left out: a hundredth of the last step of the first trial that completes, and
    /// nobody is given up before.
    pub min_resource: Option<u64>,
    /// One in so many goes on, at least 2; also the factor between the steps of two rungs.
    pub reduction_factor: u32,
    /// Rungs that are left out at the beginning.
    pub skipped_rungs: u32,
    /// Trials at a rung before the first goes on from it; needs `min_resource`.
    pub bootstrap_trials: usize,
}

impl Default for HalvingSpec {
    fn default() -> Self {
        Self {
            min_resource: None,
            reduction_factor: DEFAULT_HALVING_FACTOR,
            skipped_rungs: 0,
            bootstrap_trials: 0,
        }
    }
}

/// Several successive halvings with different first steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HyperbandSpec {
    /// The step of the first rung of the bracket that begins first, at least 1.
    pub min_resource: u64,
    /// Steps of a whole trial. Left out: those of the first trial that completes, and nobody is given up before.
    pub max_resource: Option<u64>,
    /// One in so many goes on, at least 2; also the factor between the steps of two rungs.
    pub reduction_factor: u32,
    /// Trials at a rung before the first goes on from it; needs `max_resource`.
    pub bootstrap_trials: usize,
}

impl Default for HyperbandSpec {
    fn default() -> Self {
        Self {
            min_resource: 1,
            max_resource: None,
            reduction_factor: DEFAULT_HYPERBAND_FACTOR,
            bootstrap_trials: 0,
        }
    }
}

/// Worse than the best trial by a signed-rank test over folds or seeds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WilcoxonSpec {
    /// Below this probability a trial is given up.
    pub p_threshold: f64,
    /// Steps that both trials must have reported.
    pub startup_steps: usize,
}

impl Default for WilcoxonSpec {
    fn default() -> Self {
        Self { p_threshold: DEFAULT_P_THRESHOLD, startup_steps: DEFAULT_STARTUP_STEPS }
    }
}

/// Not improved for a while.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PatientSpec {
    /// Who is asked about a trial that has not improved. Left out: it is given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrapped: Option<Box<PrunerSpec>>,
    /// Reports without improvement that are forgiven.
    pub patience: usize,
    /// What counts as an improvement, in the objective's unit.
    #[serde(default)]
    pub min_delta: f64,
}

/// Outside of limits.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ThresholdSpec {
    /// The least value that is allowed.
    #[serde(default)]
    pub lower: Option<f64>,
    /// The largest value that is allowed.
    #[serde(default)]
    pub upper: Option<f64>,
    /// Steps of a trial before it is looked at.
    #[serde(default)]
    pub warmup_steps: u64,
    /// Steps between two looks at a trial, at least 1.
    #[serde(default = "one")]
    pub interval: u64,
}

const fn startup_trials() -> usize {
    DEFAULT_STARTUP_TRIALS
}

const fn one() -> u64 {
    1
}

const fn one_trial() -> usize {
    1
}

impl PrunerSpec {
    /// The pruner that this describes.
    ///
    /// # Errors
    /// Every fault, with its path relative to the pruner's section, such as `wrapped.interval`.
    pub fn check(&self) -> Result<Box<dyn Pruner>, Report> {
        let mut report = Report::new();
        let path = Path::empty();
        self.find_faults(&path, &mut report);
        if report.is_empty() { Ok(self.build()) } else { Err(report) }
    }

    fn find_faults(&self, path: &Path, report: &mut Report) {
        let mut fault = |field: &'static str, is_wrong: bool, message: &str| {
            if is_wrong {
                report.append(path.join(field), Error::new(message));
            }
        };
        match self {
            Self::Nop(NopSpec {}) => {}
            Self::Median(MedianSpec { warmup_steps, interval, min_trials, .. }) => {
                fault("warmup_steps", *warmup_steps > LARGEST_COUNT, "must be at most 2^40");
                fault(
                    "interval",
                    !(1..=LARGEST_COUNT).contains(interval),
                    "must be at least 1 and at most 2^40",
                );
                fault("min_trials", *min_trials < 1, "must be at least 1");
            }
            Self::Percentile(PercentileSpec { percentile, warmup_steps, interval, min_trials, .. }) => {
                fault("percentile", !(0.0..=100.0).contains(percentile), "must be from 0 to 100");
                fault("warmup_steps", *warmup_steps > LARGEST_COUNT, "must be at most 2^40");
                fault(
                    "interval",
                    !(1..=LARGEST_COUNT).contains(interval),
                    "must be at least 1 and at most 2^40",
                );
                fault("min_trials", *min_trials < 1, "must be at least 1");
            }
            Self::SuccessiveHalving(HalvingSpec {
                min_resource,
                reduction_factor,
                bootstrap_trials,
                skipped_rungs,
            }) => {
                let wrong = min_resource.is_some_and(|steps| !(1..=LARGEST_COUNT).contains(&steps));
                fault("min_resource", wrong, "must be at least 1 and at most 2^40");
                fault("reduction_factor", *reduction_factor < 2, "must be at least 2");
                fault("skipped_rungs", *skipped_rungs > 40, "must be at most 40");
                let unclear = *bootstrap_trials > 0 && min_resource.is_none();
                fault("bootstrap_trials", unclear, "needs min_resource: say at which step the first rung is");
            }
            Self::Hyperband(HyperbandSpec {
                min_resource,
                max_resource,
                reduction_factor,
                bootstrap_trials,
            }) => {
                fault(
                    "min_resource",
                    !(1..=LARGEST_COUNT).contains(min_resource),
                    "must be at least 1 and at most 2^40",
                );
                let wrong = max_resource.is_some_and(|most| !(*min_resource..=LARGEST_COUNT).contains(&most));
                fault("max_resource", wrong, "must be at least min_resource and at most 2^40");
                fault("reduction_factor", *reduction_factor < 2, "must be at least 2");
                let unclear = *bootstrap_trials > 0 && max_resource.is_none();
                fault(
                    "bootstrap_trials",
                    unclear,
                    "needs max_resource: say how many steps a whole trial has",
                );
            }
            Self::Wilcoxon(WilcoxonSpec { p_threshold, .. }) => {
                fault("p_threshold", !(0.0..=1.0).contains(p_threshold), "must be from 0 to 1");
            }
            Self::Patient(PatientSpec { wrapped, patience, min_delta }) => {
                fault("patience", *patience as u64 > LARGEST_COUNT, "must be at most 2^40");
                fault("min_delta", !(*min_delta >= 0.0 && min_delta.is_finite()), "must be at least 0");
                if let Some(wrapped) = wrapped {
                    wrapped.find_faults(&path.join("wrapped"), report);
                }
            }
            Self::Threshold(ThresholdSpec { lower, upper, warmup_steps, interval }) => {
                fault("lower", lower.is_none() && upper.is_none(), "give lower, upper or both");
                fault("lower", lower.is_some_and(f64::is_nan), "must be a number");
                fault("upper", upper.is_some_and(f64::is_nan), "must be a number");
                let crossed = lower.zip(*upper).is_some_and(|(lower, upper)| lower > upper);
                fault("upper", crossed, "must not be below lower");
                fault("warmup_steps", *warmup_steps > LARGEST_COUNT, "must be at most 2^40");
                fault(
                    "interval",
                    !(1..=LARGEST_COUNT).contains(interval),
                    "must be at least 1 and at most 2^40",
                );
            }
        }
    }

    fn build(&self) -> Box<dyn Pruner> {
        match self {
            Self::Nop(NopSpec {}) => Box::new(NopPruner),
            Self::Median(spec) => Box::new(PercentilePruner::median(spec)),
            Self::Percentile(spec) => Box::new(PercentilePruner::of(spec)),
            Self::SuccessiveHalving(spec) => Box::new(HalvingPruner::of(spec)),
            Self::Hyperband(spec) => Box::new(HyperbandPruner::of(spec)),
            Self::Wilcoxon(spec) => Box::new(WilcoxonPruner::of(spec)),
            Self::Patient(spec) => {
                let wrapped = spec.wrapped.as_ref().map(|wrapped| wrapped.build());
                Box::new(PatientPruner::around(wrapped, spec.patience, spec.min_delta))
            }
            Self::Threshold(spec) => Box::new(ThresholdPruner::of(spec)),
        }
    }
}
