//! How fast a function changes along each axis: the most probable answer, given what was told of it.

use super::process::{Likeness, Process, Told};

/// The log of a length, in units of the axis, is normal around this plus half the log of the number of axes: distances grow
/// with their number, and so must lengths for points to stay alike.
const LENGTH: f64 = -0.7;
const LENGTH_SPREAD: f64 = 1.0;

/// The log of the variance is normal around 0, since values are told with a variance of 1.
const VARIANCE_SPREAD: f64 = 1.0;

/// The log of the noise is normal around 10⁻⁵: what is tuned mostly gives the same answer twice, or nearly so.
const NOISE: f64 = -11.5;
const NOISE_SPREAD: f64 = 3.0;

/// Logs of rates, variance and noise stay within these.
const LIMITS: [(f64, f64); 3] = [(-9.0, 9.0), (-6.0, 6.0), (-16.0, 1.0)];

/// Steps of the search for the most probable answer.
const STEPS: usize = 30;

/// Steps whose slopes are remembered, to know how the slope changes.
const MEMORY: usize = 6;

/// The most probable likeness, from two places to begin: lengths as expected, and a third of it.
pub(super) fn most_probable(points: &[Vec<f64>], values: &[f64], unordered: &[bool]) -> Option<Likeness> {
    let axes = unordered.len();
    let judge = |at: &[f64]| -> Option<(f64, Vec<f64>)> {
        let process = Process::new(Told { points, values, unordered }, likeness(at))?;
        let (mut worth, mut slopes) = process.evidence();
        for (place, value) in at.iter().enumerate() {
            let (mean, spread) = prior(place, axes);
            let off = (value - mean) / spread;
            worth -= 0.5 * off * off;
            slopes[place] -= off / spread;
        }
        Some((worth, slopes))
    };
    let expected: Vec<f64> = (0..axes + 2).map(|place| prior(place, axes).0).collect();
    let mut shorter = expected.clone();
    shorter[..axes].iter_mut().for_each(|rate| *rate += 2.2);
    let best = [expected, shorter]
        .into_iter()
        .filter_map(|start| climb(start, &judge))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    best.map(|(_, at)| likeness(&at))
}

fn likeness(at: &[f64]) -> Likeness {
    let axes = at.len() - 2;
    Likeness {
        rates: at[..axes].iter().map(|log| log.exp()).collect(),
        variance: at[axes].exp(),
        noise: at[axes + 1].exp(),
    }
}

fn prior(place: usize, axes: usize) -> (f64, f64) {
    match place {
        // A rate is a length to the power of -2.
        place if place < axes => (-2.0 * LENGTH - (axes as f64).ln(), 2.0 * LENGTH_SPREAD),
        place if place == axes => (0.0, VARIANCE_SPREAD),
        _ => (NOISE, NOISE_SPREAD),
    }
}

fn clamp(at: &mut [f64]) {
    let axes = at.len() - 2;
    for (place, value) in at.iter_mut().enumerate() {
        let (low, high) = LIMITS[if place < axes { 0 } else { 1 + place - axes }];
        *value = value.clamp(low, high);
    }
}

/// Climbs with a limited memory of slopes (Nocedal and Wright, "Numerical optimization", 2006, algorithm 7.4), each step halved
/// until it rises.
fn climb(mut at: Vec<f64>, judge: &impl Fn(&[f64]) -> Option<(f64, Vec<f64>)>) -> Option<(f64, Vec<f64>)> {
    let (mut worth, mut slopes) = judge(&at)?;
    let mut memory: Vec<(Vec<f64>, Vec<f64>)> = Vec::new();
    for _ in 0..STEPS {
        let mut direction = uphill(&slopes, &memory);
        if inner(&direction, &slopes) <= 0.0 {
            memory.clear();
            direction = slopes.clone();
        }
        // The first step of all knows no scale.
        let longest = direction.iter().fold(0.0_f64, |longest, step| longest.max(step.abs()));
        let mut length = if memory.is_empty() {
            (1.0 / longest.max(1e-12)).min(1.0)
        } else {
            (3.0 / longest.max(1e-12)).min(1.0)
        };
        let rises = loop {
            let mut next: Vec<f64> = at.iter().zip(&direction).map(|(at, step)| at + length * step).collect();
            clamp(&mut next);
            if let Some((higher, steeper)) = judge(&next)
                && higher > worth
            {
                break Some((next, higher, steeper));
            }
            length *= 0.4;
            if length * longest < 1e-3 {
                break None;
            }
        };
        let Some((next, higher, steeper)) = rises else { break };
        let moved: Vec<f64> = next.iter().zip(&at).map(|(next, at)| next - at).collect();
        let bent: Vec<f64> = slopes.iter().zip(&steeper).map(|(before, after)| before - after).collect();
        if inner(&moved, &bent) > 1e-10 {
            memory.push((moved, bent));
            if memory.len() > MEMORY {
                memory.remove(0);
            }
        }
        let gained = higher - worth;
        (at, worth, slopes) = (next, higher, steeper);
        if gained < 1e-4 {
            break;
        }
    }
    Some((worth, at))
}

fn uphill(slopes: &[f64], memory: &[(Vec<f64>, Vec<f64>)]) -> Vec<f64> {
    let mut direction = slopes.to_vec();
    let mut shares = Vec::with_capacity(memory.len());
    for (moved, bent) in memory.iter().rev() {
        let share = inner(moved, &direction) / inner(moved, bent);
        direction.iter_mut().zip(bent).for_each(|(direction, bent)| *direction -= share * bent);
        shares.push(share);
    }
    if let Some((moved, bent)) = memory.last() {
        let scale = inner(moved, bent) / inner(bent, bent);
        direction.iter_mut().for_each(|direction| *direction *= scale);
    }
    for ((moved, bent), share) in memory.iter().zip(shares.into_iter().rev()) {
        let other = inner(bent, &direction) / inner(moved, bent);
        direction.iter_mut().zip(moved).for_each(|(direction, moved)| *direction += (share - other) * moved);
    }
    direction
}

fn inner(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
