//! Functions with known minima, and others with a shifted one: an optimum in the middle of its box flatters whoever starts
//! there. The first ten are those of `benches/peers/hpo/bench_optuna.py`, to the letter; the others nobody was tuned on.

use std::f64::consts::{E, PI, TAU};

use tapeline_hpo::{FloatDistribution, HpoError, IntDistribution, Trial};

/// A function to be minimised.
pub(crate) struct Function {
    pub(crate) name: &'static str,
    /// The exact minimum.
    pub(crate) minimum: f64,
    pub(crate) run: fn(&mut Trial) -> Result<f64, HpoError>,
}

/// The ten of the protocol.
pub(crate) const PROTOCOL: [Function; 10] = [
    Function { name: "branin", minimum: 0.397_887_357_729_738_16, run: branin },
    Function { name: "hartmann6", minimum: -3.322_368_011_415_51, run: hartmann6 },
    Function {
        name: "rosenbrock5",
        minimum: 0.0,
        run: |trial| Ok(rosenbrock(&boxed(trial, 5, -5.0, 10.0, false)?)),
    },
    Function {
        name: "ackley5",
        minimum: 0.0,
        run: |trial| Ok(ackley(&boxed(trial, 5, -32.768, 32.768, false)?)),
    },
    Function {
        name: "ackley5_shifted",
        minimum: 0.0,
        run: |trial| Ok(ackley(&boxed(trial, 5, -32.768, 32.768, true)?)),
    },
    Function {
        name: "rastrigin5",
        minimum: 0.0,
        run: |trial| Ok(rastrigin(&boxed(trial, 5, -5.12, 5.12, false)?)),
    },
    Function {
        name: "rastrigin5_shifted",
        minimum: 0.0,
        run: |trial| Ok(rastrigin(&boxed(trial, 5, -5.12, 5.12, true)?)),
    },
    Function { name: "levy8", minimum: 0.0, run: |trial| Ok(levy(&boxed(trial, 8, -10.0, 10.0, false)?)) },
    Function {
        name: "levy8_shifted",
        minimum: 0.0,
        run: |trial| Ok(levy(&boxed(trial, 8, -10.0, 10.0, true)?)),
    },
    Function { name: "mixed", minimum: 0.0, run: mixed },
];

/// Others.
pub(crate) const OTHERS: [Function; 4] = [
    Function {
        name: "griewank6",
        minimum: 0.0,
        run: |trial| Ok(griewank(&boxed(trial, 6, -60.0, 60.0, true)?)),
    },
    Function {
        name: "styblinski4",
        minimum: -39.166_165_703_771_42 * 4.0,
        run: |trial| Ok(styblinski(&boxed(trial, 4, -5.0, 5.0, false)?)),
    },
    Function {
        name: "ellipsoid10",
        minimum: 0.0,
        run: |trial| Ok(ellipsoid(&boxed(trial, 10, -5.0, 5.0, true)?)),
    },
    Function { name: "branches", minimum: 0.0, run: branches },
];

/// What the optimum is shifted by, as shares of half the width.
const SHIFTS: [f64; 8] = [0.37, -0.52, 0.23, -0.68, 0.59, -0.31, 0.44, -0.16];

fn boxed(
    trial: &mut Trial,
    dimensions: usize,
    low: f64,
    high: f64,
    shifted: bool,
) -> Result<Vec<f64>, HpoError> {
    (0..dimensions)
        .map(|axis| {
            let shift = if shifted { SHIFTS[axis % SHIFTS.len()] * (high - low) / 2.0 } else { 0.0 };
            Ok(trial.suggest_float(&format!("x{axis}"), low..=high)? - shift)
        })
        .collect()
}

fn branin(trial: &mut Trial) -> Result<f64, HpoError> {
    let (x, y) = (trial.suggest_float("x0", -5.0..=10.0)?, trial.suggest_float("x1", 0.0..=15.0)?);
    let (b, c, t) = (5.1 / (4.0 * PI * PI), 5.0 / PI, 1.0 / (8.0 * PI));
    Ok((y - b * x * x + c * x - 6.0).powi(2) + 10.0 * (1.0 - t) * x.cos() + 10.0)
}

fn hartmann6(trial: &mut Trial) -> Result<f64, HpoError> {
    const A: [[f64; 6]; 4] = [
        [10.0, 3.0, 17.0, 3.5, 1.7, 8.0],
        [0.05, 10.0, 17.0, 0.1, 8.0, 14.0],
        [3.0, 3.5, 1.7, 10.0, 17.0, 8.0],
        [17.0, 8.0, 0.05, 10.0, 0.1, 14.0],
    ];
    const P: [[f64; 6]; 4] = [
        [1312.0, 1696.0, 5569.0, 124.0, 8283.0, 5886.0],
        [2329.0, 4135.0, 8307.0, 3736.0, 1004.0, 9991.0],
        [2348.0, 1451.0, 3522.0, 2883.0, 3047.0, 6650.0],
        [4047.0, 8828.0, 8732.0, 5743.0, 1091.0, 381.0],
    ];
    let x = boxed(trial, 6, 0.0, 1.0, false)?;
    let hill = |row: usize| {
        let distance: f64 = (0..6).map(|axis| A[row][axis] * (x[axis] - 1e-4 * P[row][axis]).powi(2)).sum();
        [1.0, 1.2, 3.0, 3.2][row] * (-distance).exp()
    };
    Ok(-(0..4).map(hill).sum::<f64>())
}

fn rosenbrock(x: &[f64]) -> f64 {
    x.windows(2).map(|pair| 100.0 * (pair[1] - pair[0] * pair[0]).powi(2) + (1.0 - pair[0]).powi(2)).sum()
}

fn ackley(x: &[f64]) -> f64 {
    let count = x.len() as f64;
    let square: f64 = x.iter().map(|x| x * x).sum();
    let wave: f64 = x.iter().map(|x| (TAU * x).cos()).sum();
    -20.0 * (-0.2 * (square / count).sqrt()).exp() - (wave / count).exp() + 20.0 + E
}

fn rastrigin(x: &[f64]) -> f64 {
    10.0 * x.len() as f64 + x.iter().map(|x| x * x - 10.0 * (TAU * x).cos()).sum::<f64>()
}

fn levy(x: &[f64]) -> f64 {
    let w: Vec<f64> = x.iter().map(|x| 1.0 + (x - 1.0) / 4.0).collect();
    let last = w[w.len() - 1];
    let inner = |w: &f64| (w - 1.0).powi(2) * (1.0 + 10.0 * (PI * w + 1.0).sin().powi(2));
    (PI * w[0]).sin().powi(2)
        + w[..w.len() - 1].iter().map(inner).sum::<f64>()
        + (last - 1.0).powi(2) * (1.0 + (TAU * last).sin().powi(2))
}

/// Shaped like the tuning of a small network.
fn mixed(trial: &mut Trial) -> Result<f64, HpoError> {
    let optimizer = trial.suggest_categorical("opt", &["sgd", "adam", "rmsprop", "lion"])?;
    let activation = trial.suggest_categorical("act", &["relu", "tanh", "gelu"])?;
    let units = trial.suggest_int("units", IntDistribution::log(8, 1024))? as f64;
    let batch = trial.suggest_int("batch", IntDistribution::log(4, 512))? as f64;
    let rate = trial.suggest_float("lr", FloatDistribution::log(1e-5, 1e-1))?;
    let dropout = trial.suggest_float("dropout", 0.0..=0.7)?;
    let momentum = trial.suggest_float("momentum", 0.5..=0.999)?;
    let (off, best_rate) = match optimizer {
        "sgd" => (0.25, -1.5),
        "adam" => (0.0, -3.0),
        "rmsprop" => (0.1, -3.5),
        _ => (0.15, -4.0),
    };
    let (activation_off, best_dropout) = match activation {
        "relu" => (0.1, 0.2),
        "tanh" => (0.3, 0.1),
        _ => (0.0, 0.3),
    };
    let (e, d) = (rate.log10() - best_rate, dropout - best_dropout);
    Ok(off
        + activation_off
        + 0.5 * e * e
        + 0.08 * (units.log2() - 8.0).powi(2)
        + 0.05 * (batch.log2() - 5.0 - 0.5 * e).powi(2)
        + 4.0 * d * d
        + 0.15 * (1.0 - (3.0 * PI * d).cos())
        + 6.0 * (momentum - 0.9).powi(2))
}

fn griewank(x: &[f64]) -> f64 {
    let square: f64 = x.iter().map(|x| x * x / 4_000.0).sum();
    let wave: f64 = x.iter().enumerate().map(|(axis, x)| (x / (axis as f64 + 1.0).sqrt()).cos()).product();
    square - wave + 1.0
}

fn styblinski(x: &[f64]) -> f64 {
    x.iter().map(|x| (x.powi(4) - 16.0 * x * x + 5.0 * x) / 2.0).sum()
}

fn ellipsoid(x: &[f64]) -> f64 {
    x.iter().enumerate().map(|(axis, x)| 10_f64.powf(axis as f64 / 3.0) * x * x).sum()
}

/// Parameters that are there only under one of three choices.
fn branches(trial: &mut Trial) -> Result<f64, HpoError> {
    let kind = trial.suggest_categorical("kind", &["tree", "net", "line"])?;
    Ok(match kind {
        "tree" => {
            let depth = trial.suggest_int("depth", 1..=16)? as f64;
            let rate = trial.suggest_float("tree_rate", FloatDistribution::log(1e-3, 1.0))?;
            0.05 * (depth - 7.0).abs() + (rate.log10() + 1.3).powi(2)
        }
        "net" => {
            let width = trial.suggest_int("width", IntDistribution::log(8, 512))? as f64;
            let rate = trial.suggest_float("net_rate", FloatDistribution::log(1e-5, 1e-1))?;
            0.1 + 0.1 * (width.log2() - 7.0).powi(2) + (rate.log10() + 3.0).powi(2)
        }
        _ => 1.0 + trial.suggest_float("penalty", 0.0..=1.0)?,
    })
}
