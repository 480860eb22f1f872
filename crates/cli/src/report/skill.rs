//! The scores to look at first, each with all that it should be compared with.

use tapeline_trainer::{Estimate, PriceBaseline, PriceScore, RegimeScore, Scorecard, VolatilityScore};

/// A score with its interval, the naive forecasts that have it and the best possible one.
pub(crate) struct Skill {
    /// The task's name.
    pub(crate) task: String,
    /// What is forecast, in a word.
    pub(crate) subject: &'static str,
    /// Base bars ahead.
    pub(crate) horizon: usize,
    /// Which score.
    pub(crate) score: &'static str,
    /// Its value and interval.
    pub(crate) estimate: Estimate,
    /// Naive forecasts on the same rows that have this score.
    pub(crate) naive: Vec<(String, f64)>,
    /// The score of the best possible forecast, where it is known.
    pub(crate) best_possible: Option<f64>,
    /// Whether it is a correlation, to be compared with others.
    pub(crate) correlation: bool,
}

impl Skill {
    /// The naive forecast that does best, and how well.
    pub(crate) fn best_naive(&self) -> Option<(String, f64)> {
        let best = self.naive.iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
        Some((best.0.replace('_', " "), best.1))
    }

    /// What share of the best possible score was reached.
    pub(crate) fn share_of_possible(&self) -> Option<f64> {
        let best = self.best_possible.filter(|best| *best > 0.0)?;
        Some(self.estimate.value? / best)
    }
}

/// Whether an interval has no doubt about the sign; `None` without an interval.
pub(crate) fn covers_zero(estimate: Estimate) -> Option<bool> {
    Some(estimate.low? <= 0.0 && estimate.high? >= 0.0)
}

/// The scores of a span, tasks and horizons in the order of its scorecard.
pub(crate) fn skills(scorecard: &Scorecard) -> Vec<Skill> {
    let price = scorecard.price.iter().flat_map(of_price);
    let volatility = scorecard.volatility.iter().flat_map(of_volatility);
    let regime = scorecard.regime.iter().map(of_regime);
    price.chain(volatility).chain(regime).collect()
}

/// The score over symbols stands there only where there are symbols enough for one.
fn of_price(score: &PriceScore) -> impl Iterator<Item = Skill> {
    let naive = |of: fn(&PriceBaseline) -> Option<f64>| {
        score.baselines.iter().filter_map(|naive| Some((naive.name.clone(), of(naive)?))).collect()
    };
    let skill = |name, estimate, naive, best_possible| Skill {
        task: score.task.clone(),
        subject: "Return",
        horizon: score.horizon,
        score: name,
        estimate,
        naive,
        best_possible,
        correlation: true,
    };
    let across =
        score.rank_ic_cross.value.map(|_| skill("cross rank IC", score.rank_ic_cross, Vec::new(), None));
    [
        skill("IC", score.ic_series, naive(|naive| naive.ic_series), score.best_possible_ic),
        skill("rank IC", score.rank_ic_series, naive(|naive| naive.rank_ic_series), None),
    ]
    .into_iter()
    .chain(across)
}

fn of_volatility(score: &VolatilityScore) -> [Skill; 2] {
    let naive = score.baselines.iter().filter_map(|naive| Some((naive.name.clone(), naive.r2_log?)));
    let r2_log = Estimate { value: score.r2_log, ..Estimate::default() };
    let skill = |name, estimate, naive, correlation| Skill {
        task: score.task.clone(),
        subject: "Volatility",
        horizon: score.horizon,
        score: name,
        estimate,
        naive,
        best_possible: None,
        correlation,
    };
    [
        skill("rank IC", score.rank_ic_series, Vec::new(), true),
        skill("R² log", r2_log, naive.collect(), false),
    ]
}

fn of_regime(score: &RegimeScore) -> Skill {
    let naive = score.baselines.iter().filter_map(|naive| Some((naive.name.clone(), naive.mcc?)));
    Skill {
        task: score.task.clone(),
        subject: "Regime",
        horizon: score.horizon,
        score: "MCC",
        estimate: Estimate { value: score.mcc, ..Estimate::default() },
        naive: naive.collect(),
        best_possible: None,
        correlation: false,
    }
}

/// A horizon in words.
pub(crate) fn bars(horizon: usize) -> String {
    if horizon == 1 { "1 bar".into() } else { format!("{horizon} bars") }
}
