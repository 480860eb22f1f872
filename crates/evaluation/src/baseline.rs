//! Forecasts that know next to nothing, to be scored beside every network.
//!
//! | Task | Baselines |
//! |---|---|
//! | price | 0 for every row, [`train_mean`], [`persistence`] of the label h back |
//! | volatility | [`train_mean`], [`persistence`], [`Ewma`] |
//! | classes | [`majority`], [`stratified`], [`persistence`] |

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::error::{EvaluationError, check_classes, check_equal_lengths, check_finite};
use crate::pairs::mean;
use crate::volatility::qlike_loss;

/// The decays among which [`Ewma::fit`] chooses; 0.94 is that of RiskMetrics (1996).
pub const DECAYS: [f64; 10] = [0.70, 0.80, 0.85, 0.90, 0.92, 0.94, 0.96, 0.97, 0.98, 0.99];

/// The mean of the train outcomes, a forecast for every row. `None` without any.
#[must_use]
pub fn train_mean(train: &[f64]) -> Option<f64> {
    mean(train.iter().copied())
}

/// For each decision of one series, in order of time, the label of `lag` decisions before: "as last time". A label over h bars
/// at a stride of s is known h/s decisions later (rounded up), which is the least honest `lag`. The first have none.
#[must_use]
pub fn persistence<T: Copy>(labels: &[T], lag: usize) -> Vec<Option<T>> {
    let known = labels.len().saturating_sub(lag);
    let none = std::iter::repeat_n(None, labels.len() - known);
    none.chain(labels[..known].iter().copied().map(Some)).collect()
}

/// The most frequent class of the train rows, the lowest of equals; `None` without any.
///
/// # Errors
/// [`EvaluationError::UnknownClass`].
pub fn majority(train: &[u32], classes: usize) -> Result<Option<u32>, EvaluationError> {
    let counts = counts(train, classes)?;
    let most = (0..classes).rev().max_by_key(|&class| counts[class]);
    Ok(most.filter(|_| !train.is_empty()).map(|class| class as u32))
}

/// `rows` classes drawn with the shares of the train rows, from `seed`; `None` without any train row.
///
/// # Errors
/// [`EvaluationError::UnknownClass`].
pub fn stratified(
    train: &[u32],
    classes: usize,
    rows: usize,
    seed: u64,
) -> Result<Option<Vec<u32>>, EvaluationError> {
    check_classes("train", train, classes)?;
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let mut draw = || train[((u128::from(generator.next_u64()) * train.len() as u128) >> 64) as usize];
    Ok((!train.is_empty()).then(|| (0..rows).map(|_| draw()).collect()))
}

fn counts(labels: &[u32], classes: usize) -> Result<Vec<usize>, EvaluationError> {
    check_classes("train", labels, classes)?;
    let mut counts = vec![0; classes];
    labels.iter().for_each(|&class| counts[class as usize] += 1);
    Ok(counts)
}

/// The bars of one series and what is to be forecast of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VarianceHistory<'a> {
    squared_returns: &'a [f64],
    decisions: &'a [usize],
    realised: &'a [f64],
}

impl<'a> VarianceHistory<'a> {
    /// `squared_returns` has a number per bar; the variance over the horizon after bar `decisions[i]` came out as
    /// `realised[i]`, above 0.
    ///
    /// # Errors
    /// [`EvaluationError::UnequalLengths`], [`EvaluationError::NotFinite`], [`EvaluationError::NotPositive`], and
    /// [`EvaluationError::SpanOutside`] for a decision beyond the last bar.
    pub fn new(
        squared_returns: &'a [f64],
        decisions: &'a [usize],
        realised: &'a [f64],
    ) -> Result<Self, EvaluationError> {
        check_equal_lengths(("decisions", decisions.len()), ("realised", realised.len()))?;
        check_finite("squared returns", squared_returns)?;
        check_finite("realised", realised)?;
        if let Some(row) = realised.iter().position(|&value| value <= 0.0) {
            return Err(EvaluationError::NotPositive { column: "realised", row, value: realised[row] });
        }
        let steps = squared_returns.len();
        match decisions.iter().position(|&bar| bar >= steps) {
            None => Ok(Self { squared_returns, decisions, realised }),
            Some(label) => {
                let start = decisions[label];
                Err(EvaluationError::SpanOutside { label, start, end: start + 1, steps })
            }
        }
    }
}

/// An exponentially weighted variance: v ← λ·v + (1 − λ)·r² bar by bar (RiskMetrics 1996).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ewma {
    decay: f64,
    start: f64,
}

impl Ewma {
    /// Chooses λ from [`DECAYS`] as the one whose forecasts for `horizon` bars, `horizon`·v, have the least QLIKE over all
    /// decisions of the train histories, and starts v at the mean squared return of their bars. `None` where no bar moved or
    /// there is no decision.
    #[must_use]
    pub fn fit(train: &[VarianceHistory<'_>], horizon: usize) -> Option<Self> {
        let start = mean(train.iter().flat_map(|history| history.squared_returns.iter().copied()))?;
        let loss = |ewma: &Self| {
            mean(train.iter().flat_map(|history| {
                let variance = ewma.variances(history.squared_returns);
                let loss = move |(&bar, &realised): (&usize, &f64)| {
                    qlike_loss(horizon as f64 * variance[bar], realised)
                };
                history.decisions.iter().zip(history.realised).map(loss)
            }))
        };
        let candidates = DECAYS.iter().map(|&decay| Self { decay, start });
        let scored = candidates.filter_map(|ewma| loss(&ewma).map(|loss| (loss, ewma)));
        scored.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, ewma)| ewma)
    }

    /// A given λ in 0 to 1 and the variance per bar before the first.
    #[must_use]
    pub const fn new(decay: f64, start: f64) -> Self {
        Self { decay, start }
    }

    /// The λ in use.
    #[must_use]
    pub const fn decay(&self) -> f64 {
        self.decay
    }

    /// After each bar, the variance per bar that is forecast for the ones to come; times the horizon it forecasts a realised
    /// variance. It uses no bar after its own.
    #[must_use]
    pub fn variances(&self, squared_returns: &[f64]) -> Vec<f64> {
        let step = |variance: &mut f64, square: &f64| {
            *variance = self.decay * *variance + (1.0 - self.decay) * square;
            Some(*variance)
        };
        squared_returns.iter().scan(self.start, step).collect()
    }
}
