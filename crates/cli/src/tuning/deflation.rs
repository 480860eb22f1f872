//! The best of many scores, held against the best that as many scores of nothing would have.
//!
//! Of `n` independent scores without any skill, each normal around 0 with standard deviation `s`, the best is expected at
//! `s · ((1 − γ) Φ⁻¹(1 − 1/n) + γ Φ⁻¹(1 − 1/(n e)))`, γ being Euler's constant; the probability that a score `x` is more than
//! that is `Φ((x − expected) / s)`. Both are those of the deflated Sharpe ratio (Bailey and López de Prado 2014, The Journal of
//! Portfolio Management 40(5), equations 1 and 2), with the standard deviation of a correlation in the place of a Sharpe
//! ratio's. Trials that learn from each other are not independent: the expectation is then too high, never too low.

/// Euler's constant γ.
const EULER: f64 = 0.577_215_664_901_532_9;

/// A best score and what luck alone would have found.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub(crate) struct Deflated {
    /// Scores that the best was chosen from.
    pub(crate) trials: u64,
    /// Standard deviation of a score where there is nothing to find.
    pub(crate) null_deviation: f64,
    /// What the best of as many scores of nothing is expected to be.
    pub(crate) expected_of_luck: f64,
    /// The score less that.
    pub(crate) score: f64,
    /// Probability that there is more to the score than choosing it among so many.
    pub(crate) probability: f64,
}

impl Deflated {
    /// `best` of `trials` scores whose standard deviation without skill is `null_deviation`.
    pub(crate) fn of(best: f64, trials: u64, null_deviation: f64) -> Self {
        let expected_of_luck = null_deviation * expected_maximum(trials);
        let score = best - expected_of_luck;
        let probability = normal_cdf(score / null_deviation);
        Self { trials, null_deviation, expected_of_luck, score, probability }
    }
}

/// The expected maximum of `count` standard normal numbers, by the approximation above; 0 of one.
fn expected_maximum(count: u64) -> f64 {
    if count < 2 {
        return 0.0;
    }
    let count = count as f64;
    (1.0 - EULER) * normal_quantile(1.0 - 1.0 / count)
        + EULER * normal_quantile(1.0 - 1.0 / (count * std::f64::consts::E))
}

/// Φ.
fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}

/// Φ⁻¹, by halving: exact to the last bits of Φ, and quick enough for a handful.
fn normal_quantile(probability: f64) -> f64 {
    let (mut low, mut high) = (-40.0, 40.0);
    for _ in 0..80 {
        let middle = 0.5 * (low + high);
        if normal_cdf(middle) < probability { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// The standard deviation of the information coefficient `metric` over a span where forecast and outcome have nothing to do
/// with each other; `None` for other metrics, whose distribution without skill nobody knows.
///
/// `decisions` has how many there are for each symbol, `stride` base bars apart. Outcomes that overlap count once: of decisions
/// within one horizon one is independent. Symbols are taken to move as one in a correlation over time, so that their mean is no
/// steadier than one of them: on the safe side. A correlation over symbols has `1/√(symbols − 1)` at each decision.
pub(crate) fn null_deviation(metric: &str, decisions: &[usize], stride: usize) -> Option<f64> {
    let mut parts = metric.rsplit('/');
    let name = parts.next()?;
    let horizon: usize = parts.next()?.strip_prefix('h')?.parse().ok()?;
    let overlap = horizon.div_ceil(stride.max(1)).max(1) as f64;
    let most = *decisions.iter().max()? as f64;
    let independent = most / overlap;
    match name {
        "ic_series" | "rank_ic_series" => (independent > 2.0).then(|| 1.0 / (independent - 1.0).sqrt()),
        "rank_ic_cross" => {
            let symbols = decisions.len() as f64;
            (independent >= 1.0 && symbols > 2.0).then(|| 1.0 / ((symbols - 1.0) * independent).sqrt())
        }
        _ => None,
    }
}
