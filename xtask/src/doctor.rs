//! `cargo xtask doctor`: what this machine has, what it lacks, and the command that mends it.

use std::env;
use std::process::ExitCode;

use anyhow::Result;

use crate::libtorch::preflight::{self, Facts, Missing, Need};
use crate::libtorch::{self, Chosen, Fault, LIBTORCH_VERSION, Request, has_nvidia_driver};
use crate::workspace::Workspace;

/// Variables by which a user changes what torch-sys builds against, behind the back of `.cargo/libtorch.toml`.
const OVERRIDES: [&str; 6] = [
    "LIBTORCH_USE_PYTORCH",
    "LIBTORCH_INCLUDE",
    "LIBTORCH_LIB",
    "LIBTORCH_CXX11_ABI",
    "LIBTORCH_STATIC",
    "LIBTORCH_BYPASS_VERSION_CHECK",
];

/// Say what this machine has and what it lacks, with the command that installs it; fails when something needed is missing.
#[derive(clap::Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    libtorch: Request,
}

/// How one thing stands.
enum Finding {
    Good(String),
    /// Worth knowing, in nobody's way.
    Note(String),
    /// Stops the work.
    Bad {
        what: String,
        remedy: String,
    },
}

impl Doctor {
    pub(crate) fn run(self, workspace: &Workspace) -> Result<ExitCode> {
        preflight::require_supported()?;
        let chosen = Chosen::new(workspace, &self.libtorch)?;
        let findings = examine(workspace, &chosen);
        let mut bad = 0;
        for (name, finding) in &findings {
            match finding {
                Finding::Good(text) => println!("ok       {name:<14} {text}"),
                Finding::Note(text) => println!("note     {name:<14} {text}"),
                Finding::Bad { what, remedy } => {
                    bad += 1;
                    println!("missing  {name:<14} {what}\n{:>23} {remedy}", "->");
                }
            }
        }
        if bad == 0 {
            return Ok(ExitCode::SUCCESS);
        }
        println!("{bad} to mend before `cargo xtask train` can work");
        Ok(ExitCode::FAILURE)
    }
}

fn examine(workspace: &Workspace, chosen: &Chosen) -> Vec<(&'static str, Finding)> {
    let folder = chosen.folder();
    let facts = Facts::gather(folder.parent().unwrap_or(&folder));
    let faults = chosen.faults();
    let to_lay_out = chosen.managed().filter(|_| !faults.is_empty());

    let mut findings = vec![
        ("platform", Finding::Good(format!("{} on {}", env::consts::OS, env::consts::ARCH))),
        ("rust", rust(workspace)),
        ("c++ compiler", program(facts.compiler.as_deref(), &facts, Need::Compiler, true)),
        ("python", program(facts.python.as_deref(), &facts, Need::Python, to_lay_out.is_some())),
        ("pip", program(facts.pip.as_deref(), &facts, Need::Pip, to_lay_out.is_some())),
        ("disk", disk(&facts, to_lay_out.and_then(|flavour| facts.missing_space(flavour)))),
        ("nvidia driver", Finding::Note(if has_nvidia_driver() { "loaded" } else { "none" }.to_owned())),
        ("libtorch", chosen_libtorch(chosen, &faults)),
    ];
    let set: Vec<&str> = OVERRIDES.into_iter().filter(|name| env::var_os(name).is_some()).collect();
    if !set.is_empty() {
        let text = format!(
            "{} set: torch-sys follows it, and the choice above may not be what is used",
            set.join(", ")
        );
        findings.push(("environment", Finding::Note(text)));
    }
    findings
}

fn rust(workspace: &Workspace) -> Finding {
    match preflight::version(workspace.command("rustc").arg("--version")) {
        Some(version) => Finding::Good(version),
        None => Finding::Bad {
            what: "rustc does not run here".to_owned(),
            remedy: "rustup toolchain install (rust-toolchain.toml names the version)".to_owned(),
        },
    }
}

fn program(found: Option<&str>, facts: &Facts, need: Need, required: bool) -> Finding {
    match found {
        Some(version) => Finding::Good(version.to_owned()),
        None if required => {
            Finding::Bad { what: "not found".to_owned(), remedy: facts.distribution.install(&[need]) }
        }
        None => Finding::Note("not found, and not needed while libtorch is whole".to_owned()),
    }
}

fn disk(facts: &Facts, missing: Option<Missing>) -> Finding {
    match (missing, facts.free) {
        (Some(Missing { what, remedy }), _) => Finding::Bad { what, remedy },
        (None, Some(free)) => Finding::Good(format!("{} GiB free in the cache", free >> 30)),
        (None, None) => Finding::Note("free space unknown".to_owned()),
    }
}

fn chosen_libtorch(chosen: &Chosen, faults: &[Fault]) -> Finding {
    let folder = chosen.folder();
    let place = format!("{} ({})", folder.display(), chosen.origin());
    if faults.is_empty() {
        return Finding::Good(format!("{LIBTORCH_VERSION}, whole: {place}"));
    }
    if chosen.managed().is_some() && !folder.exists() {
        return Finding::Note(format!("to be laid out by the first `cargo xtask train`: {place}"));
    }
    let what = format!("{place} is unusable:{}", libtorch::list(faults));
    let remedy = if chosen.managed().is_some() {
        "cargo xtask libtorch lays it out again".to_owned()
    } else {
        "mend it, name another with --libtorch DIR, or cargo xtask libtorch --cpu".to_owned()
    };
    Finding::Bad { what, remedy }
}
