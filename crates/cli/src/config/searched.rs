//! A configuration with searched values in place of its own, and whether every such configuration can be.

use std::collections::{BTreeMap, BTreeSet};

use tapeline_hpo::{Choice, Distribution, ParamSpec, Space};

use super::fault::{ConfigError, Fault, Origin};
use super::hpo::HpoSpec;
use super::key_path::KeyPath;
use super::layers::Layers;
use super::run::RunConfig;
use super::sources::Sources;

/// Whole numbers of so few values are all tried, of others the ends and the middle.
const FEW: i64 = 9;

/// Faults of a search space that are told at most: those after them are mostly more of the same.
const MOST_FAULTS: usize = 12;

/// The configuration `base`, YAML with every default spelled out, with `values` in place of its own. Where a value chooses
/// another kind of section, that kind keeps what it knows of the section; the rest is forgotten.
///
/// # Errors
/// Everything that is wrong with the configuration that would be.
pub(crate) fn with_values(base: &str, values: &BTreeMap<String, Choice>) -> Result<RunConfig, ConfigError> {
    let searched = values.iter().map(|(key, value)| (key.clone(), value.to_json())).collect();
    let sources =
        Sources { text: Some(("the configuration".into(), base.into())), searched, ..Sources::default() };
    let mut config = super::load(&sources)?.config;
    config.hpo = None;
    Ok(config)
}

/// What cannot be among the configurations of a search: values that their keys do not take, and pairs of values that do not
/// go together. `config` has no fault without its search space.
pub(super) fn faults(layers: &Layers, config: &RunConfig) -> Vec<Fault> {
    let Some(hpo) = &config.hpo else { return Vec::new() };
    let Ok(space) = hpo.search_space.check() else { return Vec::new() };
    let base = super::resolved_yaml(&RunConfig { hpo: None, ..config.clone() });
    let trials = Trials::new(hpo, &space, config);
    let mut found = Found { layers, space: &space, faults: Vec::new(), keys: BTreeSet::new() };
    let mut good: Vec<(&str, Choice)> = Vec::new();
    for key in space.names() {
        for value in probes(space.distribution(key)) {
            match trials.with(&[(key, &value)]).map(|values| with_values(&base, &values)) {
                Some(Err(error)) => found.push(&error, &[(key, &value)]),
                Some(Ok(_)) => good.push((key, value)),
                None => {}
            }
        }
    }
    for (place, (key, value)) in good.iter().enumerate() {
        for (other, other_value) in &good[..place] {
            // What is checked before a trial is checked section by section.
            let together = section(key) == section(other) && key != other;
            if !together || found.knows(&[other, key]) || found.is_full() {
                continue;
            }
            let pair = [(*other, other_value), (*key, value)];
            if let Some(Err(error)) = trials.with(&pair).map(|values| with_values(&base, &values)) {
                found.push(&error, &pair);
            }
        }
    }
    found.faults
}

fn section(key: &str) -> &str {
    key.split('.').next().unwrap_or(key)
}

/// The values of a parameter that are tried before the first trial.
fn probes(distribution: Option<&Distribution>) -> Vec<Choice> {
    match distribution {
        Some(Distribution::Float(float)) => vec![Choice::Float(float.low), Choice::Float(float.high)],
        Some(Distribution::Int(int)) => {
            let steps = (int.high - int.low) / int.step;
            let places = if steps < FEW { (0..=steps).collect() } else { vec![0, steps / 2, steps] };
            places.into_iter().map(|place| Choice::Int(int.low + place * int.step)).collect()
        }
        Some(Distribution::Categorical(categories)) => categories.choices.clone(),
        None => Vec::new(),
    }
}

/// Sets of values that a trial could have.
struct Trials<'a> {
    space: &'a Space,
    when: BTreeMap<&'a str, &'a BTreeMap<String, Vec<Choice>>>,
    /// Where nothing else is said: the configuration's own value if it is among those that are searched, else the first.
    usual: BTreeMap<&'a str, Choice>,
}

impl<'a> Trials<'a> {
    fn new(hpo: &'a HpoSpec, space: &'a Space, config: &RunConfig) -> Self {
        let own = own_values(space, config);
        let when = hpo.search_space.0.iter().map(|(key, spec)| (key.as_str(), when(spec))).collect();
        let usual = space.names().filter_map(|key| {
            let first = || probes(space.distribution(key)).into_iter().next();
            Some((key, own.get(key).cloned().or_else(first)?))
        });
        Self { space, when, usual: usual.collect() }
    }

    /// The values of a trial that has these; `None` if none can have them.
    fn with(&self, wanted: &[(&str, &Choice)]) -> Option<BTreeMap<String, Choice>> {
        let mut fixed: BTreeMap<&str, Choice> =
            wanted.iter().map(|(key, value)| (*key, (*value).clone())).collect();
        // What is wanted needs its parents, and they theirs.
        let mut open: Vec<String> = fixed.keys().map(|key| (*key).to_owned()).collect();
        while let Some(key) = open.pop() {
            for (parent, values) in self.when.get(key.as_str()).into_iter().copied().flatten() {
                match fixed.get(parent.as_str()) {
                    Some(value) if values.iter().any(|one| one.is_same_as(value)) => {}
                    Some(_) => return None,
                    None => {
                        fixed.insert(parent, values.first()?.clone());
                        open.push(parent.clone());
                    }
                }
            }
        }
        let mut values: BTreeMap<String, Choice> = BTreeMap::new();
        for key in self.space.names() {
            let mut conditions = self.when.get(key).into_iter().copied().flatten();
            let is_there = conditions.all(|(parent, wanted)| {
                values.get(parent).is_some_and(|value| wanted.iter().any(|one| one.is_same_as(value)))
            });
            if is_there {
                values.insert(key.to_owned(), fixed.get(key).or_else(|| self.usual.get(key))?.clone());
            }
        }
        Some(values)
    }
}

fn when(spec: &ParamSpec) -> &BTreeMap<String, Vec<Choice>> {
    match spec {
        ParamSpec::Float { when, .. } | ParamSpec::Int { when, .. } | ParamSpec::Categorical { when, .. } => {
            when
        }
    }
}

/// The values that the configuration has itself, as far as the search has words for them.
pub(crate) fn own_values(space: &Space, config: &RunConfig) -> BTreeMap<String, Choice> {
    let document = serde_json::to_value(config).unwrap_or_default();
    let own = space.names().filter_map(|key| {
        let value = Choice::from_json(document.pointer(&format!("/{}", key.replace('.', "/")))?);
        let distribution = space.distribution(key)?;
        // Outside of its ends a number is still one that a trial can be given.
        Some((key.to_owned(), distribution.external(distribution.internal(&value)?)?))
    });
    own.collect()
}

/// Faults so far, one for each set of keys.
struct Found<'a> {
    layers: &'a Layers,
    space: &'a Space,
    faults: Vec<Fault>,
    keys: BTreeSet<Vec<String>>,
}

impl Found<'_> {
    fn knows(&self, keys: &[&str]) -> bool {
        self.keys.contains(&keys.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    fn is_full(&self) -> bool {
        self.faults.len() >= MOST_FAULTS
    }

    /// Puts the first of the faults that `values` lead to where the last of them is searched.
    fn push(&mut self, error: &ConfigError, values: &[(&str, &Choice)]) {
        // What is wrong with another key is told where that one is tried.
        let of_another = |path: &str| {
            self.space.distribution(path).is_some() && values.iter().all(|(key, _)| *key != path)
        };
        let own = error.faults().iter().find(|fault| !of_another(&fault.path.to_string()));
        let Some(((key, _), first)) = values.last().zip(own) else { return };
        let keys = values.iter().map(|(key, _)| (*key).to_owned()).collect();
        if self.is_full() || !self.keys.insert(keys) {
            return;
        }
        let path = KeyPath::root().join("hpo").join("search_space").join(key);
        let origin = self.layers.origin_of_key(&path).or_else(|| self.layers.nearest_origin(&path));
        let words: Vec<String> = values.iter().map(|(key, value)| format!("{key} = {value}")).collect();
        let place = if first.path.to_string() == *key { String::new() } else { format!("{}: ", first.path) };
        let message = format!("with {}: {place}{}", words.join(" and "), first.message);
        self.faults.push(Fault {
            origin: origin.unwrap_or(Origin::Default),
            path,
            message,
            help: first.help.clone(),
        });
    }
}
