//! The features as a person reads them: with pandas, in a Python that is set up for it once.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tapeline_testkit::{output_of, python_with};

use crate::program::DONE;
use crate::small_run::SmallRun;

const SCRIPT: &str = include_str!("read_features.py");
const PACKAGES: [&str; 2] = ["pandas==2.3.3", "pyarrow==22.0.0"];

#[test]
fn pandas_reads_the_features() {
    let Some(python) = python_with(Path::new(env!("CARGO_TARGET_TMPDIR")), &PACKAGES) else { return };
    let run = SmallRun::new();
    run.train(&[]).ended_with(DONE);
    let folder = run.run();
    let said = run.say(["extract", "--run", folder.to_str().unwrap(), "--out", "features.parquet"]);
    let printed = said.ended_with(DONE).stdout;
    let decisions: u64 = printed.split(' ').next().unwrap().parse().unwrap();

    let mut script = Command::new(python);
    script.args(["-c", SCRIPT]).arg(run.folder().join("features.parquet"));
    let read: Value = serde_json::from_str(&output_of(&mut script).unwrap()).unwrap();
    assert_eq!(read["rows"], decisions, "{read}");
    assert_eq!(read["symbols"], serde_json::json!(["S00", "S01"]));
    assert_eq!(read["models"], 1);
    assert_eq!(read["keys_are_unique"], true);
    assert_eq!(read["features"], 12, "the size of the fused features in small.yaml");
    assert_eq!(read["missing"], 0);
    let kinds = &read["kinds"];
    for column in ["symbol", "model_id", "split"] {
        assert_eq!(kinds[column], "category", "{column}");
    }
    for column in ["decision_time", "available_at"] {
        assert_eq!(kinds[column], "datetime64[ns, UTC]", "{column}");
    }
    assert_eq!((&kinds["in_sample"], &kinds["f000"]), (&"bool".into(), &"float32".into()));
    assert_eq!(read["probabilities_add_up"], true);
}
