//! Declared parameters: what each may be, and when it is there.

mod spec;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub use spec::{ParamSpec, SpaceSpec};

use crate::{Choice, Distribution, HpoError, SearchSpace, Trial};

/// Parameters with what they may be, some of them only where others have certain values.
///
/// ```
/// use tapeline_hpo::{FloatDistribution, IntDistribution, Space};
///
/// let space = Space::builder()
///     .param("lr", FloatDistribution::log(1e-5, 1e-1))
///     .categorical("optimizer", ["sgd", "adam"])
///     .param_when("momentum", FloatDistribution::new(0.5, 0.99), "optimizer", ["sgd"])
///     .param("layers", IntDistribution::new(1, 4))
///     .build()?;
/// assert_eq!(space.names().collect::<Vec<_>>(), ["lr", "optimizer", "momentum", "layers"]);
/// # Ok::<(), tapeline_hpo::HpoError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Space {
    /// Parents stand before their children.
    params: Vec<Declared>,
}

/// One declared parameter.
#[derive(Clone, Debug, PartialEq)]
struct Declared {
    name: String,
    distribution: Distribution,
    /// It is there only if each of these parameters is there and has one of the values.
    when: BTreeMap<String, Vec<Choice>>,
}

/// Puts a [`Space`] together.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct SpaceBuilder {
    params: Vec<Declared>,
}

impl SpaceBuilder {
    /// A parameter that is always there.
    pub fn param(self, name: impl Into<String>, distribution: impl Into<Distribution>) -> Self {
        self.declare(name.into(), distribution.into(), BTreeMap::new())
    }

    /// One of several choices that is always there.
    pub fn categorical<C: Into<Choice>>(
        self,
        name: impl Into<String>,
        choices: impl IntoIterator<Item = C>,
    ) -> Self {
        let choices = choices.into_iter().map(Into::into).collect();
        self.param(name, Distribution::Categorical(crate::CategoricalDistribution { choices }))
    }

    /// A parameter that is there only if `parent` is there and has one of `values`.
    pub fn param_when<C: Into<Choice>>(
        self,
        name: impl Into<String>,
        distribution: impl Into<Distribution>,
        parent: impl Into<String>,
        values: impl IntoIterator<Item = C>,
    ) -> Self {
        let when = BTreeMap::from([(parent.into(), values.into_iter().map(Into::into).collect())]);
        self.declare(name.into(), distribution.into(), when)
    }

    fn declare(
        mut self,
        name: String,
        distribution: Distribution,
        when: BTreeMap<String, Vec<Choice>>,
    ) -> Self {
        self.params.push(Declared { name, distribution, when });
        self
    }

    /// Checks it and puts parents before their children, everything else in the order in which it was declared.
    ///
    /// # Errors
    /// [`HpoError::Space`] with every fault.
    pub fn build(self) -> Result<Space, HpoError> {
        let mut faults = Vec::new();
        let mut open = Vec::new();
        let mut names = BTreeSet::new();
        for declared in self.params {
            if !names.insert(declared.name.clone()) {
                faults.push(format!("parameter {:?} is declared twice", declared.name));
            }
            match declared.distribution.check(&declared.name) {
                Ok(distribution) => open.push(Declared { distribution, ..declared }),
                Err(fault) => faults.push(fault.to_string()),
            }
        }
        for declared in &open {
            faults.extend(condition_faults(declared, &open, &names));
        }
        if !faults.is_empty() {
            return Err(HpoError::Space { faults });
        }
        let mut params: Vec<Declared> = Vec::with_capacity(open.len());
        while !open.is_empty() {
            let ready = |declared: &Declared| {
                declared.when.keys().all(|parent| params.iter().any(|placed| placed.name == *parent))
            };
            let Some(place) = open.iter().position(ready) else {
                let circle = open.iter().map(|declared| format!("{:?}", declared.name)).collect::<Vec<_>>();
                let fault = format!("the parameters {} wait for one another", circle.join(", "));
                return Err(HpoError::Space { faults: vec![fault] });
            };
            params.push(open.remove(place));
        }
        Ok(Space { params })
    }
}

/// What is wrong with when a parameter is there.
fn condition_faults(declared: &Declared, all: &[Declared], names: &BTreeSet<String>) -> Vec<String> {
    let mut faults = Vec::new();
    for (parent, values) in &declared.when {
        let name = &declared.name;
        if !names.contains(parent) {
            let known: Vec<_> =
                names.iter().filter(|known| *known != name).map(|known| format!("{known:?}")).collect();
            faults.push(format!(
                "parameter {name:?} depends on {parent:?}, which is not declared; there are {}",
                known.join(", ")
            ));
        }
        if values.is_empty() {
            faults.push(format!("parameter {name:?} is never there: it names no value of {parent:?}"));
        }
        let Some(distribution) =
            all.iter().find(|other| other.name == *parent).map(|other| &other.distribution)
        else {
            continue;
        };
        for value in values {
            if !distribution.internal(value).is_some_and(|value| distribution.contains(value)) {
                faults.push(format!(
                    "parameter {name:?} waits for {parent:?} to be {value}, which it cannot be"
                ));
            }
        }
    }
    faults
}

impl Space {
    /// Begins a space.
    pub fn builder() -> SpaceBuilder {
        SpaceBuilder::default()
    }

    /// The parameters, parents before their children.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.params.iter().map(|declared| declared.name.as_str())
    }

    /// What the parameter of that name may be.
    #[must_use]
    pub fn distribution(&self, name: &str) -> Option<&Distribution> {
        self.params.iter().find(|declared| declared.name == name).map(|declared| &declared.distribution)
    }

    /// All parameters, whenever they are there.
    #[must_use]
    pub fn parameters(&self) -> SearchSpace {
        self.params.iter().map(|declared| (declared.name.clone(), declared.distribution.clone())).collect()
    }

    /// True if every parameter is there whatever the others are.
    #[must_use]
    pub fn is_unconditional(&self) -> bool {
        self.params.iter().all(|declared| declared.when.is_empty())
    }

    /// Asks a trial for all parameters that are there.
    ///
    /// # Errors
    /// As [`Trial::suggest`].
    pub fn suggest(&self, trial: &mut Trial) -> Result<BTreeMap<String, Choice>, HpoError> {
        let mut given: BTreeMap<String, Choice> = BTreeMap::new();
        for Declared { name, distribution, when } in &self.params {
            let is_there = when.iter().all(|(parent, values)| {
                given.get(parent).is_some_and(|value| values.iter().any(|wanted| wanted.is_same_as(value)))
            });
            if !is_there {
                continue;
            }
            let value = trial.suggest(name, distribution.clone())?;
            // A float's or integer's number is always one of its values; a category's is one of its choices.
            given.extend(distribution.external(value).map(|choice| (name.clone(), choice)));
        }
        Ok(given)
    }
}
