//! The report as plain text.

use std::fmt;

use super::{AuditReport, Finding, Severity, SymbolAudit};

const HEADINGS: [&str; 7] = ["symbol", "bars", "rows", "first", "last", "errors", "warnings"];

impl fmt::Display for AuditReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<[String; 7]> = self.symbols.iter().map(cells).collect();
        let widths: Vec<usize> = (0..HEADINGS.len())
            .map(|column| {
                let cells = rows.iter().map(|row| row[column].chars().count());
                cells.fold(HEADINGS[column].len(), usize::max)
            })
            .collect();
        write_row(f, &HEADINGS, &widths)?;
        for row in &rows {
            write_row(f, &row.each_ref().map(String::as_str), &widths)?;
        }
        self.symbols.iter().try_for_each(|symbol| write_findings(f, symbol))
    }
}

fn cells(audit: &SymbolAudit) -> [String; 7] {
    let instant = |instant: Option<crate::time::Timestamp>| instant.map_or("–".into(), |at| at.to_string());
    [
        audit.symbol.to_string(),
        audit.timeframe.to_string(),
        audit.rows.to_string(),
        instant(audit.first),
        instant(audit.last),
        audit.count(Severity::Error).to_string(),
        audit.count(Severity::Warning).to_string(),
    ]
}

/// Words to the left, numbers to the right.
fn write_row(f: &mut fmt::Formatter<'_>, row: &[&str; 7], widths: &[usize]) -> fmt::Result {
    let mut line = String::new();
    for (column, (text, &width)) in row.iter().zip(widths).enumerate() {
        let padding = " ".repeat(width - text.chars().count());
        let is_number = matches!(column, 2 | 5 | 6);
        let (before, after) = if is_number { (padding.as_str(), "") } else { ("", padding.as_str()) };
        line.extend([before, text, after, "  "]);
    }
    writeln!(f, "{}", line.trim_end())
}

fn write_findings(f: &mut fmt::Formatter<'_>, audit: &SymbolAudit) -> fmt::Result {
    let repairs: Vec<_> = audit.repairs.iter().filter(|count| count.rows > 0).collect();
    if audit.findings.is_empty() && audit.gaps.is_none() && repairs.is_empty() && audit.notes.is_empty() {
        return Ok(());
    }
    writeln!(f, "\n{}", audit.symbol)?;
    for note in &audit.notes {
        writeln!(f, "  note      {note}")?;
    }
    for count in repairs {
        writeln!(f, "  repaired  {}: {}", count.rule, rows(count.rows))?;
    }
    for finding in &audit.findings {
        write_finding(f, finding)?;
    }
    if let Some(gaps) = audit.gaps {
        let (count, missing) = (gaps.count, gaps.missing_bars);
        let places = if count == 1 { "place" } else { "places" };
        let (longest, after) = (gaps.longest, gaps.longest_after);
        writeln!(
            f,
            "  warning   gap: {count} {places}, {missing} bars missing; the longest, {longest}, after {after}"
        )?;
    }
    Ok(())
}

fn write_finding(f: &mut fmt::Formatter<'_>, finding: &Finding) -> fmt::Result {
    let (word, remedy) = match finding.kind.severity() {
        Severity::Error => ("error  ", format!("; {}", finding.kind.remedy())),
        Severity::Warning => ("warning", String::new()),
    };
    writeln!(f, "  {word}   {}: {}{remedy}", finding.kind.name(), rows(finding.count))?;
    for example in &finding.examples {
        let detail = if example.detail.is_empty() { String::new() } else { format!("  {}", example.detail) };
        writeln!(f, "              row {}, {}{detail}", example.row, example.open_time)?;
    }
    Ok(())
}

fn rows(count: usize) -> String {
    if count == 1 { "1 row".into() } else { format!("{count} rows") }
}
