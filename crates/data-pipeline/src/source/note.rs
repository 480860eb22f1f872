//! What a source had to decide about bars that were read: nothing is wrong with them, and nobody should be surprised.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A decision about the bars of one symbol, which the audit tells.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SourceNote {
    /// The source has no volumes; they are read as 0.
    NoVolume,
    /// Local times that occur twice, and were taken as `data.source.text.time.ambiguous` says.
    AmbiguousTimes {
        /// In how many rows.
        rows: usize,
    },
}

impl SourceNote {
    /// `notes` of several files as those of all of them.
    pub(super) fn added(notes: &[Self]) -> Option<Self> {
        let rows = |note: &Self| if let Self::AmbiguousTimes { rows } = note { *rows } else { 0 };
        let rows = notes.iter().map(rows).sum();
        (rows > 0).then_some(Self::AmbiguousTimes { rows })
    }
}

impl fmt::Display for SourceNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoVolume => f.write_str("there is no volume column; every volume is read as 0"),
            Self::AmbiguousTimes { rows } => {
                let rows = if *rows == 1 { "1 row".into() } else { format!("{rows} rows") };
                write!(
                    f,
                    "{rows} with a local time that occurs twice, taken as data.source.text.time.ambiguous says"
                )
            }
        }
    }
}
