//! What two runs must have in common to be the same run, as bytes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;

/// Files by name: those of the last checkpoint, the artefact's, the scores, and what the journal says about learning.
pub(super) struct Evidence(BTreeMap<String, Vec<u8>>);

impl Evidence {
    pub(super) fn of(run: &Path) -> Result<Self> {
        let mut files = BTreeMap::new();
        for name in ["checkpoints/last", "checkpoints/best", "predictions.parquet", "scores-validation.json"]
        {
            files.insert(name.into(), read(&run.join(name))?);
        }
        let last = String::from_utf8_lossy(&files["checkpoints/last"]).trim().to_owned();
        for folder in [Path::new("checkpoints").join(last), "artefact".into()] {
            let path = run.join(&folder);
            for entry in fs::read_dir(&path).with_context(|| format!("cannot list {}", path.display()))? {
                let name = entry.with_context(|| format!("cannot list {}", path.display()))?.file_name();
                files.insert(folder.join(&name).display().to_string(), read(&path.join(&name))?);
            }
        }
        files.insert("what the journal says about learning".into(), learned(run)?.join("\n").into_bytes());
        Ok(Self(files))
    }

    /// Bytes in all.
    pub(super) fn len(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    /// Bytes that differ from `other`, by name; what one lacks, differs.
    pub(super) fn differences(&self, other: &Self) -> Vec<(String, usize)> {
        let names = self.0.keys().chain(other.0.keys().filter(|name| !self.0.contains_key(*name)));
        let count = |name: &String| match (self.0.get(name), other.0.get(name)) {
            (Some(one), Some(two)) => {
                one.iter().zip(two).filter(|(a, b)| a != b).count() + one.len().abs_diff(two.len())
            }
            (one, two) => one.or(two).map_or(0, |bytes| bytes.len().max(1)),
        };
        names.map(|name| (name.clone(), count(name))).filter(|(_, bytes)| *bytes > 0).collect()
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// The finished lines of a run's journal.
fn records(run: &Path) -> Option<Vec<Value>> {
    let journal = fs::read_to_string(run.join("journal.jsonl")).ok()?;
    let finished = journal.rsplit_once('\n')?.0;
    Some(finished.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

/// Steps and epochs as they were learned: without what a resume has done again. Worked out anew here, so that a fault in
/// the journal's own projection is found too.
fn learned(run: &Path) -> Result<Vec<String>> {
    let mut rows: BTreeMap<(u64, String), String> = BTreeMap::new();
    for mut record in records(run).context("the run has no journal")? {
        let (kind, step) = (record["kind"].as_str().unwrap_or_default().to_owned(), record["step"].as_u64());
        match (kind.as_str(), step) {
            ("run_started", _) => rows.clear(),
            ("resumed_from", Some(from)) => rows.retain(|(step, _), _| *step <= from),
            ("step" | "epoch_ended", Some(step)) => {
                for of_the_record in ["seq", "at"] {
                    record[of_the_record] = Value::Null;
                }
                rows.insert((step, kind.clone()), record.to_string());
            }
            _ => {}
        }
    }
    Ok(rows.into_values().collect())
}

/// The step that the journal told last.
pub(super) fn last_step(run: &Path) -> Option<u64> {
    let told = |record: &Value| matches!(record["kind"].as_str(), Some("step" | "resumed_from"));
    records(run)?.iter().rev().find(|record| told(record))?["step"].as_u64()
}

/// Steps of a run that has ended.
pub(super) fn steps(run: &Path) -> Result<u64> {
    last_step(run).context("the run has made no step")
}
