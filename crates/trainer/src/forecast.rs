//! What the outputs of a head say of one number.
//!
//! A head of `n` horizons has the forecasts themselves first, `[0, n)`: what needs no more reads no further. Behind them, with
//! a normal distribution, the logarithms of the variances, `[n, 2n)`; with quantiles how far the lower one lies below the
//! median, `[n, 2n)`, and the upper one above it, `[2n, 3n)`, each through a softplus, so that they never cross.

use tapeline_evaluation::distribution::Normal;

use crate::spec::RegressionLoss;

/// Logarithms of variances are kept within this distance of 0: a deviation is between 1/150 and 150 times the target's.
pub(crate) const LOG_VARIANCE_LIMIT: f64 = 10.0;

/// What was said of one number, in train standard deviations of the target or, after [`Forecast::in_units`], in its unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Forecast {
    /// The number.
    Point(f64),
    /// A normal distribution.
    Normal(Normal),
    /// The quantiles at `tail`, at one half and at 1 − `tail`.
    Quantiles {
        /// Share of outcomes below the first, and above the last.
        tail: f64,
        /// In ascending order.
        values: [f64; 3],
    },
}

impl Forecast {
    /// What `outputs`, those of a head for one sample, say of the horizon at `position` of `horizons`.
    pub(crate) fn of(loss: RegressionLoss, outputs: &[f32], horizons: usize, position: usize) -> Self {
        let output = |part: usize| f64::from(outputs[part * horizons + position]);
        match loss {
            RegressionLoss::Huber | RegressionLoss::Mse => Self::Point(output(0)),
            RegressionLoss::Gaussian => {
                let log_variance = output(1).clamp(-LOG_VARIANCE_LIMIT, LOG_VARIANCE_LIMIT);
                Self::Normal(Normal { mean: output(0), deviation: (0.5 * log_variance).exp() })
            }
            RegressionLoss::Quantile { tail } => {
                let median = output(0);
                Self::Quantiles {
                    tail,
                    values: [median - softplus(output(1)), median, median + softplus(output(2))],
                }
            }
        }
    }

    /// The same in a unit of which `std` are one, from `mean`.
    pub(crate) fn in_units(self, mean: f64, std: f64) -> Self {
        let moved = |value: f64| value.mul_add(std, mean);
        match self {
            Self::Point(value) => Self::Point(moved(value)),
            Self::Normal(normal) => {
                Self::Normal(Normal { mean: moved(normal.mean), deviation: normal.deviation * std })
            }
            Self::Quantiles { tail, values } => Self::Quantiles { tail, values: values.map(moved) },
        }
    }
}

/// ln(1 + eˣ), without overflow.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}
