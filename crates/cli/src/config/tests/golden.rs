//! Bad configurations and what is said about them: `tests/config/NAME.yaml` beside `NAME.txt`.
//!
//! A line `#! env NAME=VALUE` at the start of the file sets a variable, `#! set KEY=VALUE` gives a flag.
//! `UPDATE_EXPECT=1` rewrites the texts.

use std::fs;
use std::path::Path;

use super::{load, root};
use crate::config::Sources;

fn sources(path: &Path) -> Sources {
    let bytes = fs::read(path).unwrap();
    let mut sources = Sources { file: Some(path.into()), ..Sources::default() };
    sources.environment.push(("HOME".into(), "/home/someone".into()));
    for line in String::from_utf8_lossy(&bytes).lines() {
        if let Some(flag) = line.strip_prefix("#! set ") {
            sources.set.push(flag.into());
        } else if let Some((name, value)) = line.strip_prefix("#! env ").and_then(|line| line.split_once('='))
        {
            sources.environment.push((name.into(), value.into()));
        }
    }
    sources
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the switch that rewrites golden files is an environment variable"
)]
fn what_is_said_about_bad_configurations() {
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let folder = root().join("tests/config");
    let mut paths: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    paths.sort();
    assert!(paths.len() >= 25, "only {} bad configurations", paths.len());
    let mut differing = Vec::new();
    for path in paths {
        let Err(error) = load(&sources(&path)) else { panic!("{} was accepted", path.display()) };
        let said = error.to_string().replace(&format!("{}/", folder.display()), "") + "\n";
        let golden = path.with_extension("txt");
        if update {
            fs::write(&golden, &said).unwrap();
        } else if fs::read_to_string(&golden).unwrap_or_default() != said {
            differing.push(format!("{}\n{said}", path.display()));
        }
    }
    assert!(differing.is_empty(), "UPDATE_EXPECT=1 rewrites what differs:\n{}", differing.join("\n"));
}
