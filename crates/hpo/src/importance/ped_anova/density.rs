//! The density of a parameter's values on a grid.

use std::f64::consts::SQRT_2;

use crate::Distribution;

/// Points of the grid on which a numeric parameter is looked at, at most.
const MOST_POINTS: usize = 50;
/// Least width of a kernel in points: 90 % of it stay within one.
const LEAST_WIDTH: f64 = 0.5 / 1.64;

/// The density of `values` at each point of the grid, or at each choice: a kernel for each value and one for the prior, which
/// weighs as much as one value.
pub(super) fn on_grid(distribution: &Distribution, values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut counts = vec![0_u64; points(distribution)];
    let last = counts.len() - 1;
    for value in values {
        counts[place(distribution, value, last).min(last)] += 1;
    }
    let seen: Vec<(usize, u64)> =
        counts.iter().copied().enumerate().filter(|(_, count)| *count > 0).collect();
    match distribution {
        Distribution::Categorical(_) => of_choices(&seen, counts.len()),
        Distribution::Float(_) | Distribution::Int(_) => of_points(&seen, counts.len()),
    }
}

/// How many points its grid has; at least 2 for a parameter that is not single.
fn points(distribution: &Distribution) -> usize {
    match distribution {
        Distribution::Categorical(categories) => categories.choices.len(),
        Distribution::Float(float) => float
            .step
            .map_or(MOST_POINTS, |step| ((float.high - float.low) / step).round() as usize + 1)
            .min(MOST_POINTS),
        Distribution::Int(int) if int.log => {
            // As many as there are doublings.
            let size = (int.high - int.low + 1) as f64;
            ((size.ln() / 2f64.ln()).ceil() as usize + 1).min(MOST_POINTS)
        }
        Distribution::Int(int) => {
            (((int.high - int.low) as f64 / int.step as f64).round() as usize + 1).min(MOST_POINTS)
        }
    }
}

/// The nearest point, the lower one of two.
fn place(distribution: &Distribution, value: f64, last: usize) -> usize {
    let (low, high, log) = match distribution {
        Distribution::Categorical(_) => return value as usize,
        Distribution::Float(float) => (float.low, float.high, float.log),
        Distribution::Int(int) => (int.low as f64, int.high as f64, int.log),
    };
    let scale = |value: f64| if log { value.ln() } else { value };
    let step = (scale(high) - scale(low)) / last as f64;
    ((scale(value) - scale(low)) / step - 0.5).ceil().max(0.0) as usize
}

fn of_choices(seen: &[(usize, u64)], choices: usize) -> Vec<f64> {
    let total = seen.iter().map(|(_, count)| *count as f64).sum::<f64>() + 1.0;
    // A kernel has 1 at its choice, and at each choice its part of the prior.
    let part = 1.0 / (seen.len() as f64 + 1.0);
    let mut density = vec![1.0 / choices as f64 / total; choices];
    for (choice, count) in seen {
        let kernel = 1.0 + part * choices as f64;
        density.iter_mut().for_each(|value| *value += *count as f64 / total * part / kernel);
        density[*choice] += *count as f64 / total / kernel;
    }
    density
}

fn of_points(seen: &[(usize, u64)], points: usize) -> Vec<f64> {
    let last = (points - 1) as f64;
    let count: u64 = seen.iter().map(|(_, count)| count).sum();
    let width = width(seen, count).max(LEAST_WIDTH);
    let total = count as f64 + 1.0;
    let kernels = seen.iter().map(|(point, count)| (*point as f64, width, *count as f64 / total));
    let mut density = vec![0.0; points];
    for (centre, width, weight) in kernels.chain([(last / 2.0, last + 1.0, 1.0 / total)]) {
        let share = |from: f64, to: f64| mass((from - centre) / width, (to - centre) / width);
        let whole = share(-0.5, last + 0.5);
        for (point, value) in density.iter_mut().enumerate() {
            *value += weight * share(point as f64 - 0.5, point as f64 + 0.5) / whole;
        }
    }
    density
}

/// The width of kernels by the rule of D. W. Scott, "Multivariate density estimation" (1992).
fn width(seen: &[(usize, u64)], count: u64) -> f64 {
    let weighed = |f: &dyn Fn(f64) -> f64| {
        seen.iter().map(|(point, count)| *count as f64 * f(*point as f64)).sum::<f64>()
    };
    let mean = weighed(&|point| point) / count as f64;
    let deviation = (weighed(&|point| (point - mean).powi(2)) / count.saturating_sub(1).max(1) as f64).sqrt();
    // The quarters of the values, in whole numbers of them.
    let mut sums = Vec::with_capacity(seen.len());
    let mut sum = 0;
    for (_, count) in seen {
        sum += count;
        sums.push(sum);
    }
    let lower = sums.partition_point(|sum| *sum < count / 4);
    let upper = sums.partition_point(|sum| *sum <= count * 3 / 4).min(seen.len() - 1);
    let range = seen[upper].0 as f64 - seen[lower].0 as f64;
    1.059 * (range / 1.34).min(deviation) * (count as f64).powf(-0.2)
}

/// How much of the standard normal distribution lies between `from` and `to`, accurate in both tails.
fn mass(from: f64, to: f64) -> f64 {
    let (from, to) = if from > 0.0 { (-to, -from) } else { (from, to) };
    let below = |x: f64| libm::erfc(-x / SQRT_2) / 2.0;
    below(to) - below(from)
}
