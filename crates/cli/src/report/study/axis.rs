//! A searched parameter as an axis: numbers by size or by their logarithm, categories side by side.

use tapeline_hpo::{Distribution, FrozenTrial};

use super::super::number::compact;

/// Where values of a parameter stand, from 0 to 1.
pub(super) struct Axis<'a> {
    distribution: &'a Distribution,
}

impl<'a> Axis<'a> {
    pub(super) const fn of(distribution: &'a Distribution) -> Self {
        Self { distribution }
    }

    /// Where a trial stands; `None` where it does not have the parameter. What a user fixed may lie outside of the axis.
    pub(super) fn place(&self, trial: &FrozenTrial, name: &str) -> Option<f64> {
        let param = trial.params.get(name)?;
        let (low, high, log) = self.ends();
        let scale = |value: f64| if log { value.max(f64::MIN_POSITIVE).ln() } else { value };
        let width = scale(high) - scale(low);
        let place = if width > 0.0 { (scale(param.value) - scale(low)) / width } else { 0.5 };
        place.is_finite().then(|| place.clamp(-0.05, 1.05))
    }

    fn ends(&self) -> (f64, f64, bool) {
        match self.distribution {
            Distribution::Float(float) => (float.low, float.high, float.log),
            Distribution::Int(int) => (int.low as f64, int.high as f64, int.log),
            Distribution::Categorical(categories) => (0.0, categories.choices.len() as f64 - 1.0, false),
        }
    }

    /// Places with what stands there: both ends of numbers, every category.
    pub(super) fn labels(&self) -> Vec<(f64, String)> {
        let (low, high, _) = self.ends();
        match self.distribution {
            Distribution::Categorical(categories) => {
                let last = (categories.choices.len() as f64 - 1.0).max(1.0);
                let places = categories.choices.iter().enumerate();
                let single = categories.choices.len() == 1;
                places
                    .map(|(place, choice)| {
                        (if single { 0.5 } else { place as f64 / last }, choice.to_string())
                    })
                    .collect()
            }
            Distribution::Int(_) => vec![(0.0, format!("{low}")), (1.0, format!("{high}"))],
            Distribution::Float(_) => vec![(0.0, compact(low)), (1.0, compact(high))],
        }
    }
}
