//! `cargo xtask tidy`: the house rules that no compiler knows.

#[cfg(test)]
mod tests;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::workspace::Workspace;

/// Check names, lengths, left-overs and machine paths in every file.
#[derive(clap::Args)]
pub(crate) struct Tidy;

/// Longer than this a file holds more than one idea.
const MAX_LINES: usize = 700;

/// Names of drawers, not of things.
const NAMELESS: [&str; 11] =
    ["utils", "util", "helpers", "helper", "common", "base", "core", "types", "manager", "misc", "mod"];

/// What a person wrote by hand and others read; lengths and names matter here.
const SOURCE: [&str; 6] = ["rs", "py", "cpp", "cc", "h", "sh"];

/// Left for later. Taken apart here, so that this file does not accuse itself.
const LEFT_OVERS: [&str; 6] = [
    concat!("to", "do!("),
    concat!("unimpl", "emented!("),
    concat!("#[ign", "ore"),
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
];

/// Folders that exist on one machine only, when they stand at the start of a path.
const MACHINE_FOLDERS: [&str; 4] =
    [concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/"), concat!("/wo", "rk/")];

/// Nobody's home, for tests and examples.
const INVENTED: &str = "someone";

/// Written by tools, not by us.
const GENERATED: [&str; 1] = ["Cargo.lock"];

/// One complaint.
#[derive(Debug, PartialEq, Eq)]
struct Complaint {
    path: PathBuf,
    /// Counted from one; none for the file as a whole.
    line: Option<usize>,
    what: String,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.path.display(), self.what),
            None => write!(f, "{}: {}", self.path.display(), self.what),
        }
    }
}

impl Tidy {
    pub(crate) fn run(self, workspace: &Workspace) -> Result<ExitCode> {
        println!("{}", check(workspace)?);
        Ok(ExitCode::SUCCESS)
    }
}

/// Fails with every complaint; else says how much was looked at.
pub(crate) fn check(workspace: &Workspace) -> Result<String> {
    let files = files(workspace)?;
    let mut complaints = Vec::new();
    for path in &files {
        let bytes = fs::read(workspace.root().join(path))
            .with_context(|| format!("cannot read {}", path.display()))?;
        complaints.extend(complaints_about(path, &bytes));
    }
    if complaints.is_empty() {
        return Ok(format!("tidy: {} files, nothing to say", files.len()));
    }
    let lines: String = complaints.iter().map(|complaint| format!("\n  {complaint}")).collect();
    bail!("{} complaints:{lines}", complaints.len())
}

/// The files of the project, relative to its top folder: what git knows and what it would not ignore. Without git,
/// everything but hidden folders and build output.
pub(crate) fn files(workspace: &Workspace) -> Result<Vec<PathBuf>> {
    let git = workspace
        .command("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .stderr(Stdio::null())
        .output();
    let mut files = match git {
        Ok(listed) if listed.status.success() => {
            let names = String::from_utf8(listed.stdout).context("git lists a name that is not UTF-8")?;
            names.split_terminator('\0').map(PathBuf::from).collect()
        }
        _ => walk(workspace.root()).context("cannot walk through the project")?,
    };
    // A file that was removed and not yet committed is still listed.
    files.retain(|path| workspace.root().join(path).is_file());
    files.sort();
    Ok(files)
}

fn walk(root: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            if !entry.file_type()?.is_dir() {
                files.extend(entry.path().strip_prefix(root).map(Path::to_path_buf));
            } else if name != "target" && !name.to_string_lossy().starts_with('.') {
                open.push(entry.path());
            }
        }
    }
    Ok(files)
}

fn complaints_about(path: &Path, bytes: &[u8]) -> Vec<Complaint> {
    let complaint = |line, what: String| Complaint { path: path.to_path_buf(), line, what };
    let is_source = path.extension().is_some_and(|extension| SOURCE.iter().any(|known| extension == *known));
    let mut complaints = Vec::new();
    if is_source {
        let nameless = path
            .iter()
            .filter_map(|part| Path::new(part).file_stem()?.to_str())
            .find(|name| NAMELESS.contains(name));
        complaints.extend(
            nameless.map(|name| complaint(None, format!("`{name}` names nothing: name what is inside"))),
        );
    }
    let Ok(text) = str::from_utf8(bytes) else { return complaints };
    if GENERATED.iter().any(|name| path.ends_with(name)) {
        return complaints;
    }
    for (index, line) in text.lines().enumerate() {
        let number = Some(index + 1);
        if let Some(folder) = MACHINE_FOLDERS.iter().find(|folder| names_folder(line, folder)) {
            complaints.push(complaint(number, format!("`{folder}` is there on one machine only")));
        }
        if let Some(left) = LEFT_OVERS.iter().find(|left| is_source && line.contains(**left)) {
            complaints.push(complaint(number, format!("`{left}` is left for later: do it, or leave it out")));
        }
    }
    let lines = text.lines().count();
    if is_source && lines > MAX_LINES {
        complaints.push(complaint(None, format!("{lines} lines, more than {MAX_LINES}: divide it by ideas")));
    }
    if path.ends_with("src/lib.rs") && !text.starts_with("//!") {
        complaints.push(complaint(
            Some(1),
            "a library opens with `//!`: what it owns, what it must never do".to_owned(),
        ));
    }
    complaints
}

/// Does a path in `line` start with `folder`? In `docs/work/x` and in a web address it does not.
fn names_folder(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let inside_a_path = before.is_some_and(|c| c.is_alphanumeric() || "._-~*/})".contains(c));
        !inside_a_path && !line[at + folder.len()..].starts_with(INVENTED)
    })
}
