//! Every combination of given values, each once.

mod shuffle;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use garde::{Error, Path, Report};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{JointSample, Sampler};
use crate::{
    Attributes, Choice, Distribution, FrozenTrial, HpoError, RawJson, SearchSpace, StudyView, TrialRandom,
    TrialState,
};

/// The system attributes of a trial that hold which point of which grid it is; Optuna's, and with the same meaning.
const GRID_ID: &str = "grid_id";
const SEARCH_SPACE: &str = "search_space";
/// What the points are shuffled by; Optuna's default, so that a mixed study has one order.
const SHUFFLE_SEED: u32 = 0;
/// More points than these are no grid that anybody finishes.
const MOST_POINTS: usize = 1_000_000;

/// [`GridSampler`] as a user writes it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GridSpec {
    /// The values of each parameter. Left out: all that the declared search space has, whose parameters must then be
    /// categorical, integers or floats with a step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<BTreeMap<String, Vec<Choice>>>,
}

impl GridSpec {
    /// The sampler that this describes, over the parameters of `space`.
    ///
    /// # Errors
    /// Every fault, with its path relative to the sampler's section, such as `values.lr[2]`.
    pub fn check(&self, space: &SearchSpace) -> Result<GridSampler, Report> {
        let mut report = Report::new();
        let path = Path::new("values");
        let mut axes = Vec::new();
        for (name, distribution) in space {
            let values = match self.values.as_ref().map(|values| values.get(name)) {
                Some(Some(values)) if values.is_empty() => {
                    report.append(path.join(name), Error::new("must have a value"));
                    continue;
                }
                Some(Some(values)) => values.clone(),
                Some(None) => {
                    report
                        .append(path.join(name), Error::new("is missing: every parameter needs its values"));
                    continue;
                }
                None => match all_values(distribution) {
                    Some(values) => values,
                    None => {
                        let message = "has no step: give it one, or list its values here";
                        report.append(path.join(name), Error::new(message));
                        continue;
                    }
                },
            };
            let mut places = Vec::new();
            for (index, value) in values.iter().enumerate() {
                match distribution.internal(value).filter(|place| distribution.contains(*place)) {
                    Some(place) => places.push(place),
                    None => {
                        let message = format!("{value} is no value of this parameter");
                        report.append(path.join(name).join(index), Error::new(message));
                    }
                }
            }
            axes.push(Axis { name: name.clone(), distribution: distribution.clone(), values, places });
        }
        for name in self.values.iter().flat_map(BTreeMap::keys).filter(|name| !space.contains_key(*name)) {
            report.append(path.join(name), Error::new("is no parameter of the search space"));
        }
        if space.is_empty() {
            report.append(Path::empty(), Error::new("there is no parameter to make a grid of"));
        }
        let points = axes.iter().try_fold(1_usize, |points, axis| points.checked_mul(axis.places.len()));
        match points.filter(|points| *points <= MOST_POINTS) {
            Some(points) if report.is_empty() => Ok(GridSampler::over(axes, points)),
            None => {
                report.append(path, Error::new("make more than a million combinations: leave some out"));
                Err(report)
            }
            Some(_) => Err(report),
        }
    }
}

/// All values of a parameter that has only so many.
fn all_values(distribution: &Distribution) -> Option<Vec<Choice>> {
    let steps = match distribution {
        Distribution::Categorical(categories) => return Some(categories.choices.clone()),
        Distribution::Int(int) => (int.high - int.low) / int.step,
        Distribution::Float(float) => ((float.high - float.low) / float.step?).round() as i64,
    };
    if steps >= MOST_POINTS as i64 {
        return None;
    }
    let value = |step: i64| match distribution {
        Distribution::Int(int) => Choice::Int(int.low + step * int.step),
        Distribution::Float(float) => {
            Choice::Float((float.low + step as f64 * float.step.unwrap_or(0.0)).min(float.high))
        }
        Distribution::Categorical(_) => Choice::Null,
    };
    Some((0..=steps).map(value).collect())
}

/// Tries every combination of given values once, in a shuffled order, and then says that the search is over.
///
/// A trial's point is the one of its number; once there are more trials than points, it is one that no trial has. Points of
/// finished trials are done, however they ended, and points of running ones are left to them. Several workers share one grid,
/// with Optuna's too.
pub struct GridSampler {
    /// In the order of their names.
    axes: Vec<Axis>,
    /// Points in the order of their ids, as indices into the product.
    order: Vec<u32>,
    /// As Optuna notes it on trials.
    search_space: RawJson,
}

struct Axis {
    name: String,
    distribution: Distribution,
    values: Vec<Choice>,
    places: Vec<f64>,
}

impl GridSampler {
    fn over(axes: Vec<Axis>, points: usize) -> Self {
        let list = |axis: &Axis| {
            let values: Vec<String> = axis.values.iter().map(Choice::to_json).collect();
            format!("{}: [{}]", serde_json::Value::from(axis.name.as_str()), values.join(", "))
        };
        let text = format!("{{{}}}", axes.iter().map(list).collect::<Vec<_>>().join(", "));
        Self { order: shuffle::order(points, SHUFFLE_SEED), search_space: RawJson::from_text(text), axes }
    }

    /// How many combinations there are.
    #[must_use]
    pub fn points(&self) -> usize {
        self.order.len()
    }

    /// The values of a point.
    fn point(&self, id: usize) -> BTreeMap<String, f64> {
        let mut index = self.order[id] as usize;
        // The last parameter changes fastest.
        let mut values = BTreeMap::new();
        for axis in self.axes.iter().rev() {
            values.insert(axis.name.clone(), axis.places[index % axis.places.len()]);
            index /= axis.places.len();
        }
        values
    }

    /// The points that trials of this grid have, by whether they are finished.
    fn taken(&self, view: StudyView<'_>) -> (BTreeSet<usize>, BTreeSet<usize>) {
        let (mut finished, mut running) = (BTreeSet::new(), BTreeSet::new());
        for trial in view.history.trials() {
            let Some(id) = self.noted(trial) else { continue };
            if trial.state.is_finished() {
                finished.insert(id);
            } else if trial.state == TrialState::Running {
                running.insert(id);
            }
        }
        (finished, running)
    }

    /// The point that is noted on a trial, if it is one of this grid.
    fn noted(&self, trial: &FrozenTrial) -> Option<usize> {
        let id = trial.system_attributes.get(GRID_ID)?.as_str().trim().parse().ok()?;
        let space = trial.system_attributes.get(SEARCH_SPACE)?;
        let is_ours = *space == self.search_space || self.is_same_grid(space);
        (is_ours && id < self.order.len()).then_some(id)
    }

    fn is_same_grid(&self, noted: &RawJson) -> bool {
        let Ok(noted) = serde_json::from_str::<BTreeMap<String, Vec<Choice>>>(noted.as_str()) else {
            return false;
        };
        noted.len() == self.axes.len()
            && noted.iter().zip(&self.axes).all(|((name, values), axis)| {
                *name == axis.name
                    && values.len() == axis.values.len()
                    && values.iter().zip(&axis.values).all(|(theirs, ours)| theirs.is_same_as(ours))
            })
    }
}

impl Sampler for GridSampler {
    fn name(&self) -> &'static str {
        "grid"
    }

    fn sees_all(&self) -> bool {
        true
    }

    fn joint_space(&mut self, _: StudyView<'_>, _: &FrozenTrial) -> SearchSpace {
        self.axes.iter().map(|axis| (axis.name.clone(), axis.distribution.clone())).collect()
    }

    fn sample_joint(
        &mut self,
        view: StudyView<'_>,
        trial: &FrozenTrial,
        _: &SearchSpace,
        _: &mut TrialRandom,
    ) -> Result<JointSample, HpoError> {
        // A copy of a trial that died keeps its point. One that was queued with values of its own is no point of the grid; what
        // it leaves open is taken from one.
        if let Some(id) = self.noted(trial) {
            return Ok(JointSample { values: self.point(id), ..JointSample::default() });
        }
        if trial.system_attributes.contains_key(crate::trial::FIXED) {
            let values = self.point(trial.number as usize % self.order.len());
            return Ok(JointSample { values, ..JointSample::default() });
        }
        let (finished, running) = self.taken(view);
        let number = trial.number as usize;
        let id = if number < self.order.len() && !finished.contains(&number) && !running.contains(&number) {
            number
        } else {
            let all = 0..self.order.len();
            let untouched: Vec<usize> =
                all.clone().filter(|id| !finished.contains(id) && !running.contains(id)).collect();
            let open: Vec<usize> = all.filter(|id| !finished.contains(id)).collect();
            // Workers that ask at the same time have neighbouring numbers, so they get different points.
            match (untouched.is_empty(), open.is_empty()) {
                (false, _) => untouched[number % untouched.len()],
                (true, false) => open[number % open.len()],
                (true, true) => number % self.order.len(),
            }
        };
        let attributes = Attributes::from([
            (GRID_ID.to_owned(), RawJson::from_text(id.to_string())),
            (SEARCH_SPACE.to_owned(), self.search_space.clone()),
        ]);
        Ok(JointSample { values: self.point(id), attributes })
    }

    fn sample_alone(
        &mut self,
        _: StudyView<'_>,
        _: &FrozenTrial,
        name: &str,
        distribution: &Distribution,
        _: &mut TrialRandom,
    ) -> Result<f64, HpoError> {
        let fault = match self.axes.iter().find(|axis| axis.name == name) {
            None => {
                format!("the grid has no parameter {name:?}: add its values, or queue trials that fix it")
            }
            Some(axis) => {
                format!(
                    "parameter {name:?} is {distribution:?} here, the grid was made for {:?}",
                    axis.distribution
                )
            }
        };
        Err(HpoError::Sampler { sampler: self.name(), fault })
    }

    fn is_exhausted(&mut self, view: StudyView<'_>) -> bool {
        let (mut taken, running) = self.taken(view);
        taken.extend(running);
        taken.len() == self.order.len()
    }
}
