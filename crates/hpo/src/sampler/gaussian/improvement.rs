//! Where a function is expected to get better most.

use super::process::Process;
use crate::TrialRandom;
use crate::sampler::normal::{LN_SQRT_TAU, cdf};

/// Points all over the space.
const ANYWHERE: usize = 600;

/// The best points so far, around which more are tried, at these distances.
const AROUND: usize = 6;
const DISTANCES: [f64; 5] = [0.2, 0.05, 0.02, 0.005, 0.001];
const NEAR_EACH: usize = 8;

/// Points that are improved step by step, and the steps.
const CLIMBERS: usize = 6;
const CLIMB: usize = 90;

/// The log of the expected improvement over `best` where a value is normal around `mean` (Ament et al., "Unexpected
/// improvements to expected improvement for Bayesian optimization", 2023).
pub(super) fn log_expected(best: f64, mean: f64, spread: f64) -> f64 {
    let z = (best - mean) / spread;
    let log_density = -0.5 * z * z - LN_SQRT_TAU;
    spread.ln()
        + if z > -20.0 {
            (log_density.exp() + z * cdf(z)).ln()
        } else {
            // The asymptotic series of the same.
            let inverse = 1.0 / (z * z);
            log_density + (inverse * (1.0 - 3.0 * inverse + 15.0 * inverse * inverse)).ln()
        }
}

/// What a point of the space can be.
pub(super) trait Region {
    fn axes(&self) -> usize;
    /// Any place on an axis.
    fn anywhere(&self, axis: usize, random: &mut TrialRandom) -> f64;
    /// A place at about that distance.
    fn near(&self, axis: usize, place: f64, distance: f64, random: &mut TrialRandom) -> f64;
}

/// The point with the largest expected improvement that was found, which is none of `taken`; `best_first` are the points told
/// so far, the best first.
pub(super) fn most_promising(
    process: &Process<'_>,
    space: &impl Region,
    best: f64,
    best_first: &[&[f64]],
    taken: &[Vec<f64>],
    random: &mut TrialRandom,
) -> Option<Vec<f64>> {
    let mut room = Vec::new();
    let mut worth = |point: &[f64]| {
        let (mean, spread) = process.at(point, &mut room);
        log_expected(best, mean, spread)
    };
    let axes = space.axes();
    let is_new = |point: &Vec<f64>| !taken.contains(point);
    let mut known: Vec<(f64, Vec<f64>)> = Vec::with_capacity(ANYWHERE + AROUND * DISTANCES.len() * NEAR_EACH);
    for _ in 0..ANYWHERE {
        known.push((0.0, (0..axes).map(|axis| space.anywhere(axis, random)).collect()));
    }
    for centre in best_first.iter().take(AROUND) {
        for distance in DISTANCES {
            for _ in 0..NEAR_EACH {
                known.push((0.0, step(space, centre, distance, random)));
            }
        }
    }
    known.retain(|(_, point)| is_new(point));
    for (value, point) in &mut known {
        *value = worth(point);
    }
    known.retain(|(value, _)| !value.is_nan());
    known.sort_by(|a, b| b.0.total_cmp(&a.0));
    known.truncate(CLIMBERS);
    for (value, point) in &mut known {
        let mut distance = 0.05;
        for _ in 0..CLIMB {
            let next = step(space, point, distance, random);
            if !is_new(&next) {
                continue;
            }
            let higher = worth(&next);
            if higher > *value {
                (*value, *point) = (higher, next);
                distance = (distance * 1.6_f64).min(0.3);
            } else {
                distance = (distance * 0.88).max(1e-5);
            }
        }
    }
    known.into_iter().max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, point)| point)
}

/// A step from `centre` along some of the axes, one at least.
fn step(space: &impl Region, centre: &[f64], distance: f64, random: &mut TrialRandom) -> Vec<f64> {
    let sure = random.below(space.axes());
    let all = random.unit() < 0.5;
    centre
        .iter()
        .enumerate()
        .map(|(axis, place)| {
            if axis == sure || all || random.unit() < 0.3 {
                space.near(axis, *place, distance, random)
            } else {
                *place
            }
        })
        .collect()
}
