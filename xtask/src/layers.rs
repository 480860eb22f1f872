//! `cargo xtask layers`: who may depend on whom, held against `cargo metadata`. ARCHITECTURE.md says why.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use cargo_metadata::{DependencyKind, Metadata};

use crate::workspace::Workspace;

/// Check who depends on whom.
#[derive(clap::Args)]
pub(crate) struct Layers;

/// Our packages, and those of ours that each may depend on. A package that is not listed is refused.
const MAY_USE: [(&str, &[&str]); 13] = [
    ("tapeline-data-pipeline", &[]),
    ("tapeline-evaluation", &[]),
    ("tapeline-events", &[]),
    ("tapeline-hpo", &[]),
    ("tapeline-torch-ext", &[]),
    ("tapeline-testkit", &[]),
    ("tapeline-models", &["tapeline-torch-ext"]),
    // torch-ext lies below models; artefact names it so that its own tests find libtorch.
    ("tapeline-artefact", &["tapeline-data-pipeline", "tapeline-models", "tapeline-torch-ext"]),
    ("tapeline-tracking", &["tapeline-evaluation", "tapeline-events"]),
    (
        "tapeline-trainer",
        &[
            "tapeline-artefact",
            "tapeline-data-pipeline",
            "tapeline-evaluation",
            "tapeline-events",
            "tapeline-models",
            "tapeline-torch-ext",
        ],
    ),
    (
        "tapeline",
        &[
            "tapeline-artefact",
            "tapeline-data-pipeline",
            "tapeline-evaluation",
            "tapeline-events",
            "tapeline-hpo",
            "tapeline-models",
            "tapeline-torch-ext",
            "tapeline-tracking",
            "tapeline-trainer",
        ],
    ),
    // It measures what a user of the crates gets, through the same doors.
    (
        "tapeline-benches",
        &[
            "tapeline-data-pipeline",
            "tapeline-events",
            "tapeline-models",
            "tapeline-torch-ext",
            "tapeline-trainer",
        ],
    ),
    ("xtask", &[]),
];

/// Any package may test with it, none may ship with it.
const FOR_TESTS_ONLY: &str = "tapeline-testkit";

/// A package from outside that only some of ours may reach, through whatever it goes. Tests may reach what they like.
struct Reserved {
    packages: &'static [&'static str],
    for_ours: &'static [&'static str],
    because: &'static str,
}

const RESERVED: [Reserved; 3] = [
    Reserved {
        packages: &["tch", "torch-sys"],
        for_ours: &[
            "tapeline-torch-ext",
            "tapeline-models",
            "tapeline-artefact",
            "tapeline-trainer",
            "tapeline",
            "tapeline-benches",
        ],
        because: "it must build without libtorch",
    },
    Reserved {
        packages: &["tokio"],
        for_ours: &["tapeline-hpo", "tapeline-tracking", "tapeline"],
        because: "only what waits for the outside world is asynchronous, a training step is not",
    },
    Reserved {
        packages: &["clap", "comfy-table", "ratatui", "tracing-subscriber"],
        for_ours: &["tapeline-tracking", "tapeline", "tapeline-benches", "xtask"],
        because: "a library knows no terminal",
    },
];

/// What depends on what, by package name.
#[derive(Default)]
struct Graph {
    /// Each package of this workspace, with all of its direct dependencies as its manifest declares them.
    ours: BTreeMap<String, Vec<(String, DependencyKind)>>,
    /// Every package that ends up in a build, with what it is built from; tests aside.
    built_from: BTreeMap<String, BTreeSet<String>>,
}

/// A dependency that must not be.
#[derive(Debug, PartialEq, Eq)]
enum Breach {
    Unlisted { package: String },
    Upward { package: String, uses: String },
    TestsOnly { package: String },
    Reserved { path: Vec<String>, because: &'static str },
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unlisted { package } => {
                write!(
                    f,
                    "{package} is in no row of MAY_USE in xtask/src/layers.rs: say there what it may depend on"
                )
            }
            Self::Upward { package, uses } => write!(f, "{package} must not depend on {uses}"),
            Self::TestsOnly { package } => {
                write!(f, "{package} ships {FOR_TESTS_ONLY}: it belongs under [dev-dependencies]")
            }
            Self::Reserved { path, because } => write!(f, "{}: {because}", path.join(" -> ")),
        }
    }
}

impl Layers {
    pub(crate) fn run(self, workspace: &Workspace) -> Result<ExitCode> {
        println!("{}", check(workspace)?);
        Ok(ExitCode::SUCCESS)
    }
}

/// Fails with every breach; else says how much was looked at.
pub(crate) fn check(workspace: &Workspace) -> Result<String> {
    let graph = Graph::of(&workspace.metadata()?)?;
    let breaches = breaches(&graph);
    if breaches.is_empty() {
        return Ok(format!("layers: {} packages keep to their layers", graph.ours.len()));
    }
    let lines: String = breaches.iter().map(|breach| format!("\n  - {breach}")).collect();
    bail!("the layers are broken:{lines}")
}

impl Graph {
    fn of(metadata: &Metadata) -> Result<Self> {
        let mut graph = Self::default();
        for package in metadata.workspace_packages() {
            let direct =
                package.dependencies.iter().map(|dependency| (dependency.name.clone(), dependency.kind));
            graph.ours.insert(package.name.to_string(), direct.collect());
        }
        let name_of = |id| metadata[id].name.to_string();
        for node in &metadata.resolve.as_ref().context("cargo metadata resolved no dependencies")?.nodes {
            let built = node.deps.iter().filter(|dependency| {
                dependency.dep_kinds.iter().any(|kind| kind.kind != DependencyKind::Development)
            });
            // Two versions of a package count as one here.
            graph
                .built_from
                .entry(name_of(&node.id))
                .or_default()
                .extend(built.map(|dependency| name_of(&dependency.pkg)));
        }
        Ok(graph)
    }

    /// The way from `start` to `goal`, both included, if what is built of `start` has `goal` in it.
    fn path(&self, start: &str, goal: &str) -> Option<Vec<String>> {
        let mut reached_from: BTreeMap<&str, &str> = BTreeMap::new();
        let mut open = vec![start];
        while let Some(package) = open.pop() {
            for next in self.built_from.get(package).into_iter().flatten() {
                if next == start || reached_from.contains_key(next.as_str()) {
                    continue;
                }
                reached_from.insert(next, package);
                open.push(next);
            }
        }
        let mut path = vec![goal.to_owned()];
        let mut step = goal;
        while step != start {
            step = reached_from.get(step)?;
            path.push(step.to_owned());
        }
        path.reverse();
        Some(path)
    }
}

fn breaches(graph: &Graph) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for (package, dependencies) in &graph.ours {
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| name == package) else {
            breaches.push(Breach::Unlisted { package: package.clone() });
            continue;
        };
        for (uses, kind) in dependencies.iter().filter(|(name, _)| graph.ours.contains_key(name)) {
            if uses == FOR_TESTS_ONLY {
                if *kind != DependencyKind::Development {
                    breaches.push(Breach::TestsOnly { package: package.clone() });
                }
            } else if uses != package && !allowed.contains(&uses.as_str()) {
                breaches.push(Breach::Upward { package: package.clone(), uses: uses.clone() });
            }
        }
        for Reserved { packages, for_ours, because } in &RESERVED {
            if for_ours.contains(&package.as_str()) {
                continue;
            }
            let paths = packages.iter().filter_map(|goal| graph.path(package, goal));
            breaches.extend(paths.map(|path| Breach::Reserved { path, because }));
        }
    }
    breaches
}
