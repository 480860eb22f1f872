//! What happens in a run, in the order of the loop, and the journal that records it: append-only JSON lines that
//! survive a kill, a full disk and a torn last line, and that trackers and reports are replayed from.
//!
//! This crate never knows who listens, never reads a clock (the caller hands one in) and never stops a run: observing
//! an event cannot fail, and what the disk refuses is kept in memory and tried again.
//!
//! ```
//! use std::collections::BTreeMap;
//! use tapeline_events::{Event, Journal, Observer, Opened, Outcome, projection, read};
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("journal.jsonl");
//! let Opened { mut journal, torn } = Journal::open(&path, || "2026-01-31T12:00:00Z".into())?;
//! assert!(torn.is_none());
//!
//! journal.observe(&Event::EpochStarted { epoch: 1, step: 0 });
//! journal.observe(&Event::Step {
//!     step: 1,
//!     epoch: 1,
//!     learning_rate: 1e-3,
//!     gradient_norm: 0.7,
//!     loss: f64::NAN,
//!     losses: BTreeMap::new(),
//!     loss_scale: None,
//!     skipped: false,
//! });
//! journal.observe(&Event::RunEnded { step: 1, epoch: 1, outcome: Outcome::Completed });
//! assert!(journal.health().is_sound());
//!
//! let records = read(&path)?;
//! assert_eq!(records.len(), 3);
//! assert!(matches!(records[1].event, Event::Step { loss, .. } if loss.is_nan()));
//! assert_eq!(projection(&records)[1].kind, "step");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Does not do:
//! - rotate, compress or upload journals;
//! - decide anything from what it records: stopping and retention belong to the trainer;
//! - queue events for slow listeners: whoever may fall behind reads the journal's file ([`Tail`]).

mod error;
mod event;
mod histogram;
mod journal;
mod number;
mod observer;
mod projection;
mod record;
mod repeats;
mod step_times;
mod tail;
mod target;

pub use error::JournalError;
pub use event::{Event, Guard, Outcome};
pub use histogram::Histogram;
pub use journal::{Health, Journal, Opened, TornLine};
pub use observer::{Observer, Observers};
pub use projection::{ProjectedRow, projection};
pub use record::{Record, SCHEMA, read};
pub use repeats::Repeats;
pub use step_times::StepTimes;
pub use tail::Tail;
pub use target::{TargetOutcome, TargetVerdict};
