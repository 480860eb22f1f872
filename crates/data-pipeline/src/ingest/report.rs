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
    /// Rows whose local time occurs twice, of which the declared rule took one.
    pub ambiguous_times: usize,
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
        let Self { bars, new, identical, .. } = self;
        let files = counted(self.files, "file");
        writeln!(f, "{files} read: {}, {new} new, {identical} there already", counted(*bars, "bar"))?;
        if self.kept > 0 {
            writeln!(f, "{} with other numbers than were there, which were kept", counted(self.kept, "bar"))?;
        }
        if self.replaced > 0 {
            writeln!(
                f,
                "{} with other numbers than were there, which gave way",
                counted(self.replaced, "bar")
            )?;
        }
        for count in self.repairs.iter().filter(|count| count.rows > 0) {
            writeln!(f, "repaired  {}: {}", count.rule, counted(count.rows, "row"))?;
        }
        if !self.without_volume.is_empty() {
            let symbols: Vec<&str> = self.without_volume.iter().map(Symbol::as_str).collect();
            writeln!(f, "no volume in the files of {}: it is 0", symbols.join(", "))?;
        }
        if self.ambiguous_times > 0 {
            let rows = counted(self.ambiguous_times, "row");
            writeln!(f, "{rows} with a local time that occurs twice; text.time.ambiguous decided")?;
        }
        for file in self.passed_over.iter().take(SHOWN) {
            writeln!(f, "passed over  {file}")?;
        }
        if self.passed_over.len() > SHOWN {
            writeln!(f, "passed over  {} more", counted(self.passed_over.len() - SHOWN, "file"))?;
        }
        match self.written.len() {
            0 => writeln!(f, "nothing to write: every bar is there already"),
            written => writeln!(f, "{} written", counted(written, "file")),
        }
    }
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
