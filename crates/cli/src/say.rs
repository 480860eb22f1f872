//! Words to whoever still reads. The macros of this name in the standard library panic when their reader goes away, as
//! `head` does after its lines; those below stand in for them in the whole program, so that no command can forget.

use std::fmt;
use std::io::{ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether results were lost, for another reason than that nobody wanted more of them.
static LOST: AtomicBool = AtomicBool::new(false);

/// Results, to standard output.
pub(crate) fn result(words: fmt::Arguments<'_>) {
    let mut out = std::io::stdout();
    if let Err(error) = out.write_fmt(words).and_then(|()| out.flush()) {
        LOST.fetch_or(error.kind() != ErrorKind::BrokenPipe, Ordering::Relaxed);
    }
}

/// What else there is to know, to standard error, or to the screen while there is one. If that cannot be written, there is
/// nowhere left to say so.
pub(crate) fn aside(words: fmt::Arguments<'_>) {
    if crate::screen::takes(words) {
        return;
    }
    let mut out = std::io::stderr();
    let _ = out.write_fmt(words);
}

/// True once a result could not be written, as on a full disk.
pub(crate) fn results_were_lost() -> bool {
    LOST.load(Ordering::Relaxed)
}

macro_rules! print {
    ($($words:tt)*) => { $crate::say::result(format_args!($($words)*)) };
}

macro_rules! println {
    ($($words:tt)*) => { $crate::say::result(format_args!("{}\n", format_args!($($words)*))) };
}

macro_rules! eprintln {
    ($($words:tt)*) => { $crate::say::aside(format_args!("{}\n", format_args!($($words)*))) };
}
