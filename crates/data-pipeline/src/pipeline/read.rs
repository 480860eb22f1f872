//! From a source to bars that can be true.

use rayon::prelude::*;

use super::Pipeline;
use crate::audit::{AuditReport, FindingKind, audit, too_far_apart};
use crate::bar::Bars;
use crate::error::DataError;
use crate::repair::repair;
use crate::source::{self, Overlap};
use crate::spec::RepairSpec;

impl Pipeline {
    /// Base bars of every symbol, sorted by symbol and time, and the audit of them. The audit looks at bars as they are
    /// after the named repairs and says how often each was used; only whether bars are longer than the base is asked before,
    /// since bars that were filled in would hide it.
    ///
    /// # Errors
    /// What [`read_bars`](crate::read_bars) cannot read, and [`DataError::Audit`] with the report when an error is left that no repair covers.
    pub fn read(&self) -> Result<(Vec<Bars>, AuditReport), DataError> {
        let rules = &self.spec.repair;
        let overlap =
            if rules.contains(&RepairSpec::KeepLastDuplicate) { Overlap::Keep } else { Overlap::Refuse };
        let (raw, notes): (Vec<Bars>, Vec<_>) =
            source::read(&self.spec.source, self.base(), overlap)?.into_iter().unzip();
        let longer: Vec<_> = raw.par_iter().map(too_far_apart).collect();
        let (bars, counts): (Vec<_>, Vec<_>) = raw.into_par_iter().map(|bars| repair(bars, rules)).unzip();
        let mut report = audit(&bars);
        for (((symbol, counts), longer), notes) in
            report.symbols.iter_mut().zip(counts).zip(longer).zip(notes)
        {
            symbol.repairs = counts;
            symbol.notes = notes;
            if symbol.count_of(FindingKind::TooFarApart) == 0 {
                symbol.findings.splice(0..0, longer);
            }
        }
        if report.has_errors() {
            Err(DataError::Audit { report: Box::new(report) })
        } else {
            Ok((bars, report))
        }
    }
}
