//! A sweep over learning rates: a few steps at rates that grow, and what the loss does (Smith, "Cyclical learning rates for
//! training neural networks", 2017).

use tapeline_events::{Event, Observer};

use super::{Loop, Run, Start};
use crate::average::{copies, put};
use crate::error::TrainError;
use crate::seed::shuffled;
use crate::step::Pace;

/// Share of the smoothed loss that a step keeps.
const SMOOTHING: f64 = 0.9;
/// The sweep ends when the smoothed loss is so many times the best one: it has diverged.
const DIVERGED: f64 = 4.0;
/// Steps at the beginning that are looked at for no slope: the smoothed loss has seen too little.
const FIRST_STEPS: usize = 5;

/// Which rates are tried.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LrFindSpec {
    /// The first rate; above 0.
    pub low: f64,
    /// The last rate; above the first.
    pub high: f64,
    /// Steps from the one to the other, each a constant factor above the one before; at least 2.
    pub steps: usize,
}

impl Default for LrFindSpec {
    /// Seven decades, of which a usable rate lies somewhere inside for every optimiser.
    fn default() -> Self {
        Self { low: 1e-7, high: 1.0, steps: 100 }
    }
}

/// A step of a sweep.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LrPoint {
    /// Its learning rate.
    pub rate: f64,
    /// The loss before it moved anything.
    pub loss: f64,
    /// The exponentially weighted mean of the losses so far.
    pub smoothed: f64,
}

/// What a sweep came to.
#[derive(Clone, Debug, PartialEq)]
pub struct LrSweep {
    /// Its steps, up to the one at which the loss diverged.
    pub points: Vec<LrPoint>,
    /// Whether the last rate was not reached.
    pub diverged: bool,
}

impl LrSweep {
    /// The rate at which the smoothed loss falls the fastest per factor of the rate, before its least value; none where it
    /// never falls.
    #[must_use]
    pub fn suggestion(&self) -> Option<f64> {
        let least = (FIRST_STEPS..self.points.len())
            .min_by(|one, other| self.points[*one].smoothed.total_cmp(&self.points[*other].smoothed))?;
        let slope = |at: usize| {
            let [one, other] = [self.points[at - 1], self.points[at + 1]];
            (other.smoothed - one.smoothed) / (other.rate / one.rate).ln()
        };
        let steepest = (FIRST_STEPS..least).min_by(|one, other| slope(*one).total_cmp(&slope(*other)))?;
        (slope(steepest) < 0.0).then(|| self.points[steepest].rate)
    }
}

/// Tries the learning rates of `spec` on the batches of the first epoch, with the optimiser, the precision and the loss of
/// `run`, from the network's weights, which it has again afterwards. Nothing is scored or saved; `interrupted` ends the sweep
/// with what it has so far.
///
/// # Errors
/// [`TrainError::LrFind`] for rates that do not grow; else as [`fit`](crate::fit()).
pub fn lr_find(
    run: &Run<'_>,
    spec: &LrFindSpec,
    interrupted: &dyn Fn() -> bool,
) -> Result<LrSweep, TrainError> {
    let LrFindSpec { low, high, steps } = *spec;
    if !(low > 0.0 && high > low && high.is_finite() && steps >= 2) {
        return Err(TrainError::LrFind { low, high, steps });
    }
    let parameters = run.network.parameters().tensors();
    let start = copies(&parameters)?;
    let sweep = sweep(run, spec, interrupted);
    put(&start, &parameters)?;
    sweep
}

fn sweep(run: &Run<'_>, spec: &LrFindSpec, interrupted: &dyn Fn() -> bool) -> Result<LrSweep, TrainError> {
    let mut begun = Loop::begin(run, Start::Fresh, &mut Deaf)?;
    begun.augment();
    let order = shuffled(&begun.curriculum.samples(0), run.lineage.seed, 0);
    let growth = (spec.high / spec.low).powf(1.0 / (spec.steps - 1) as f64);
    let (mut sweep, mut mean) = (LrSweep { points: Vec::with_capacity(spec.steps), diverged: false }, 0.0);
    let batches = order.chunks(run.training.samples_per_step()).cycle();
    for (step, samples) in batches.take(spec.steps).enumerate() {
        let rate = spec.low * growth.powi(step as i32);
        let figures = begun.figures_of_step(samples, Pace::unseen(rate, step + 1))?;
        begun.state.cursor += samples.len().div_ceil(run.training.batch_size);
        let figures = Vec::<f32>::try_from(figures)?;
        let [skip, _, _, loss, ..] = figures[..] else { unreachable!("the figures begin so") };
        let loss = f64::from(loss);
        if !loss.is_finite() {
            sweep.diverged = true;
            break;
        }
        if skip > 0.0 {
            // A loss scale that was too high: the rate was not tried.
            continue;
        }
        mean = SMOOTHING * mean + (1.0 - SMOOTHING) * loss;
        let smoothed = mean / (1.0 - SMOOTHING.powi(sweep.points.len() as i32 + 1));
        let best = sweep.points.iter().map(|point| point.smoothed).fold(smoothed, f64::min);
        sweep.points.push(LrPoint { rate, loss, smoothed });
        // From the best one upwards, also where losses are below zero.
        if sweep.points.len() > FIRST_STEPS && smoothed - best > (DIVERGED - 1.0) * best.abs() {
            sweep.diverged = true;
            break;
        }
        if interrupted() {
            break;
        }
    }
    Ok(sweep)
}

/// Hears nothing.
struct Deaf;

impl Observer for Deaf {
    fn observe(&mut self, _event: &Event) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sweep(smoothed: impl Fn(f64) -> f64) -> LrSweep {
        let point = |step: i32| {
            let rate = 1e-6 * 10f64.powf(f64::from(step) / 10.0);
            LrPoint { rate, loss: smoothed(rate), smoothed: smoothed(rate) }
        };
        LrSweep { points: (0..60).map(point).collect(), diverged: false }
    }

    #[test]
    fn the_steepest_fall_before_the_least_loss_is_suggested() {
        // A step down at 1e-3, a rise from 1e-1 on.
        let valley = |rate: f64| 1.0 - 0.5 / (1.0 + (1e-3 / rate).powi(2)) + 4.0 * rate * rate;
        let found = sweep(valley).suggestion().unwrap();
        assert!((found / 1e-3).ln().abs() < 0.3, "{found}");
    }

    #[test]
    fn a_loss_that_never_falls_suggests_nothing() {
        assert_eq!(sweep(|rate| 1.0 + rate).suggestion(), None);
        assert_eq!(LrSweep { points: Vec::new(), diverged: true }.suggestion(), None);
    }
}
