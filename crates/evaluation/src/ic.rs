//! Information coefficients: the correlation of forecasts with outcomes.
//!
//! There are three, and they answer different questions. *Per series*: does the forecast order the times of one symbol? *Cross
//! section*: does it order the symbols at one time? *Pooled*: the correlation over all rows at once, which also rewards a
//! forecast for knowing which symbol moves more, and is therefore never called an IC.

use serde::{Deserialize, Serialize};

use crate::bootstrap::{Interval, MovingBlocks, NoInterval, TimeSums};
use crate::correlation::{Correlation, Deviations, average_ranks, pearson};
use crate::newey_west;
use crate::pairs::{Pairs, mean, ratio};
use crate::panel::Panel;

/// A period with fewer series has no cross-section.
pub const MIN_CROSS_SECTION: usize = 10;

/// A resample in which a standardised column keeps less variance than this has none.
const FLAT: f64 = 1e-9;

/// Correlations over time, one per series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeriesIc {
    /// The mean over the series whose IC is defined.
    pub mean: Option<f64>,
    /// Their standard deviation (n − 1); `None` with fewer than two.
    pub spread: Option<f64>,
    /// The IC of each series, in ascending order of its id.
    pub by_series: Vec<(u32, Option<f64>)>,
    /// How many series have none: too short, or a column that does not vary.
    pub undefined: usize,
}

/// The correlation over time of each series, and its mean over series.
#[must_use]
pub fn per_series(panel: &Panel, correlation: Correlation) -> SeriesIc {
    let by_series: Vec<_> = panel.by_series().map(|(id, pairs)| (id, correlation.of(pairs))).collect();
    let defined: Vec<f64> = by_series.iter().filter_map(|(_, ic)| *ic).collect();
    SeriesIc {
        mean: mean(defined.iter().copied()),
        spread: deviation(&defined),
        undefined: by_series.len() - defined.len(),
        by_series,
    }
}

/// The interval of the mean in [`per_series`]. Ranks are taken once, over the whole sample, not anew in each resample.
///
/// # Errors
/// [`NoInterval`] says why there is none.
pub fn per_series_interval(
    panel: &Panel,
    correlation: Correlation,
    blocks: &MovingBlocks,
) -> Result<Interval, NoInterval> {
    let times = panel.times().len();
    let groups = panel.by_series_with_steps().filter_map(|(steps, pairs)| match correlation {
        Correlation::Pearson => moments(times, steps, pairs),
        Correlation::Rank => {
            let (forecast, realised) = (average_ranks(pairs.forecast()), average_ranks(pairs.realised()));
            moments(times, steps, Pairs::checked(&forecast, &realised))
        }
    });
    blocks.interval_of_mean(times, groups, correlation_of_moments)
}

/// Per time: count, Σx, Σy, Σx², Σy², Σxy of the standardised columns; `None` where one does not vary.
fn moments(times: usize, steps: &[u32], pairs: Pairs<'_>) -> Option<TimeSums> {
    let x = Deviations::of(pairs.forecast())?;
    let y = Deviations::of(pairs.realised())?;
    let scale = (pairs.len() as f64).sqrt();
    let mut sums = TimeSums::zeros(times, 6);
    for (&step, (forecast, realised)) in steps.iter().zip(pairs.iter()) {
        let (a, b) = ((forecast - x.mean) / x.norm * scale, (realised - y.mean) / y.norm * scale);
        sums.at(step as usize).copy_from_slice(&[1.0, a, b, a * a, b * b, a * b]);
    }
    Some(sums)
}

fn correlation_of_moments(sums: &[f64]) -> Option<f64> {
    let &[n, x, y, xx, yy, xy] = sums else { return None };
    let (vx, vy) = (xx / n - (x / n).powi(2), yy / n - (y / n).powi(2));
    (n > 1.0 && vx > FLAT && vy > FLAT)
        .then(|| ((xy / n - x / n * (y / n)) / (vx * vy).sqrt()).clamp(-1.0, 1.0))
}

/// Correlations over series, one per period.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CrossSectionIc {
    /// The mean over the periods whose IC is defined.
    pub mean: Option<f64>,
    /// Mean over standard deviation (n − 1), per period and not annualised.
    pub icir: Option<f64>,
    /// The share of defined periods with an IC above 0.
    pub hit_rate: Option<f64>,
    /// How many periods have an IC.
    pub periods: usize,
    /// How many have none: fewer than [`MIN_CROSS_SECTION`] series, or a column that does not vary. They count nowhere else.
    pub undefined: usize,
    /// The IC of each period, in order of time. Too long to be written beside the rest.
    #[serde(skip)]
    pub by_period: Vec<(i64, Option<f64>)>,
}

/// The correlation over series at each time, and its mean over times.
#[must_use]
pub fn cross_section(panel: &Panel, correlation: Correlation) -> CrossSectionIc {
    let ic = |(forecast, realised): (Vec<f64>, Vec<f64>)| match forecast.len() {
        0..MIN_CROSS_SECTION => None,
        _ => correlation.of(Pairs::checked(&forecast, &realised)),
    };
    let by_period: Vec<_> = panel.times().iter().copied().zip(panel.by_time().into_iter().map(ic)).collect();
    let defined: Vec<f64> = by_period.iter().filter_map(|(_, ic)| *ic).collect();
    let mean = mean(defined.iter().copied());
    let hits = defined.iter().filter(|&&ic| ic > 0.0).count();
    CrossSectionIc {
        mean,
        icir: mean.zip(deviation(&defined)).and_then(|(mean, deviation)| ratio(mean, deviation)),
        hit_rate: ratio(hits as f64, defined.len() as f64),
        periods: defined.len(),
        undefined: by_period.len() - defined.len(),
        by_period,
    }
}

impl CrossSectionIc {
    /// The interval of the mean.
    ///
    /// # Errors
    /// [`NoInterval`] says why there is none.
    pub fn interval(&self, blocks: &MovingBlocks) -> Result<Interval, NoInterval> {
        let mut sums = TimeSums::zeros(self.by_period.len(), 2);
        for (step, ic) in self.by_period.iter().enumerate() {
            if let (_, Some(ic)) = ic {
                sums.at(step).copy_from_slice(&[*ic, 1.0]);
            }
        }
        blocks.interval(&sums, |sums| ratio(sums[0], sums[1]))
    }

    /// The t value of the mean, lag twice the `horizon` in periods. Secondary to [`interval`](Self::interval): with
    /// autocorrelated forecasts it rejects too often, 7 to 9 % at a nominal 5 %.
    #[must_use]
    pub fn newey_west_t(&self, horizon: usize) -> Option<f64> {
        let defined: Vec<f64> = self.by_period.iter().filter_map(|(_, ic)| *ic).collect();
        newey_west::t_value(&defined, horizon.saturating_mul(2))
    }
}

/// Pearson's correlation over all rows at once. It mixes levels across series and periods (Simpson's paradox): a forecast that
/// knows only which series has the higher mean scores well here and has no per-series IC at all.
#[must_use]
pub fn pooled_corr(panel: &Panel) -> Option<f64> {
    pearson(panel.pairs())
}

/// The standard deviation (n − 1); `None` with fewer than two values.
fn deviation(values: &[f64]) -> Option<f64> {
    let norm = || Deviations::of(values).map_or(0.0, |deviations| deviations.norm);
    (values.len() > 1).then(|| norm() / ((values.len() - 1) as f64).sqrt())
}
