//! `tapeline runs tail`: the last records of a journal, and those that come.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{self, ErrorKind, Write};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use tapeline_events::{Event, Record, Repeats, Tail};

use crate::failure::{DONE, Failure};
use crate::run_folder::RunFolder;

/// How often a journal that is followed is looked at.
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

/// What `runs tail` takes.
#[derive(Debug, Args)]
pub(in crate::command) struct Arguments {
    /// The run's folder.
    run: PathBuf,
    /// How many of the last records.
    #[arg(long, short = 'n', default_value_t = 20)]
    lines: usize,
    /// Go on with what is written from now on, until interrupted.
    #[arg(long, short)]
    follow: bool,
    /// The records as they stand in the journal, one JSON object a line.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<i32, Failure> {
    let folder = RunFolder::open(&arguments.run).map_err(Failure::bad_input)?;
    let (mut tail, mut repeats) = (Tail::of(&folder.journal()), Repeats::default());
    let mut last = VecDeque::with_capacity(arguments.lines.min(1000));
    while let Some(record) = tail.next_record().map_err(Failure::failed)? {
        let repeated = repeats.hear(&record.event);
        if last.len() == arguments.lines {
            last.pop_front();
        }
        if arguments.lines > 0 {
            last.push_back((record, repeated));
        }
    }
    loop {
        for (record, repeated) in last.drain(..) {
            match write_line(&record, repeated, arguments.json) {
                // Whoever read has read enough.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(DONE),
                written => written.map_err(Failure::failed)?,
            }
        }
        if !arguments.follow {
            return Ok(DONE);
        }
        match tail.next_record().map_err(Failure::failed)? {
            Some(record) => {
                let repeated = repeats.hear(&record.event);
                last.push_back((record, repeated));
            }
            None => std::thread::sleep(BETWEEN_LOOKS),
        }
    }
}

fn write_line(record: &Record, repeated: bool, json: bool) -> io::Result<()> {
    let line = if json { serde_json::to_string(record)? } else { in_words(record, repeated) };
    let mut out = io::stdout();
    writeln!(out, "{line}")?;
    out.flush()
}

/// A record on one line: number, time, kind, place, and its numbers or words.
fn in_words(record: &Record, repeated: bool) -> String {
    let Record { seq, at, event, .. } = record;
    let mut line = format!("{seq:>6}  {at}  {:<16}", event.kind());
    // Writing to a String cannot fail.
    if let Some(step) = event.step() {
        let _ = write!(line, "  step {step}");
    }
    if let Some(epoch) = event.epoch() {
        let _ = write!(line, "  epoch {epoch}");
    }
    let _ = match event {
        Event::Step { loss, learning_rate, .. } => {
            write!(line, "  loss {loss:.5}  learning rate {learning_rate:.3e}")
        }
        Event::EpochEnded { metrics, .. } => match metrics.get("validation/loss").copied().flatten() {
            Some(loss) => write!(line, "  validation/loss {loss:.5}"),
            None => Ok(()),
        },
        Event::CheckpointSaved { folder, best, .. } => {
            write!(line, "  {folder}{}", if *best { " (best)" } else { "" })
        }
        Event::CheckpointFailed { reason, .. } => write!(line, "  {reason}"),
        Event::CheckpointDamaged { folder, reason, .. } => write!(line, "  {folder}: {reason}"),
        Event::Scored { split, metrics } => write!(line, "  {split}: {} metrics", metrics.len()),
        Event::Warning { message } => write!(line, "  {message}"),
        Event::RunStarted { run_id, seed, .. } => write!(line, "  {run_id}  seed {seed}"),
        Event::TestSpanOpened { times, .. } => write!(line, "  for time number {times}"),
        _ => Ok(()),
    };
    if repeated {
        line.push_str("  (repeated)");
    }
    line
}
