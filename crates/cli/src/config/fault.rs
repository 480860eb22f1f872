//! What is wrong with a configuration, said so that the place can be found.

use std::fmt;

use super::key_path::KeyPath;
use super::tree::Mark;

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    /// A file, with the line that holds the value where there is one.
    File { name: String, at: Option<(Mark, String)> },
    /// An environment variable.
    Environment { variable: String },
    /// A `--set` flag, as it was typed.
    Flag { text: String },
    /// A search that tries values.
    Searched { key: String },
    /// Nobody gave the value.
    Default,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fault {
    pub(crate) origin: Origin,
    pub(crate) path: KeyPath,
    pub(crate) message: String,
    /// What was probably meant, or what to do.
    pub(crate) help: Option<String>,
}

/// Everything that is wrong with a configuration. Displayed as one block of text for each fault.
#[derive(Clone, Debug)]
pub(crate) struct ConfigError {
    faults: Vec<Fault>,
}

impl ConfigError {
    /// Faults in the order of their places: file, environment, flags, defaults.
    pub(crate) fn new(mut faults: Vec<Fault>) -> Self {
        faults.sort();
        faults.dedup();
        Self { faults }
    }

    /// The faults, in the order of their places.
    pub(crate) fn faults(&self) -> &[Fault] {
        &self.faults
    }
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.faults.len() {
            1 => f.write_str("1 fault in the configuration")?,
            count => write!(f, "{count} faults in the configuration")?,
        }
        for fault in &self.faults {
            write!(f, "\n\n{fault}")?;
        }
        Ok(())
    }
}

/// The key whose value may have a password in it.
const STORAGE: &str = "hpo.storage";

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.to_string();
        // The message shows the value without its password.
        let is_secret = path == STORAGE;
        match &self.origin {
            Origin::Flag { .. } if is_secret => f.write_str("--set: ")?,
            origin => write!(f, "{origin}: ")?,
        }
        if !self.path.is_root() {
            write!(f, "{path}: ")?;
        }
        f.write_str(&self.message)?;
        match (&self.origin, &self.help) {
            (Origin::File { at: Some((mark, line)), .. }, help) if !is_secret => {
                write_snippet(f, *mark, line, help.as_deref())
            }
            (_, Some(help)) => write!(f, "\n    {help}"),
            (_, None) => Ok(()),
        }
    }
}

fn write_snippet(f: &mut fmt::Formatter<'_>, mark: Mark, line: &str, help: Option<&str>) -> fmt::Result {
    const LONGEST_LINE: usize = 160;
    let number = mark.line.to_string();
    let gutter = " ".repeat(number.len());
    let too_long = line.chars().count() > LONGEST_LINE;
    if line.is_empty() || too_long {
        return help.map_or(Ok(()), |help| write!(f, "\n    {help}"));
    }
    let before: String =
        line.chars().take(mark.column - 1).map(|c| if c == '\t' { c } else { ' ' }).collect();
    let rest = line.chars().count().saturating_sub(mark.column - 1).max(1);
    let carets = "^".repeat(mark.width.clamp(1, rest));
    let line: String =
        line.chars().map(|c| if c.is_control() && c != '\t' { '\u{fffd}' } else { c }).collect();
    write!(f, "\n  {gutter} |\n  {number} | {line}\n  {gutter} | {before}{carets}")?;
    help.map_or(Ok(()), |help| write!(f, " {help}"))
}

impl Origin {
    /// The origin in a few words, for a comment beside the value.
    pub(crate) fn short(&self) -> String {
        match self {
            Self::File { name, at: Some((mark, _)) } => format!("{name}:{}", mark.line),
            Self::Flag { .. } => "--set".into(),
            _ => self.to_string(),
        }
    }
}

/// `configs/hybrid.yaml:12:5`, `environment TAPELINE_SEED`, `--set seed=7`, `search over data.stride` or `default`.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { name, at: Some((mark, _)) } => write!(f, "{name}:{}:{}", mark.line, mark.column),
            Self::File { name, at: None } => f.write_str(name),
            Self::Environment { variable } => write!(f, "environment {variable}"),
            Self::Flag { text } => write!(f, "--set {text}"),
            Self::Searched { key } => write!(f, "search over {key}"),
            Self::Default => f.write_str("default"),
        }
    }
}
