//! What a step says, in the order it says it, without what nobody reads.

#[cfg(test)]
mod tests;

use std::fmt;
use std::io::{self, BufRead as _, BufReader};
use std::process::{Command, ExitStatus};

use anyhow::{Context as _, Result};

/// Cargo's progress, one line per package. Dropped: a fresh build has hundreds.
const PROGRESS: [&str; 9] = [
    "Blocking",
    "Checking",
    "Compiling",
    "Documenting",
    "Downloaded",
    "Downloading",
    "Finished",
    "Fresh",
    "Generated",
];

/// The one package that takes minutes.
const SLOW: &str = "Compiling torch-sys";

/// Runs `command` to its end, printing its lines as they come; `hear` gets every line, printed or not.
pub(super) fn run(command: &mut Command, mut hear: impl FnMut(&str)) -> Result<ExitStatus> {
    let program = command.get_program().to_os_string();
    let context = || format!("cannot run {}", program.display());
    // One pipe for both, so that their lines keep their order.
    let (reader, writer) = io::pipe().with_context(context)?;
    command.stdout(writer.try_clone().with_context(context)?).stderr(writer);
    let mut child = command.spawn().with_context(context)?;
    // The command holds the writing end: while we hold it the pipe does not end.
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut line = Vec::new();
    let mut reader = BufReader::new(reader);
    while reader.read_until(b'\n', &mut line).with_context(context)? > 0 {
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end();
        hear(text);
        if text.trim_start().starts_with(SLOW) {
            println!("compiling torch-sys takes 3 to 4 minutes, once");
        } else if is_worth_reading(text) {
            println!("{text}");
        }
        line.clear();
    }
    child.wait().with_context(context)
}

/// Warnings, errors, failures, and the closing line of each test binary are; progress and passing tests are not.
fn is_worth_reading(line: &str) -> bool {
    let text = line.trim_start();
    let first = text.split_whitespace().next().unwrap_or_default();
    let passing_test = text.starts_with("test ") && text.ends_with("... ok");
    let opening = text.starts_with("running ") && (text.ends_with(" tests") || text.ends_with(" test"));
    !(first.is_empty() || passing_test || opening || line != text && PROGRESS.contains(&first))
}

/// The sum of all closing lines of test binaries.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) passed: u64,
    pub(super) failed: u64,
    pub(super) ignored: u64,
    binaries: u64,
}

impl Tally {
    /// Adds `line` if it is such a line: `test result: ok. 12 passed; 0 failed; 0 ignored; …`
    pub(super) fn add(&mut self, line: &str) {
        let Some(counts) = line.trim_start().strip_prefix("test result: ") else { return };
        let counts = counts.split_once(". ").map_or(counts, |(_, counts)| counts);
        self.binaries += 1;
        for count in counts.split(';') {
            let mut words = count.split_whitespace();
            let (Some(number), Some(word)) =
                (words.next().and_then(|number| number.parse::<u64>().ok()), words.next())
            else {
                continue;
            };
            match word {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { passed, failed, ignored, binaries } = self;
        write!(f, "{passed} passed, {failed} failed, {ignored} ignored in {binaries} test binaries")
    }
}
