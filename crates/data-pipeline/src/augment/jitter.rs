//! Windows that end before the decision.

use crate::batch::Gather;
use crate::time::{Span, Timestamp};
use crate::window::MASKED;

/// A decision a sample's windows are taken at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    sample: usize,
    /// When: never after the sample's own decision.
    pub(super) decision: Timestamp,
}

/// The moment `shift` base bars before the decision of `sample`, or the earliest after it at which every timeframe has
/// a whole window that no long gap parts from the sample's own.
pub(super) fn moment(gather: &Gather<'_>, max_age: &[Option<Span>], sample: usize, shift: usize) -> Moment {
    let own = Moment { sample, decision: gather.windows.decisions()[sample] };
    let (base, end) = (gather.table(0, sample), gather.windows.end_rows(0)[sample] as usize);
    let possible = base.usable_rows(end).saturating_sub(gather.inputs[0].length);
    let earlier = (1..=shift.min(possible)).rev();
    let mut moments = earlier.map(|bars| Moment { sample, decision: base.available_at()[end - bars] });
    moments.find(|moment| moment.has_windows(gather, max_age)).unwrap_or(own)
}

impl Moment {
    /// The last row that the sample's window of `timeframe` has at this moment. What is masked at the sample's own decision
    /// stays so.
    pub(super) fn end_row(self, gather: &Gather<'_>, timeframe: usize) -> u32 {
        let end = gather.windows.end_rows(timeframe)[self.sample];
        if end == MASKED {
            return MASKED;
        }
        let known = &gather.table(timeframe, self.sample).available_at()[..=end as usize];
        let later = known.iter().rev().take_while(|&&available| available > self.decision).count();
        end.checked_sub(later as u32).unwrap_or(MASKED)
    }

    fn has_windows(self, gather: &Gather<'_>, max_age: &[Option<Span>]) -> bool {
        gather.inputs.iter().zip(max_age).enumerate().all(|(timeframe, (layout, oldest))| {
            let own = gather.windows.end_rows(timeframe)[self.sample];
            if own == MASKED {
                return true;
            }
            let (table, end) = (gather.table(timeframe, self.sample), self.end_row(gather, timeframe));
            if end == MASKED {
                return false;
            }
            let whole = table.usable_rows(own as usize) >= layout.length + (own - end) as usize;
            let age = self.decision.since(table.available_at()[end as usize]);
            whole && oldest.is_none_or(|oldest| age <= oldest)
        })
    }
}
