//! What two runs must have in common to be the same run, as bytes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use tapeline_events::projection;

use crate::program::DONE;
use crate::small_run::SmallRun;

/// Files by name: those of the last checkpoint, the artefact's, and what the journal says about learning.
pub(crate) struct Evidence(BTreeMap<String, Vec<u8>>);

impl Evidence {
    pub(crate) fn of(run: &SmallRun) -> Self {
        let mut files = BTreeMap::new();
        let last = fs::read_to_string(run.run().join("checkpoints/last")).unwrap();
        add_files(&run.run().join("checkpoints").join(last.trim()), &mut files);
        add_files(&run.run().join("artefact"), &mut files);
        let learned = serde_json::to_vec(&projection(&run.journal())).unwrap();
        files.insert("what the journal says about learning".into(), learned);
        for name in ["checkpoints/last", "checkpoints/best", "predictions.parquet", "scores-validation.json"]
        {
            files.insert(name.into(), fs::read(run.run().join(name)).unwrap());
        }
        Self(files)
    }

    /// Of a small run that nothing has disturbed; it is trained once.
    pub(crate) fn undisturbed() -> &'static Self {
        static UNDISTURBED: OnceLock<Evidence> = OnceLock::new();
        UNDISTURBED.get_or_init(|| {
            let run = SmallRun::new();
            run.train(&[]).ended_with(DONE);
            Self::of(&run)
        })
    }

    /// Bytes in all.
    pub(crate) fn len(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    /// Bytes that differ from `other`, by name; what one lacks, differs. Empty where everything is equal.
    pub(crate) fn differences<'a>(&'a self, other: &'a Self) -> Vec<(&'a str, usize)> {
        let names = self.0.keys().chain(other.0.keys().filter(|name| !self.0.contains_key(*name)));
        let count = |name: &String| match (self.0.get(name), other.0.get(name)) {
            (Some(one), Some(two)) => {
                one.iter().zip(two).filter(|(a, b)| a != b).count() + one.len().abs_diff(two.len())
            }
            (one, two) => one.or(two).map_or(0, |bytes| bytes.len().max(1)),
        };
        names.map(|name| (name.as_str(), count(name))).filter(|(_, bytes)| *bytes > 0).collect()
    }
}

fn add_files(folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    let name = folder.file_name().unwrap().to_str().unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_str().unwrap();
        files.insert(format!("{name}/{file}"), fs::read(&path).unwrap());
    }
}

#[test]
fn evidence_that_differs_in_a_byte_is_told() {
    let of = |bytes: &[u8]| Evidence(BTreeMap::from([("weights".to_owned(), bytes.to_vec())]));
    assert_eq!(of(&[1, 2, 3]).differences(&of(&[1, 2, 3])), []);
    assert_eq!(of(&[1, 2, 3]).differences(&of(&[1, 9, 3, 4])), [("weights", 2)]);
    assert_eq!(of(&[1]).differences(&Evidence(BTreeMap::new())), [("weights", 1)]);
}
