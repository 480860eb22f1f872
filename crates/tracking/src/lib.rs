//! Those who hear of a run: trackers, each fed from the run's journal by a thread of its own.
//!
//! The journal is the truth, and nothing here stands between it and training: a tracker that hangs, refuses, answers with
//! errors for an hour or has no disk left costs the training thread nothing and changes no exit code. What it missed is
//! still in the journal, and is sent when it is back, or later by `tapeline replay`. This crate never knows libtorch or the
//! trainer, never prints, and reads neither clock nor environment: times come from the journal, secrets from the caller.
//!
//! ```
//! use std::time::Duration;
//! use tapeline_events::{Event, Journal, Observer, Outcome};
//! use tapeline_tracking::{Cursor, Pace, Pump, RunFile, Sink, SinkFault, Told};
//!
//! /// Counts what it hears.
//! struct Count(usize);
//!
//! impl Sink for Count {
//!     fn name(&self) -> &'static str {
//!         "count"
//!     }
//!
//!     fn take(&mut self, told: &[Told], _: &mut Cursor) -> Result<u64, SinkFault> {
//!         self.0 += told.iter().filter(|told| !told.repeated).count();
//!         Ok(told[told.len() - 1].record.seq)
//!     }
//!
//!     fn finish(&mut self, _: &[RunFile], cursor: &mut Cursor) -> Result<(), SinkFault> {
//!         cursor.remember("counted", self.0.into());
//!         Ok(())
//!     }
//! }
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("journal.jsonl");
//! let mut journal = Journal::open(&path, || "2026-01-31T12:00:00Z".into())?.journal;
//! let pump = Pump::start(&path, folder.path(), vec![Box::new(Count(0))], Pace::default(), |_, _| {});
//! journal.observe(&Event::EpochStarted { epoch: 1, step: 0 });
//! journal.observe(&Event::RunEnded { step: 0, epoch: 1, outcome: Outcome::Completed });
//!
//! let standings = pump.finish(Vec::new(), Duration::from_secs(10));
//! assert!(standings[0].is_complete());
//! assert_eq!(standings[0].acknowledged, Some(1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Adding a tracker: a module here with a `*Spec` and a [`Sink`], a field in [`TrackingSpec`] and its lines in that
//! type's functions.
//!
//! Does not do:
//! - decide anything about a run, or read anything back from a tracker but what it needs to go on in the same run;
//! - queue in memory: who is behind reads the journal from where it was;
//! - show progress on a terminal: that is drawn from the events as they happen, in `cli`.

mod backoff;
mod cursor;
mod error;
mod facts;
mod growing_file;
mod mlflow;
mod point;
mod pump;
mod secrets;
mod sink;
mod spec;
mod tensorboard;
mod wandb;

pub use cursor::Cursor;
pub use error::TrackingError;
pub use facts::{DatasetFacts, Parent, RunFacts};
pub use mlflow::MlflowSpec;
pub use pump::{News, Pace, Pump, Standing};
pub use secrets::Secrets;
pub use sink::{RunFile, Sink, SinkFault, Told};
pub use spec::TrackingSpec;
pub use tensorboard::TensorBoardSpec;
pub use wandb::WandbSpec;
