//! Scores of return forecasts that say how sure they are.

use tapeline_evaluation::distribution::pinball;

use super::Span;
use super::rows::scaling;
use crate::forecast::Forecast;
use crate::scorecard::DistributionScore;
use crate::spec::RegressionLoss;
use crate::task::Task;

/// Share of outcomes that the central interval of a normal distribution is to hold: that between the quantiles 0.1 and 0.9.
const NORMAL_COVERAGE: f64 = 0.8;

/// Sums over rows.
#[derive(Default)]
struct Sums {
    rows: usize,
    inside: usize,
    pinball: f64,
    nll: f64,
    crps: f64,
}

/// What the figures of one horizon are made of.
pub(super) struct DistributionRows {
    nominal_coverage: f64,
    is_normal: bool,
    sums: Sums,
}

/// Gathers horizon number `position` of `task`, which is head number `head` and has `loss`; none where that says no more than a
/// number.
pub(super) fn gather(
    span: &Span<'_>,
    task: &Task,
    head: usize,
    position: usize,
    loss: RegressionLoss,
) -> Option<DistributionRows> {
    let nominal_coverage = match loss {
        RegressionLoss::Huber | RegressionLoss::Mse => return None,
        RegressionLoss::Gaussian => NORMAL_COVERAGE,
        RegressionLoss::Quantile { tail } => 1.0 - 2.0 * tail,
    };
    let column = &span.data.labels()[task.labels.start + position];
    let (mean, std) = scaling(&column.fitted);
    let mut sums = Sums::default();
    for (row, &sample) in span.samples.iter().enumerate() {
        let outcome = f64::from(column.values[sample as usize]);
        if !outcome.is_nan() {
            let said =
                Forecast::of(loss, span.predictions.heads[head].row(row), task.horizons.len(), position);
            sums.add(said.in_units(mean, std), outcome);
        }
    }
    Some(DistributionRows { nominal_coverage, is_normal: loss == RegressionLoss::Gaussian, sums })
}

impl DistributionRows {
    /// Adds what another fold says of later decisions.
    pub(super) fn join(&mut self, later: &Self) {
        self.sums.rows += later.sums.rows;
        self.sums.inside += later.sums.inside;
        self.sums.pinball += later.sums.pinball;
        self.sums.nll += later.sums.nll;
        self.sums.crps += later.sums.crps;
    }

    pub(super) fn score(&self) -> DistributionScore {
        let Self { nominal_coverage, is_normal, sums } = self;
        let over_rows = |sum: f64| (sums.rows > 0).then(|| sum / sums.rows as f64);
        DistributionScore {
            nominal_coverage: *nominal_coverage,
            coverage: over_rows(sums.inside as f64),
            pinball: over_rows(sums.pinball).filter(|_| !is_normal),
            nll: over_rows(sums.nll).filter(|_| *is_normal),
            crps: over_rows(sums.crps).filter(|_| *is_normal),
        }
    }
}

impl Sums {
    fn add(&mut self, said: Forecast, outcome: f64) {
        self.rows += 1;
        match said {
            Forecast::Point(_) => {}
            Forecast::Normal(normal) => {
                self.inside += usize::from(normal.covers(NORMAL_COVERAGE, outcome));
                self.nll += normal.negative_log_likelihood(outcome);
                self.crps += normal.crps(outcome);
            }
            Forecast::Quantiles { tail, values: [lower, median, upper] } => {
                self.inside += usize::from(lower <= outcome && outcome <= upper);
                let levels = [(tail, lower), (0.5, median), (1.0 - tail, upper)];
                let losses = levels.iter().map(|(level, value)| pinball(*level, *value, outcome));
                self.pinball += losses.sum::<f64>() / levels.len() as f64;
            }
        }
    }
}
