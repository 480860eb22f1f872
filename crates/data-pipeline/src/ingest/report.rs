//! What an ingest did.

use std::fmt;
use std::path::PathBuf;

use crate::audit::AuditReport;
use crate::repair::RepairCount;
use crate::spec::Symbol;

/// How many files that were passed over are named one by one.
const SHOWN: usize = 10;

/// What was read, what was new and how the layout is now. `Display` says it in a few lines, without the audit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IngestReport {
    /// Files that were read.
    pub files: usize,
    /// Rows of those that became bars, after repairs.
    pub bars: usize,
    /// Bars that were not there before.
    pub new: usize,
    /// Bars that were there already, in every number the same.
    pub identical: usize,
    /// Bars that were there already with other numbers, and stayed (`keep_old`).
    pub kept: usize,
    /// Bars that were there already with other numbers, and were replaced (`keep_new`).
    pub replaced: usize,
    /// What the repairs did, over all files.
    pub repairs: Vec<RepairCount>,
    /// Symbols whose files have no volume; it is 0 in the layout.
    pub without_volume: Vec<Symbol>,
    /// Files of the layout that were written, relative to it.
    pub written: Vec<PathBuf>,
    /// Files that are none of the vendor's.
    pub passed_over: Vec<PassedOver>,
    /// The audit of everything in the layout, by timeframe and symbol.
    pub audit: AuditReport,
}

/// A file that was found in a folder and is none of the vendor's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassedOver {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: String,
}

impl fmt::Display for PassedOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.problem)
    }
}

impl fmt::Display for IngestReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { files, bars, new, identical, .. } = self;
        writeln!(f, "{files} files read: {bars} bars, {new} new, {identical} there already")?;
        if self.kept > 0 {
            writeln!(f, "{} bars differ from those that were there, which were kept", self.kept)?;
        }
        if self.replaced > 0 {
            writeln!(f, "{} bars differ from those that were there and took their place", self.replaced)?;
        }
        for count in self.repairs.iter().filter(|count| count.rows > 0) {
            writeln!(f, "repaired  {}: {} rows", count.rule, count.rows)?;
        }
        if !self.without_volume.is_empty() {
            let symbols: Vec<&str> = self.without_volume.iter().map(Symbol::as_str).collect();
            writeln!(f, "no volume in the files of {}: it is 0", symbols.join(", "))?;
        }
        for file in self.passed_over.iter().take(SHOWN) {
            writeln!(f, "passed over  {file}")?;
        }
        if self.passed_over.len() > SHOWN {
            writeln!(f, "passed over  {} more files", self.passed_over.len() - SHOWN)?;
        }
        match self.written.len() {
            0 => writeln!(f, "nothing to write: every bar is there already"),
            written => writeln!(f, "{written} files written"),
        }
    }
}
