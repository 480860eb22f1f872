//! Values told in a way that a Gaussian process can believe: bad ones pulled in, the whole with mean 0 and variance 1.

/// Powers that are tried, from none (1) to stronger than a logarithm (0).
const POWERS: [f64; 9] = [-1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0];

/// Losses, less is better, none NaN, as a process is told them. Infinite ones are as far out as the finite ones reach.
pub(super) fn warp(losses: &[f64]) -> Vec<f64> {
    let finite = || losses.iter().copied().filter(|loss| loss.is_finite());
    let (least, most) = (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
    if least >= most {
        return losses.iter().map(|loss| if loss.is_finite() { 0.0 } else { loss.signum() }).collect();
    }
    // Measured by the better half, so that one outlier does not make all others alike.
    let mut sorted: Vec<f64> = finite().collect();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted[sorted.len() / 2];
    let spread = if middle > least { middle - least } else { most - least };
    let values: Vec<f64> = losses.iter().map(|loss| (loss.clamp(least, most) - middle) / spread).collect();
    let best = POWERS.map(|power| bend(&values, power)).into_iter().max_by(|a, b| a.0.total_cmp(&b.0));
    let mut values = best.map_or(values, |(_, bent)| bent);
    standardise(&mut values);
    values
}

/// The values to that power, after Yeo and Johnson, "A new family of power transformations", 2000, and how probable they make
/// a normal distribution.
fn bend(values: &[f64], power: f64) -> (f64, Vec<f64>) {
    let bent: Vec<f64> = values
        .iter()
        .map(|value| {
            let (base, exponent) =
                if *value >= 0.0 { (value + 1.0, power) } else { (1.0 - value, 2.0 - power) };
            let size = if exponent.abs() < 1e-9 { base.ln() } else { (base.powf(exponent) - 1.0) / exponent };
            size.copysign(*value)
        })
        .collect();
    let count = values.len() as f64;
    let mean = bent.iter().sum::<f64>() / count;
    let variance = bent.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / count;
    let stretch: f64 = values.iter().map(|value| value.signum() * (value.abs() + 1.0).ln()).sum();
    (-0.5 * count * variance.ln() + (power - 1.0) * stretch, bent)
}

fn standardise(values: &mut [f64]) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / count;
    let spread = variance.sqrt().max(f64::MIN_POSITIVE);
    values.iter_mut().for_each(|value| *value = (*value - mean) / spread);
}
