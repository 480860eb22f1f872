//! Files that are in the wrong place.

use tapeline_data_pipeline::{FormatSpec, RepairSpec};

use super::text::{good_rows, with_rows};
use super::{Case, file};

fn sound() -> Vec<u8> {
    with_rows(&good_rows(20)).into_bytes()
}

fn tree(name: &'static str, path: &'static str, files: &[&'static str]) -> Case {
    Case { name, files: files.iter().map(|file| (*file, sound())).collect(), path, change: |_| {} }
}

pub(super) fn cases() -> Vec<Case> {
    let rows = good_rows(20);
    let part = |rows: &[String]| with_rows(rows).into_bytes();
    vec![
        tree("path-to-nothing", "bars/AAA.csv", &["AAA.csv"]),
        tree("folder-without-bars", "bars", &["bars/README.md"]),
        tree("folder-of-two-formats", "bars", &["bars/AAA.csv", "bars/BBB.parquet"]),
        tree("folder-of-another-format", "bars", &["bars/AAA.csv"])
            .with(|spec| spec.source.format = FormatSpec::Parquet),
        tree("ending-that-says-nothing", "AAA.dat", &["AAA.dat"]),
        tree("glob-without-match", "bars/**/*.csv", &["other/AAA.csv"]),
        tree("glob-with-three-stars", "bars/***.csv", &["bars/AAA.csv"]),
        tree("glob-over-two-formats", "bars/*", &["bars/AAA.csv", "bars/BBB.tsv"]),
        tree(
            "no-folder-of-the-timeframe",
            "bars",
            &["bars/timeframe=1m/symbol=AAA/1.csv", "bars/timeframe=1h/symbol=AAA/1.csv"],
        ),
        tree("folder-of-an-odd-timeframe", "bars", &["bars/timeframe=5min/symbol=AAA/1.csv"]),
        tree("folder-without-a-symbol", "bars", &["bars/timeframe=5m/symbol=/1.csv"]),
        tree("symbol-not-in-the-folders", "bars", &["bars/symbol=AAA/1.csv", "bars/symbol=BTC%2FUSDT/1.csv"])
            .with(|spec| spec.source.symbols = super::spec::only(&["BTC/USD"])),
        Case {
            name: "files-that-overlap",
            files: vec![
                ("bars/symbol=AAA/1.csv", part(&rows[..12])),
                ("bars/symbol=AAA/2.csv", part(&rows[10..])),
            ],
            path: "bars",
            change: |_| {},
        },
        Case {
            name: "files-that-overlap-out-of-order",
            files: vec![
                ("bars/symbol=AAA/1.csv", part(&[&rows[5..12], &rows[..5]].concat())),
                ("bars/symbol=AAA/2.csv", part(&rows[10..])),
            ],
            path: "bars",
            change: |spec| spec.repair = vec![RepairSpec::KeepLastDuplicate],
        },
        file("one-bad-file-among-good-ones", "bars/AAA.csv", sound()).and("bars/BBB.csv", b"nothing\n"),
    ]
}

impl Case {
    /// This case of a folder, with one file more.
    fn and(mut self, path: &'static str, bytes: &[u8]) -> Self {
        self.files.push((path, bytes.to_vec()));
        self.path = "bars";
        self
    }
}
