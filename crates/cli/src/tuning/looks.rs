//! How many trials looked at a validation span: one line for each, beside the experiments, and one that says what the trials
//! of a study see. The more looked, the less the best of them means.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::list_file::ListFile;
use crate::seen::Seen;

const FILE: &str = "validation-looks.jsonl";

#[derive(PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    Look {
        at: String,
        data: String,
        study: String,
        trial: u64,
    },
    /// What the trials of a study see, whichever of its bars they choose.
    Sight {
        study: String,
        #[serde(flatten)]
        seen: Seen,
    },
}

/// The list of looks of an output folder.
pub(crate) struct Looks(ListFile);

impl Looks {
    /// The list beside the experiments under `output`.
    pub(crate) fn of(output: &Path) -> Self {
        Self(ListFile::new(output.join(FILE)))
    }

    /// How many trials of other studies looked at something of what the trials of `study` see. Of a study whose sight is not
    /// written here the bars alone are known, by their fingerprint: `fingerprint` is that of its own. Its own looks are counted by the study
    /// itself, wherever they ran.
    pub(crate) fn of_others(&self, fingerprint: &str, study: &str) -> anyhow::Result<u64> {
        let mut looks = Vec::new();
        let (mut own, mut others) = (Vec::new(), Vec::new());
        // A line that was torn stands for a look that its study still knows.
        for line in self.0.read()? {
            match line {
                Line::Look { study: of, data, .. } if of != study => looks.push((of, data)),
                Line::Look { .. } => {}
                Line::Sight { study: of, seen } if of == study => own.push(seen),
                Line::Sight { study: of, seen } => others.push((of, seen)),
            }
        }
        if own.is_empty() {
            own.push(Seen::bars(fingerprint));
        }
        let meets = |seen: &Seen| own.iter().any(|own| own.meets(seen));
        let mut met = BTreeMap::new();
        for (study, seen) in &others {
            *met.entry(study).or_insert(false) |= meets(seen);
        }
        let counts = |(study, data): &&(String, String)| {
            met.get(study).copied().unwrap_or_else(|| meets(&Seen::bars(data.as_str())))
        };
        Ok(looks.iter().filter(counts).count() as u64)
    }

    /// Writes down what the trials of `study` see, unless it is written there.
    pub(crate) fn describe(&self, study: &str, seen: &Seen) -> anyhow::Result<()> {
        let sight = Line::Sight { study: study.into(), seen: seen.clone() };
        if self.0.read::<Line>()?.contains(&sight) { Ok(()) } else { self.append(&sight) }
    }

    /// Writes down that a trial looks.
    pub(crate) fn note(&self, fingerprint: &str, study: &str, trial: u64, at: String) -> anyhow::Result<()> {
        self.append(&Line::Look { at, data: fingerprint.into(), study: study.into(), trial })
    }

    fn append(&self, line: &Line) -> anyhow::Result<()> {
        self.0.append(line).with_context(|| format!("cannot write {}", self.0.path().display()))
    }
}
