//! The evolution strategy itself: one normal distribution that moves and reshapes itself.
//!
//! N. Hansen, "The CMA evolution strategy: a tutorial" (arXiv 1604.00772); equation numbers are its. All losses count by their
//! order only.

mod eigen;
#[cfg(test)]
mod tests;

use eigen::Eigen;

use crate::TrialRandom;

/// Standard deviations beyond this would overflow squares.
const LARGEST_SIGMA: f64 = 1e32;
/// Width of a distribution that begins anew within the unit cube.
const FRESH_SIGMA: f64 = 1.0 / 6.0;
/// Stands in for eigenvalues that rounding made negative.
const LEAST_EIGENVALUE: f64 = 1e-8;

/// The distribution from which a generation is drawn, and what it remembers of the path it came.
#[derive(Clone, Debug)]
pub(super) struct Strategy {
    settings: Settings,
    mean: Vec<f64>,
    sigma: f64,
    /// Row by row.
    covariance: Vec<f64>,
    eigen: Eigen,
    sigma_path: Vec<f64>,
    covariance_path: Vec<f64>,
    generation: u32,
}

/// What follows from the number of dimensions (tutorial, table 1).
#[derive(Clone, Debug)]
struct Settings {
    dimensions: usize,
    parents: usize,
    /// One per place in a generation, best first; the later half is negative.
    weights: Vec<f64>,
    effective_parents: f64,
    path_rate: f64,
    rank_one_rate: f64,
    rank_many_rate: f64,
    sigma_rate: f64,
    sigma_damping: f64,
    /// The mean length of a standard normal vector.
    expected_length: f64,
}

/// How many are drawn in a generation: 4 + ⌊3 ln d⌋ (eq. 48).
pub(super) fn population(dimensions: usize) -> usize {
    4 + (3.0 * (dimensions as f64).ln()).floor() as usize
}

impl Settings {
    fn of(dimensions: usize) -> Self {
        let population = population(dimensions);
        let parents = population / 2;
        let n = dimensions as f64;
        let raw: Vec<f64> = (0..population)
            .map(|place| ((population as f64 + 1.0) / 2.0).ln() - (place as f64 + 1.0).ln())
            .collect();
        let effective = |weights: &[f64]| {
            weights.iter().sum::<f64>().powi(2) / weights.iter().map(|weight| weight * weight).sum::<f64>()
        };
        let effective_parents = effective(&raw[..parents]);
        let effective_rest = effective(&raw[parents..]);

        let rank_one_rate = 2.0 / ((n + 1.3).powi(2) + effective_parents);
        let rank_many_rate = (2.0 * (effective_parents - 2.0 + 1.0 / effective_parents)
            / ((n + 2.0).powi(2) + effective_parents))
            .min(1.0 - rank_one_rate - 1e-8);
        // Eqs. 50 to 53: the negative weights together.
        let negative = (1.0 + rank_one_rate / rank_many_rate)
            .min(1.0 + 2.0 * effective_rest / (effective_parents + 2.0))
            .min((1.0 - rank_one_rate - rank_many_rate) / (n * rank_many_rate));
        let positive_sum: f64 = raw.iter().filter(|weight| **weight > 0.0).sum();
        let negative_sum: f64 = raw.iter().filter(|weight| **weight < 0.0).map(|weight| -weight).sum();
        let weights = raw
            .iter()
            .map(|raw| if *raw >= 0.0 { raw / positive_sum } else { raw * negative / negative_sum })
            .collect();

        let sigma_rate = (effective_parents + 2.0) / (n + effective_parents + 5.0);
        Self {
            dimensions,
            parents,
            weights,
            effective_parents,
            path_rate: (4.0 + effective_parents / n) / (n + 4.0 + 2.0 * effective_parents / n),
            rank_one_rate,
            rank_many_rate,
            sigma_rate,
            sigma_damping: 1.0
                + 2.0 * (((effective_parents - 1.0) / (n + 1.0)).sqrt() - 1.0).max(0.0)
                + sigma_rate,
            expected_length: n.sqrt() * (1.0 - 1.0 / (4.0 * n) + 1.0 / (21.0 * n * n)),
        }
    }
}

impl Strategy {
    /// A round normal distribution; `mean` has at least one dimension.
    pub(super) fn new(mean: Vec<f64>, sigma: f64) -> Self {
        let dimensions = mean.len();
        let mut covariance = vec![0.0; dimensions * dimensions];
        covariance.iter_mut().step_by(dimensions + 1).for_each(|cell| *cell = 1.0);
        Self {
            settings: Settings::of(dimensions),
            mean,
            sigma,
            eigen: Eigen::of(&covariance, dimensions),
            covariance,
            sigma_path: vec![0.0; dimensions],
            covariance_path: vec![0.0; dimensions],
            generation: 0,
        }
    }

    /// How many points make a generation.
    pub(super) fn population(&self) -> usize {
        self.settings.weights.len()
    }

    /// A point of the unit cube: drawn anew until it is inside, up to ten times per dimension, and at last pushed to the nearest
    /// face.
    pub(super) fn draw(&self, random: &mut TrialRandom) -> Vec<f64> {
        let mut point = self.draw_anywhere(random);
        for _ in 0..10 * self.settings.dimensions {
            if point.iter().all(|value| (0.0..=1.0).contains(value)) {
                return point;
            }
            point = self.draw_anywhere(random);
        }
        point.iter_mut().for_each(|value| *value = value.clamp(0.0, 1.0));
        point
    }

    fn draw_anywhere(&self, random: &mut TrialRandom) -> Vec<f64> {
        let standard: Vec<f64> = self.eigen.roots.iter().map(|root| root * normal(random)).collect();
        let steps = self.eigen.out_of_axes(&standard);
        self.mean.iter().zip(steps).map(|(mean, step)| mean + self.sigma * step).collect()
    }

    /// Learns from a whole generation, `population` points, best first.
    pub(super) fn learn(&mut self, points: &[&[f64]]) {
        let Settings { dimensions, parents, effective_parents, .. } = self.settings;
        let settings = &self.settings;
        self.generation += 1;
        let steps: Vec<Vec<f64>> = points
            .iter()
            .map(|point| {
                point.iter().zip(&self.mean).map(|(value, mean)| (value - mean) / self.sigma).collect()
            })
            .collect();

        // Selection and recombination, eqs. 41 and 42.
        let mut step = vec![0.0; dimensions];
        for (weight, parent) in settings.weights.iter().zip(&steps[..parents]) {
            step.iter_mut().zip(parent).for_each(|(total, value)| *total += weight * value);
        }
        self.mean.iter_mut().zip(&step).for_each(|(mean, step)| *mean += self.sigma * step);

        // Step size, eqs. 43 and 44.
        let rate = settings.sigma_rate;
        let pull = (rate * (2.0 - rate) * effective_parents).sqrt();
        let whitened = self.eigen.whiten(&step);
        self.sigma_path
            .iter_mut()
            .zip(&whitened)
            .for_each(|(path, step)| *path = (1.0 - rate) * *path + pull * step);
        let length = norm(&self.sigma_path);
        self.sigma = (self.sigma
            * (rate / settings.sigma_damping * (length / settings.expected_length - 1.0)).exp())
        .min(LARGEST_SIGMA);

        // The path stands still while the step size grows fast.
        let settled = length / (1.0 - (1.0 - rate).powf(2.0 * (f64::from(self.generation) + 1.0))).sqrt();
        let moves = settled < (1.4 + 2.0 / (dimensions as f64 + 1.0)) * settings.expected_length;

        // Covariance, eqs. 45 to 47.
        let rate = settings.path_rate;
        let pull = if moves { (rate * (2.0 - rate) * effective_parents).sqrt() } else { 0.0 };
        self.covariance_path
            .iter_mut()
            .zip(&step)
            .for_each(|(path, step)| *path = (1.0 - rate) * *path + pull * step);
        let stood_still = if moves { 0.0 } else { rate * (2.0 - rate) };
        let weights: Vec<f64> = settings
            .weights
            .iter()
            .zip(&steps)
            .map(|(weight, step)| {
                if *weight >= 0.0 {
                    *weight
                } else {
                    weight * dimensions as f64 / (norm(&self.eigen.whiten(step)).powi(2) + LEAST_EIGENVALUE)
                }
            })
            .collect();
        let kept = 1.0 + settings.rank_one_rate * stood_still
            - settings.rank_one_rate
            - settings.rank_many_rate * settings.weights.iter().sum::<f64>();
        for row in 0..dimensions {
            for column in 0..dimensions {
                let many: f64 =
                    weights.iter().zip(&steps).map(|(weight, step)| weight * step[row] * step[column]).sum();
                let one = self.covariance_path[row] * self.covariance_path[column];
                let cell = &mut self.covariance[row * dimensions + column];
                *cell = kept * *cell + settings.rank_one_rate * one + settings.rank_many_rate * many;
            }
        }
        if !(self.sigma > 0.0 && self.mean.iter().chain(&self.covariance).all(|value| value.is_finite())) {
            // Rounding tore it apart, such as when all points of a grid were equal for long.
            *self = Self::new(vec![0.5; dimensions], FRESH_SIGMA);
            return;
        }
        self.eigen = Eigen::of(&self.covariance, dimensions);
        self.eigen.rebuild(&mut self.covariance);
    }
}

fn norm(vector: &[f64]) -> f64 {
    vector.iter().map(|value| value * value).sum::<f64>().sqrt()
}

/// A standard normal number (Box and Muller, 1958).
fn normal(random: &mut TrialRandom) -> f64 {
    // 1 - [0, 1) is never 0.
    let radius = (-2.0 * (1.0 - random.unit()).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.unit()).cos()
}
