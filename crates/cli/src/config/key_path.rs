//! The address of a value in a configuration, such as `data.timeframes[1]`.

use std::fmt;

/// Steps from the root down.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct KeyPath(Vec<Step>);

/// One step down: into a section or into a list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    Key(String),
    Index(usize),
}

impl KeyPath {
    /// The whole configuration.
    pub(crate) const fn root() -> Self {
        Self(Vec::new())
    }

    /// The keys of `text` between separators, none of them an index.
    pub(crate) fn split(text: &str, separator: &str) -> Self {
        Self(text.split(separator).map(|key| Step::Key(key.into())).collect())
    }

    /// The same where what follows `hpo.search_space` is one key: it is itself the path of a value.
    pub(crate) fn with_whole_keys(mut self) -> Self {
        let is = |place: usize, name: &str| matches!(self.0.get(place), Some(Step::Key(key)) if key == name);
        if is(0, "hpo") && is(1, "search_space") && self.0.len() > 3 {
            let key = Self(self.0.split_off(2)).joined(".");
            self.0.push(Step::Key(key));
        }
        self
    }

    /// Reads what `Display` writes.
    pub(crate) fn parse(text: &str) -> Self {
        let steps = text.split(['.', '[']).filter(|step| !step.is_empty());
        let step = |text: &str| match text.strip_suffix(']').and_then(|index| index.parse().ok()) {
            Some(index) => Step::Index(index),
            None => Step::Key(text.into()),
        };
        Self(steps.map(step).collect())
    }

    /// The path of the value at `key` in the section at this path.
    pub(crate) fn join(&self, key: &str) -> Self {
        self.then(Step::Key(key.into()))
    }

    /// The path one step further down.
    pub(crate) fn then(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    /// The section or list that holds this value; the root's is the root.
    pub(crate) fn parent(&self) -> Self {
        Self(self.0[..self.0.len().saturating_sub(1)].to_vec())
    }

    pub(crate) fn steps(&self) -> &[Step] {
        &self.0
    }

    /// The last step, if it is a key.
    pub(crate) fn last_key(&self) -> Option<&str> {
        match self.0.last() {
            Some(Step::Key(key)) => Some(key),
            _ => None,
        }
    }

    pub(crate) fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// True for `ancestor` itself and for everything below it.
    pub(crate) fn is_within(&self, ancestor: &Self) -> bool {
        self.0.starts_with(&ancestor.0)
    }

    /// All keys with `separator` between them; indices are left out.
    pub(crate) fn joined(&self, separator: &str) -> String {
        let keys = self
            .0
            .iter()
            .filter_map(|step| if let Step::Key(key) = step { Some(key.as_str()) } else { None });
        keys.collect::<Vec<_>>().join(separator)
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (depth, step) in self.0.iter().enumerate() {
            match (step, depth) {
                (Step::Index(index), _) => write!(f, "[{index}]")?,
                (Step::Key(key), 0) => f.write_str(key)?,
                (Step::Key(key), _) => write!(f, ".{key}")?,
            }
        }
        Ok(())
    }
}
