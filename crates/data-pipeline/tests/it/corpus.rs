//! Broken files and specs, and what is said about them: `tests/corpus/NAME.message` for each case of the tables.
//!
//! A case must end in an error. `UPDATE_EXPECT=1` rewrites the messages.

mod columnar;
mod spec;
mod text;
mod tree;

use std::fs;
use std::path::{Path, PathBuf};

use tapeline_data_pipeline::{DataSpec, LabelSpec, SequenceLengthSpec, Stamp};

use crate::random_market::timeframe;

/// Something that must be refused.
pub(crate) struct Case {
    name: &'static str,
    /// Files to write, by path below the case's folder.
    files: Vec<(&'static str, Vec<u8>)>,
    /// `data.source.path` below that folder.
    path: &'static str,
    /// What else the spec says.
    change: fn(&mut DataSpec),
}

/// A case of one file and nothing unusual in the spec.
pub(crate) fn file(name: &'static str, path: &'static str, bytes: impl Into<Vec<u8>>) -> Case {
    Case { name, files: vec![(path, bytes.into())], path, change: |_| {} }
}

impl Case {
    /// This case with `change` made to its spec.
    pub(crate) fn with(self, change: fn(&mut DataSpec)) -> Self {
        Self { change, ..self }
    }

    fn spec(&self, folder: &Path) -> DataSpec {
        let mut spec = DataSpec {
            timeframes: vec![timeframe("5m")],
            sequence_length: SequenceLengthSpec::Same(4),
            ..DataSpec::default()
        };
        spec.source.path = Some(folder.join(self.path));
        spec.source.stamp = Some(Stamp::Open);
        (self.change)(&mut spec);
        spec
    }

    /// What is said about it; `None` where it is accepted.
    fn said(&self, folder: &Path) -> Option<String> {
        for (path, bytes) in &self.files {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        let said = match self.spec(folder).check() {
            Err(report) => report.to_string(),
            Ok(pipeline) => match pipeline.read() {
                Err(error) => error.to_string(),
                // There is nothing wrong with a single bar, only nothing can be made of it.
                Ok((bars, _)) if bars.iter().all(|bars| bars.len() == 1) => {
                    pipeline.prepare(bars, &[LabelSpec::LogReturn { horizon: 1, lag: 0 }]).err()?.to_string()
                }
                Ok(_) => return None,
            },
        };
        Some(said.replace(&format!("{}/", folder.display()), "").trim_end().to_owned() + "\n")
    }
}

fn goldens() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

fn cases() -> Vec<Case> {
    [text::cases(), tree::cases(), columnar::cases(), spec::cases()].into_iter().flatten().collect()
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the switch that rewrites golden files is an environment variable"
)]
fn what_is_said_about_broken_input() {
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut differing = Vec::new();
    let cases = cases();
    assert!(cases.len() >= 60, "only {} cases", cases.len());
    for case in &cases {
        let folder = tempfile::tempdir().unwrap();
        let Some(said) = case.said(folder.path()) else { panic!("{} was accepted", case.name) };
        assert!(case.name == "one-row" || !said.contains("full window"), "{} was read", case.name);
        let golden = goldens().join(case.name).with_extension("message");
        if update {
            fs::write(&golden, &said).unwrap();
        } else if fs::read_to_string(&golden).unwrap_or_default() != said {
            differing.push(format!("{}: {said}", case.name));
        }
    }
    assert!(differing.is_empty(), "UPDATE_EXPECT=1 rewrites what differs:\n{}", differing.join("\n"));
}

#[test]
fn every_case_has_its_own_message_and_no_message_is_left_over() {
    let mut names: Vec<_> = cases().iter().map(|case| format!("{}.message", case.name)).collect();
    names.sort();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "a name is there twice");
    let files =
        fs::read_dir(goldens()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut files: Vec<_> = files.collect();
    files.sort();
    assert_eq!(files, names);
}

/// The tables are about what is broken, so what they break must be sound.
#[test]
fn what_the_cases_start_from_is_accepted() {
    let sound = [
        file("text", "AAA.csv", text::with_rows(&text::good_rows(20))),
        file("columns", "AAA.parquet", columnar::sound()),
    ];
    for case in sound {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(case.said(folder.path()), None, "{}", case.name);
    }
}
