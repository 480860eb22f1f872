//! Each library by itself, as another workspace builds it. Here all are built at once, so that a feature which one of them asks
//! for is there for the others, and a name that only exists with it is not missed.

#[cfg(test)]
mod tests;

use anyhow::{Result, ensure};
use cargo_metadata::Package;

use super::transcript;
use crate::workspace::Workspace;

/// Lints every library with its default features, without them, and with each of its features alone; what was linted.
pub(super) fn check(workspace: &Workspace) -> Result<String> {
    let metadata = workspace.metadata()?;
    let mut builds = 0;
    let is_library = |package: &&Package| package.targets.iter().any(cargo_metadata::Target::is_lib);
    for package in metadata.workspace_packages().into_iter().filter(is_library) {
        for features in choices(package.features.keys().map(String::as_str)) {
            let what = [&[package.name.as_str()], &features[..]].concat().join(" ");
            println!("{what}");
            let mut cargo = workspace.cargo();
            cargo.args(["clippy", "--package", &package.name]).args(&features).args(["--", "-D", "warnings"]);
            let status = transcript::run(&mut cargo, |_| {})?;
            ensure!(status.success(), "{what}: ended with {status}");
            builds += 1;
        }
    }
    Ok(format!("{builds} builds of one library each"))
}

/// The arguments of each build of a library that has these features.
fn choices<'a>(features: impl Iterator<Item = &'a str>) -> Vec<Vec<&'a str>> {
    const NONE: &str = "--no-default-features";
    let mut choices = vec![vec![]];
    let features: Vec<&str> = features.filter(|feature| *feature != "default").collect();
    if !features.is_empty() {
        choices.push(vec![NONE]);
        choices.extend(features.into_iter().map(|feature| vec![NONE, "--features", feature]));
    }
    choices
}
