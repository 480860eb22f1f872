//! The features as a person reads them: with pandas, in a Python that is set up for it once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::program::DONE;
use crate::small_run::SmallRun;

const SCRIPT: &str = include_str!("read_features.py");
const PACKAGES: [&str; 2] = ["pandas==2.3.3", "pyarrow==22.0.0"];

/// A Python with pandas under cargo's folder for the files of tests, made on the first call; or why there is none.
fn python() -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pandas-venv");
    let (python, finished) = (folder.join("bin/python"), folder.join("packages"));
    let wanted = PACKAGES.join(" ");
    if fs::read_to_string(&finished).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    succeed(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    let pip = ["-m", "pip", "install", "--disable-pip-version-check", "--quiet", "--only-binary", ":all:"];
    succeed(Command::new(&python).args(pip).args(PACKAGES))?;
    fs::write(&finished, wanted).map_err(|error| error.to_string())?;
    Ok(python)
}

fn succeed(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr))),
    }
}

#[test]
fn pandas_reads_the_features() {
    let python = match python() {
        Ok(python) => python,
        Err(reason) if std::env::var_os("CI").is_none() => {
            println!("skipped: no Python with pandas can be set up here: {reason}");
            return;
        }
        Err(reason) => panic!("a Python with pandas is part of the tests in CI: {reason}"),
    };
    let run = SmallRun::new();
    run.train(&[]).ended_with(DONE);
    let folder = run.run();
    let said = run.say(["extract", "--run", folder.to_str().unwrap(), "--out", "features.parquet"]);
    let printed = said.ended_with(DONE).stdout;
    let decisions: u64 = printed.split(' ').next().unwrap().parse().unwrap();

    let mut script = Command::new(python);
    script.args(["-c", SCRIPT]).arg(run.folder().join("features.parquet"));
    let read: Value = serde_json::from_str(&succeed(&mut script).unwrap()).unwrap();
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
