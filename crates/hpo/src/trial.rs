//! A trial while it runs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::search::Search;
use crate::seen::{SEEN, Seen};
use crate::{
    CategoricalDistribution, Choice, Distribution, FloatDistribution, FrozenTrial, History, HpoError,
    IntDistribution, Outcome, Param, RawJson, TrialChange, TrialRandom, TrialState, joint,
};

/// The system attribute that holds what a queued trial fixes, an object of values by parameter name.
pub(crate) const FIXED: &str = "fixed_params";

/// The prefix of the system attributes that hold a trial's constraints, a number each.
pub(crate) const CONSTRAINT: &str = "constraints:";

/// A trial while it runs: it is asked for parameters and told what came of them.
///
/// What it is given and told is written when it reports or ends, in one go; until then only its joint sample is seen by
/// others. A trial that is dropped stays as running, like one whose worker has died.
pub struct Trial {
    search: Arc<Search>,
    frozen: FrozenTrial,
    /// What the storage does not know yet.
    pending: Vec<TrialChange>,
    fixed: BTreeMap<String, Choice>,
    /// What a dead trial had drawn jointly.
    repeats: BTreeMap<String, Choice>,
    sampled: Option<Sampled>,
    outside: BTreeSet<String>,
}

/// What was drawn at the first suggestion, and what there was to see then.
struct Sampled {
    values: BTreeMap<String, f64>,
    history: Arc<History>,
}

impl Trial {
    pub(crate) fn new(search: Arc<Search>, frozen: FrozenTrial) -> Result<Self, HpoError> {
        let fixed = match frozen.system_attributes.get(FIXED) {
            Some(raw) => read_fixed(raw).ok_or_else(|| HpoError::Attribute {
                number: frozen.number,
                key: FIXED.to_owned(),
                value: raw.as_str().to_owned(),
            })?,
            None => BTreeMap::new(),
        };
        Ok(Self {
            search,
            frozen,
            pending: Vec::new(),
            fixed,
            repeats: BTreeMap::new(),
            sampled: None,
            outside: BTreeSet::new(),
        })
    }

    /// Its place in the study.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.frozen.number
    }

    /// All that is known of it here, what is not yet written included.
    #[must_use]
    pub const fn record(&self) -> &FrozenTrial {
        &self.frozen
    }

    /// The parameters that a queued trial fixed to values outside of what they may be. They are used as they are.
    #[must_use]
    pub const fn fixed_outside(&self) -> &BTreeSet<String> {
        &self.outside
    }

    /// A real number. A range, or [`FloatDistribution::log`] or [`FloatDistribution::stepped`].
    ///
    /// # Errors
    /// As [`Trial::suggest`].
    pub fn suggest_float(
        &mut self,
        name: &str,
        may_be: impl Into<FloatDistribution>,
    ) -> Result<f64, HpoError> {
        self.suggest(name, Distribution::Float(may_be.into()))
    }

    /// A whole number. A range, or [`IntDistribution::log`] or [`IntDistribution::stepped`].
    ///
    /// # Errors
    /// As [`Trial::suggest`].
    pub fn suggest_int(&mut self, name: &str, may_be: impl Into<IntDistribution>) -> Result<i64, HpoError> {
        Ok(self.suggest(name, Distribution::Int(may_be.into()))? as i64)
    }

    /// One of `choices`, which have no order. They must be the same in every trial of the study.
    ///
    /// # Errors
    /// As [`Trial::suggest`].
    pub fn suggest_categorical<T: Clone + Into<Choice>>(
        &mut self,
        name: &str,
        choices: &[T],
    ) -> Result<T, HpoError> {
        let categories =
            CategoricalDistribution { choices: choices.iter().cloned().map(Into::into).collect() };
        // `suggest` returns no index that is not among the choices.
        Ok(choices[self.suggest(name, Distribution::Categorical(categories))? as usize].clone())
    }

    /// The number that stands for a value of `distribution`: what the trial was given under this name before; else what its
    /// queue entry fixes, even outside of the ends; else the only value there is; else the joint sample's; else a draw of
    /// its own.
    ///
    /// # Errors
    /// If the distribution makes no sense or is of another kind than earlier ones of that name, if what is fixed is no value
    /// of it, and what storage and sampler say.
    pub fn suggest(&mut self, name: &str, distribution: Distribution) -> Result<f64, HpoError> {
        let distribution = distribution.check(name)?;
        if let Some(given) = self.frozen.params.get(name) {
            if given.distribution.agrees_with(&distribution) {
                return Ok(given.value);
            }
            return Err(disagrees(name, self.frozen.number, &given.distribution, &distribution));
        }
        if self.sampled.is_none() {
            self.sampled = Some(self.sample()?);
        }
        let value = self.choose(name, &distribution)?;
        let param = Param { distribution, value };
        self.frozen.params.insert(name.to_owned(), param.clone());
        self.pending.push(TrialChange::Param { name: name.to_owned(), param });
        Ok(value)
    }

    fn choose(&mut self, name: &str, distribution: &Distribution) -> Result<f64, HpoError> {
        let Some(sampled) = &self.sampled else {
            return Err(HpoError::UnknownTrial { trial: self.frozen.id });
        };
        self.search.known_as(name, self.frozen.number, distribution)?;
        if let Some(choice) = self.fixed.get(name) {
            let value = distribution.internal(choice).ok_or_else(|| HpoError::Fixed {
                number: self.frozen.number,
                name: name.to_owned(),
                value: choice.to_string(),
                distribution: format!("{distribution:?}"),
            })?;
            if !distribution.contains(value) {
                self.outside.insert(name.to_owned());
            }
            return Ok(value);
        }
        if distribution.is_single() {
            return Ok(match distribution {
                Distribution::Float(float) => float.low,
                Distribution::Int(int) => int.low as f64,
                Distribution::Categorical(_) => 0.0,
            });
        }
        let repeated = self.repeats.get(name).and_then(|choice| distribution.internal(choice));
        if let Some(value) = repeated.filter(|value| distribution.contains(*value)) {
            return Ok(value);
        }
        if let Some(value) = sampled.values.get(name).filter(|value| distribution.contains(**value)) {
            return Ok(*value);
        }
        let mut random = TrialRandom::for_parameter(self.search.seed, self.frozen.number, name);
        self.search.sample_alone(&sampled.history, &self.frozen, name, distribution, &mut random)
    }

    /// Draws what is drawn jointly. What a dead trial drew that this one repeats is not drawn again.
    fn sample(&mut self) -> Result<Sampled, HpoError> {
        let history = self.search.synced()?;
        if let Some(noted) = joint::read(&self.frozen) {
            self.repeats = noted;
            return Ok(Sampled { values: BTreeMap::new(), history });
        }
        let joint = self.search.sample_joint(&history, &self.frozen)?;
        let shows_now = !joint.attributes.is_empty();
        for (key, value) in joint.attributes {
            self.note(key, value);
        }
        if self.search.looks_back {
            self.note(SEEN.to_owned(), Seen::of(&history, self.frozen.number).to_json());
        }
        if shows_now {
            self.write()?;
        }
        Ok(Sampled { values: joint.values, history })
    }

    /// Tells how it goes at `step`. Of several reports for one step the first counts. Any float may be reported.
    ///
    /// # Errors
    /// What the storage says.
    pub fn report(&mut self, step: i64, value: f64) -> Result<(), HpoError> {
        if self.frozen.intermediate.contains_key(&step) {
            return Ok(());
        }
        self.frozen.intermediate.insert(step, value);
        self.pending.push(TrialChange::Report { step, value });
        self.write()
    }

    /// Whether to give up on it, now that it has reported. A study of several objectives never gives up.
    ///
    /// # Errors
    /// What the storage says.
    pub fn should_prune(&mut self) -> Result<bool, HpoError> {
        if self.frozen.intermediate.is_empty() || self.search.record.directions.len() > 1 {
            return Ok(false);
        }
        let (verdict, attributes) = self.search.verdict(&self.frozen)?;
        if !attributes.is_empty() {
            for (key, value) in attributes {
                self.note(key, value);
            }
            self.write()?;
        }
        Ok(verdict)
    }

    /// Notes something of the user's.
    pub fn set_user_attribute(&mut self, key: impl Into<String>, value: RawJson) {
        let key = key.into();
        self.frozen.user_attributes.insert(key.clone(), value.clone());
        self.pending.push(TrialChange::UserAttribute { key, value });
    }

    /// Notes something of a tool's.
    pub fn set_system_attribute(&mut self, key: impl Into<String>, value: RawJson) {
        self.note(key.into(), value);
    }

    /// Says how far a constraint is violated: above 0 it is, at or below it holds. Among trials that violate some, less
    /// violation is better; none of them is ever best.
    pub fn set_constraint(&mut self, key: &str, violation: f64) {
        self.note(format!("{CONSTRAINT}{key}"), RawJson::from_number(violation));
    }

    /// Writes what the storage does not know yet.
    ///
    /// # Errors
    /// What the storage says.
    pub fn write(&mut self) -> Result<(), HpoError> {
        if !self.pending.is_empty() {
            self.search.storage.change_trial(self.frozen.id, &self.pending)?;
            self.pending.clear();
        }
        Ok(())
    }

    /// Ends it. Returns what it ended as: values of the wrong number, or NaN among them, make it a failed one.
    pub(crate) fn finish(mut self, outcome: Outcome) -> Result<FrozenTrial, HpoError> {
        let objectives = self.search.record.directions.len();
        let (state, values) = match outcome {
            Outcome::Values(values) if values.len() != objectives => {
                let reason = format!("{} values, the study has {objectives} objectives", values.len());
                (self.fail(&reason), None)
            }
            Outcome::Values(values) => match values.iter().position(|value| value.is_nan()) {
                Some(place) => (self.fail(&format!("the value of objective {place} is not a number")), None),
                None => (TrialState::Complete, Some(values)),
            },
            Outcome::Pruned => {
                let last = self.frozen.intermediate.last_key_value().map(|(_, value)| *value);
                let last = last.filter(|value| objectives == 1 && !value.is_nan());
                (TrialState::Pruned, last.map(|value| vec![value]))
            }
            Outcome::Failed(reason) => (self.fail(&reason), None),
        };
        self.search.storage.finish_trial(self.frozen.id, &self.pending, state, values.as_deref())?;
        self.frozen.state = state;
        self.frozen.values = values;
        Ok(self.frozen)
    }

    fn fail(&mut self, reason: &str) -> TrialState {
        self.set_user_attribute(
            "fail_reason",
            RawJson::from_text(serde_json::Value::from(reason).to_string()),
        );
        TrialState::Fail
    }

    fn note(&mut self, key: String, value: RawJson) {
        self.frozen.system_attributes.insert(key.clone(), value.clone());
        self.pending.push(TrialChange::SystemAttribute { key, value });
    }
}

pub(crate) fn disagrees(name: &str, number: u64, earlier: &Distribution, now: &Distribution) -> HpoError {
    HpoError::Disagrees {
        name: name.to_owned(),
        number,
        earlier: format!("{earlier:?}"),
        now: format!("{now:?}"),
    }
}

fn read_fixed(raw: &RawJson) -> Option<BTreeMap<String, Choice>> {
    // Python may have written it, with `NaN` and `Infinity` in it.
    let crate::JsonValue::Object(values) = raw.parse().ok()? else { return None };
    Some(values.iter().map(|(name, value)| (name.clone(), value.to_choice())).collect())
}
