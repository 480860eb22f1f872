//! Trials put together from the rows of several tables. Every row that cannot be read is kept as a fault, so that a user
//! learns of all of them at once.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::json::JsonValue;
use crate::storage::encoding::{float_of, state_of};
use crate::{
    Attributes, Distribution, FrozenTrial, HpoError, Param, RawJson, RowFault, Timestamp, TrialId, TrialState,
};

/// A row of `trials` as a database gives it.
pub(crate) struct TrialRow<'a> {
    pub(crate) id: i64,
    pub(crate) number: Option<i64>,
    pub(crate) state: &'a str,
    pub(crate) started: Result<Option<Timestamp>, String>,
    pub(crate) completed: Result<Option<Timestamp>, String>,
}

/// Whose note an attribute is, and so which table it is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Author {
    User,
    System,
}

impl Author {
    pub(crate) const BOTH: [Self; 2] = [Self::User, Self::System];

    pub(crate) const fn trial_table(self) -> &'static str {
        match self {
            Self::User => "trial_user_attributes",
            Self::System => "trial_system_attributes",
        }
    }

    pub(crate) const fn study_table(self) -> &'static str {
        match self {
            Self::User => "study_user_attributes",
            Self::System => "study_system_attributes",
        }
    }

    /// The primary key of [`Author::trial_table`].
    #[cfg(feature = "postgres")]
    pub(crate) const fn trial_key(self) -> &'static str {
        match self {
            Self::User => "trial_user_attribute_id",
            Self::System => "trial_system_attribute_id",
        }
    }

    /// The primary key of [`Author::study_table`].
    #[cfg(feature = "postgres")]
    pub(crate) const fn study_key(self) -> &'static str {
        match self {
            Self::User => "study_user_attribute_id",
            Self::System => "study_system_attribute_id",
        }
    }
}

/// Trials in the making: first their rows, in the order of their ids, then the rows of the other tables in any order.
pub(crate) struct Assembly {
    objectives: usize,
    trials: Vec<FrozenTrial>,
    /// Objective values by trial, since they come one by one.
    values: HashMap<i64, BTreeMap<i64, f64>>,
    /// Where the last row belonged: rows of one trial mostly come together.
    place: usize,
    /// Studies hold the same few distributions thousands of times.
    distributions: HashMap<String, Distribution>,
    faults: Vec<RowFault>,
}

impl Assembly {
    pub(crate) fn new(objectives: usize) -> Self {
        Self {
            objectives,
            trials: Vec::new(),
            values: HashMap::new(),
            place: 0,
            distributions: HashMap::new(),
            faults: Vec::new(),
        }
    }

    /// Whether no trial was asked for that is there and can be read.
    pub(crate) fn is_empty(&self) -> bool {
        self.trials.is_empty()
    }

    /// Keeps a fault of a row that could not even be taken in.
    pub(crate) fn fault(&mut self, table: &'static str, row: i64, fault: String) {
        self.faults.push(RowFault { table, row, fault });
    }

    /// Where the trial of that id is; `None` for a row of a trial that is not asked for.
    fn find(&mut self, id: i64) -> Option<&mut FrozenTrial> {
        if self.trials.get(self.place).is_none_or(|trial| trial.id.0 != id) {
            self.place = self.trials.binary_search_by_key(&id, |trial| trial.id.0).ok()?;
        }
        self.trials.get_mut(self.place)
    }

    pub(crate) fn trial(&mut self, row: TrialRow<'_>) {
        let TrialRow { id, number, state, started, completed } = row;
        let number = number.and_then(|number| u64::try_from(number).ok()).ok_or_else(|| {
            "number is NULL or negative: give it the count of the study's trials with a smaller trial_id"
                .to_owned()
        });
        let read = (|| Ok((number?, state_of(state)?, started?, completed?)))();
        match read {
            Ok((number, state, started, completed)) => self.trials.push(FrozenTrial {
                id: TrialId(id),
                number,
                state,
                values: None,
                params: BTreeMap::new(),
                intermediate: BTreeMap::new(),
                user_attributes: Attributes::new(),
                system_attributes: Attributes::new(),
                started,
                completed,
            }),
            Err(fault) => self.fault("trials", id, fault),
        }
    }

    pub(crate) fn param(
        &mut self,
        row: i64,
        trial: i64,
        name: Option<&str>,
        value: Option<f64>,
        json: Option<&str>,
    ) {
        if self.find(trial).is_none() {
            return;
        }
        let read = self.read_param(name, value, json);
        match (read, self.find(trial)) {
            (Ok((name, param)), Some(trial)) => drop(trial.params.insert(name, param)),
            (Ok(_), None) => {}
            (Err(fault), _) => self.fault("trial_params", row, fault),
        }
    }

    fn read_param(
        &mut self,
        name: Option<&str>,
        value: Option<f64>,
        json: Option<&str>,
    ) -> Result<(String, Param), String> {
        let name = name.ok_or("param_name is NULL: write the parameter's name")?;
        let json = json.ok_or("distribution_json is NULL: write what the parameter could be")?;
        let value = value.ok_or("param_value is NULL: write the parameter's value")?;
        let distribution = match self.distributions.get(json) {
            Some(distribution) => distribution.clone(),
            None => {
                let distribution = Distribution::from_json(json).map_err(|fault| {
                    format!(
                        "distribution_json of parameter {name:?}: {fault}; write what Optuna writes for it"
                    )
                })?;
                self.distributions.insert(json.to_owned(), distribution.clone());
                distribution
            }
        };
        if let Distribution::Categorical(categories) = &distribution
            && !distribution.contains(value)
        {
            let count = categories.choices.len();
            return Err(format!(
                "param_value of parameter {name:?} is {value}: make it the index of one of its {count} choices, from 0"
            ));
        }
        Ok((name.to_owned(), Param { distribution, value }))
    }

    pub(crate) fn value(&mut self, row: i64, trial: i64, objective: i64, number: Option<f64>, kind: &str) {
        if self.find(trial).is_none() {
            return;
        }
        let read = match float_of(number, kind) {
            Ok(value) if value.is_nan() => {
                Err("its kind is NAN: a trial without a value is a FAIL without rows here")
            }
            Ok(value) => Ok(value),
            Err(fault) => return self.fault("trial_values", row, fault),
        };
        match read {
            Ok(value) => drop(self.values.entry(trial).or_default().insert(objective, value)),
            Err(fault) => self.fault("trial_values", row, fault.to_owned()),
        }
    }

    pub(crate) fn report(&mut self, row: i64, trial: i64, step: i64, number: Option<f64>, kind: &str) {
        let read = float_of(number, kind);
        match (self.find(trial), read) {
            (Some(trial), Ok(value)) => drop(trial.intermediate.insert(step, value)),
            (Some(_), Err(fault)) => self.fault("trial_intermediate_values", row, fault),
            (None, _) => {}
        }
    }

    pub(crate) fn attribute(
        &mut self,
        author: Author,
        row: i64,
        trial: i64,
        key: Option<&str>,
        json: Option<&str>,
    ) {
        let Some(found) = self.find(trial) else { return };
        match read_attribute(key, json) {
            Ok((key, value)) => {
                let attributes = match author {
                    Author::User => &mut found.user_attributes,
                    Author::System => &mut found.system_attributes,
                };
                attributes.insert(key, value);
            }
            Err(fault) => self.fault(author.trial_table(), row, fault),
        }
    }

    /// The trials in the order of their numbers.
    ///
    /// # Errors
    /// [`HpoError::Rows`] with every row that could not be read.
    pub(crate) fn finish(mut self, storage: &str) -> Result<Vec<Arc<FrozenTrial>>, HpoError> {
        for place in 0..self.trials.len() {
            let trial = &mut self.trials[place];
            let values = self.values.remove(&trial.id.0).unwrap_or_default();
            let due = self.objectives;
            let in_order = values.keys().copied().eq(0..values.len() as i64);
            let fits = in_order && (values.len() == due || values.is_empty());
            if !fits || (values.is_empty() && trial.state == TrialState::Complete) {
                let (id, found) = (trial.id.0, values.len());
                let fault = format!(
                    "it is {state:?} and has {found} rows in trial_values where {due} are due, objectives from 0: write \
                     them, or make its state FAIL and delete them",
                    state = trial.state
                );
                self.fault("trials", id, fault);
            } else if trial.state.is_finished() && !values.is_empty() {
                trial.values = Some(values.into_values().collect());
            }
        }
        if !self.faults.is_empty() {
            return Err(HpoError::Rows { storage: storage.to_owned(), faults: self.faults });
        }
        self.trials.sort_unstable_by_key(|trial| trial.number);
        Ok(self.trials.into_iter().map(Arc::new).collect())
    }
}

/// A note and its key. The text is kept to the letter, but JSON it must be.
pub(crate) fn read_attribute(key: Option<&str>, json: Option<&str>) -> Result<(String, RawJson), String> {
    let key = key.ok_or("key is NULL: write the attribute's name, or delete the row")?;
    let json = json.ok_or_else(|| format!("value_json of {key:?} is NULL: write null, or delete the row"))?;
    JsonValue::check(json)
        .map_err(|fault| format!("value_json of {key:?} is {fault}; write JSON, or delete the row"))?;
    Ok((key.to_owned(), RawJson::from_text(json)))
}
