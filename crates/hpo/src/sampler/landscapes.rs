//! The ten functions that samplers are compared on, the same as in `scripts/golden_search.py`.

use std::f64::consts::{E, PI, TAU};

use crate::{FloatDistribution, HpoError, IntDistribution, Sampler, Study, Trial};

/// How far the optimum of a shifted function is from where it was, in half widths of the box.
const SHIFT: [f64; 8] = [0.37, -0.52, 0.23, -0.68, 0.59, -0.31, 0.44, -0.16];

pub(super) struct Landscape {
    pub(super) name: &'static str,
    bounds: Vec<(f64, f64)>,
    height: fn(&[f64]) -> f64,
    shifted: bool,
    least: f64,
}

/// All ten. The last one has no bounds here: it asks for its parameters itself.
pub(super) fn all() -> Vec<Landscape> {
    let boxed = |name, dimensions, bounds: (f64, f64), height, shifted, least| Landscape {
        name,
        bounds: vec![bounds; dimensions],
        height,
        shifted,
        least,
    };
    let mut branin = boxed("branin", 2, (-5.0, 10.0), branin, false, 0.397_887_357_729_738_16);
    branin.bounds[1] = (0.0, 15.0);
    vec![
        branin,
        boxed("hartmann6", 6, (0.0, 1.0), hartmann, false, -3.322_368_011_415_51),
        boxed("rosenbrock5", 5, (-5.0, 10.0), rosenbrock, false, 0.0),
        boxed("ackley5", 5, (-32.768, 32.768), ackley, false, 0.0),
        boxed("ackley5_shifted", 5, (-32.768, 32.768), ackley, true, 0.0),
        boxed("rastrigin5", 5, (-5.12, 5.12), rastrigin, false, 0.0),
        boxed("rastrigin5_shifted", 5, (-5.12, 5.12), rastrigin, true, 0.0),
        boxed("levy8", 8, (-10.0, 10.0), levy, false, 0.0),
        boxed("levy8_shifted", 8, (-10.0, 10.0), levy, true, 0.0),
        boxed("mixed", 0, (0.0, 0.0), rosenbrock, false, 0.0),
    ]
}

impl Landscape {
    fn climb(&self, trial: &mut Trial) -> Result<f64, HpoError> {
        if self.bounds.is_empty() {
            return mixed(trial);
        }
        let mut point = Vec::with_capacity(self.bounds.len());
        for (axis, (low, high)) in self.bounds.iter().enumerate() {
            let value = trial.suggest_float(&format!("x{axis}"), *low..=*high)?;
            let shift = if self.shifted { SHIFT[axis] * (high - low) / 2.0 } else { 0.0 };
            point.push(value - shift);
        }
        Ok((self.height)(&point))
    }

    /// The least value of `trials` trials under `seed`, less the minimum of the function.
    pub(super) fn gap(&self, sampler: impl Sampler + 'static, seed: u64, trials: usize) -> f64 {
        let study = Study::minimize(self.name).sampler(sampler).seed(seed).create().unwrap();
        study.optimize(trials, |trial| self.climb(trial)).unwrap();
        study.best_trial().unwrap().unwrap().values.as_ref().unwrap()[0] - self.least
    }
}

fn branin(x: &[f64]) -> f64 {
    let bent = x[1] - 5.1 / (4.0 * PI * PI) * x[0] * x[0] + 5.0 / PI * x[0] - 6.0;
    bent * bent + 10.0 * (1.0 - 1.0 / (8.0 * PI)) * x[0].cos() + 10.0
}

fn hartmann(x: &[f64]) -> f64 {
    const WIDTHS: [[f64; 6]; 4] = [
        [10.0, 3.0, 17.0, 3.5, 1.7, 8.0],
        [0.05, 10.0, 17.0, 0.1, 8.0, 14.0],
        [3.0, 3.5, 1.7, 10.0, 17.0, 8.0],
        [17.0, 8.0, 0.05, 10.0, 0.1, 14.0],
    ];
    const PEAKS: [[f64; 6]; 4] = [
        [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
        [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
        [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
        [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
    ];
    let peak = |row: usize| {
        let squares = (0..6).map(|axis| WIDTHS[row][axis] * (x[axis] - PEAKS[row][axis]).powi(2));
        (-squares.sum::<f64>()).exp()
    };
    -[1.0, 1.2, 3.0, 3.2].iter().enumerate().map(|(row, weight)| weight * peak(row)).sum::<f64>()
}

fn rosenbrock(x: &[f64]) -> f64 {
    x.windows(2).map(|pair| 100.0 * (pair[1] - pair[0] * pair[0]).powi(2) + (1.0 - pair[0]).powi(2)).sum()
}

fn ackley(x: &[f64]) -> f64 {
    let mean = |f: fn(f64) -> f64| x.iter().map(|value| f(*value)).sum::<f64>() / x.len() as f64;
    -20.0 * (-0.2 * mean(|value| value * value).sqrt()).exp() - mean(|value| (TAU * value).cos()).exp()
        + 20.0
        + E
}

fn rastrigin(x: &[f64]) -> f64 {
    x.iter().map(|value| value * value - 10.0 * (TAU * value).cos() + 10.0).sum()
}

fn levy(x: &[f64]) -> f64 {
    let w: Vec<f64> = x.iter().map(|value| 1.0 + (value - 1.0) / 4.0).collect();
    let last = w[w.len() - 1];
    let middle =
        w[..w.len() - 1].iter().map(|w| (w - 1.0).powi(2) * (1.0 + 10.0 * (PI * w + 1.0).sin().powi(2)));
    (PI * w[0]).sin().powi(2)
        + middle.sum::<f64>()
        + (last - 1.0).powi(2) * (1.0 + (TAU * last).sin().powi(2))
}

/// Shaped like tuning a small network.
fn mixed(trial: &mut Trial) -> Result<f64, HpoError> {
    let (cost, best_rate) = match trial.suggest_categorical("opt", &["sgd", "adam", "rmsprop", "lion"])? {
        "sgd" => (0.25, -1.5),
        "adam" => (0.0, -3.0),
        "rmsprop" => (0.1, -3.5),
        _ => (0.15, -4.0),
    };
    let (more, best_dropout) = match trial.suggest_categorical("act", &["relu", "tanh", "gelu"])? {
        "relu" => (0.1, 0.2),
        "tanh" => (0.3, 0.1),
        _ => (0.0, 0.3),
    };
    let units = trial.suggest_int("units", IntDistribution::log(8, 1024))? as f64;
    let batch = trial.suggest_int("batch", IntDistribution::log(4, 512))? as f64;
    let e = trial.suggest_float("lr", FloatDistribution::log(1e-5, 1e-1))?.log10() - best_rate;
    let d = trial.suggest_float("dropout", 0.0..=0.7)? - best_dropout;
    let momentum = trial.suggest_float("momentum", 0.5..=0.999)?;
    let sizes = 0.08 * (units.log2() - 8.0).powi(2) + 0.05 * (batch.log2() - 5.0 - 0.5 * e).powi(2);
    let waves = 0.15 * (1.0 - (3.0 * PI * d).cos());
    Ok(cost + more + 0.5 * e * e + sizes + 4.0 * d * d + waves + 6.0 * (momentum - 0.9).powi(2))
}
