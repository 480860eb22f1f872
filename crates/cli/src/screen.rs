//! The screen: a terminal on which a run is watched, and keys by which it is asked for things.
//!
//! A thread of its own draws it four times a second; the run is never waited for, and never waits. Whatever happens, the
//! terminal is given back as it was: at the end, on a panic, and before a second signal ends the process.

mod draw;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, Stderr, Write as _, stderr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::event::{self, Event as Input, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::crossterm::{cursor, execute};

use crate::asked::Asked;
use crate::board::Board;

/// Time between two pictures.
const BETWEEN_PICTURES: Duration = Duration::from_millis(250);

/// Whether the terminal is ours.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// What was said to standard error meanwhile.
static SAID: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());

/// A screen that is being drawn.
pub(crate) struct Screen {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Screen {
    /// Takes the terminal of standard error and draws `board` on it.
    pub(crate) fn start(board: Arc<Mutex<Board>>, asked: Asked, colours: bool) -> io::Result<Self> {
        restore_on_panic();
        let terminal = take()?;
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let drawn = move || {
            watch(terminal, &board, &asked, colours, &over);
            over.store(true, Ordering::Relaxed);
            restore();
            // What was seen goes on in the terminal's own history.
            for line in &lock(&board).log {
                let _ = writeln!(stderr(), "{line}");
            }
        };
        let thread =
            std::thread::Builder::new().name("screen".into()).spawn(drawn).inspect_err(|_| restore())?;
        Ok(Self { is_over, thread: Some(thread) })
    }

    /// True once nothing is drawn any more, because somebody left it or the terminal is gone.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// The board, also after a panic of somebody who held it.
pub(crate) fn lock(board: &Mutex<Board>) -> MutexGuard<'_, Board> {
    board.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes words for standard error while there is a screen; false otherwise.
pub(crate) fn takes(words: fmt::Arguments<'_>) -> bool {
    if !TAKEN.load(Ordering::Acquire) {
        return false;
    }
    let text = words.to_string();
    let lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).map(Into::into);
    SAID.lock().unwrap_or_else(PoisonError::into_inner).extend(lines);
    true
}

/// Gives the terminal back as it was, if it was taken, with what was said meanwhile.
pub(crate) fn restore() {
    if TAKEN.swap(false, Ordering::AcqRel) {
        // There is nothing left to do for a terminal that refuses.
        let _ = disable_raw_mode();
        let _ = execute!(stderr(), LeaveAlternateScreen, cursor::Show);
        for line in SAID.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            let _ = writeln!(stderr(), "{line}");
        }
    }
}

fn take() -> io::Result<Terminal<CrosstermBackend<Stderr>>> {
    enable_raw_mode()?;
    TAKEN.store(true, Ordering::Release);
    let entered = execute!(stderr(), EnterAlternateScreen, cursor::Hide);
    entered.and_then(|()| Terminal::new(CrosstermBackend::new(stderr()))).inspect_err(|_| restore())
}

fn restore_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            restore();
            before(panic);
        }));
    });
}

fn watch(
    mut terminal: Terminal<CrosstermBackend<Stderr>>,
    board: &Mutex<Board>,
    asked: &Asked,
    colours: bool,
    over: &AtomicBool,
) {
    let beginning = Instant::now();
    let already = lock(board).elapsed;
    while !over.load(Ordering::Relaxed) {
        let drawn = {
            let mut board = lock(board);
            board.elapsed = board.elapsed.max(already + beginning.elapsed());
            for line in SAID.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
                board.note(line);
            }
            terminal.draw(|frame| draw::draw(frame, &board, colours))
        };
        if drawn.is_err() {
            // The terminal has gone; the run has not.
            return;
        }
        match event::poll(BETWEEN_PICTURES) {
            Ok(false) => {}
            Ok(true) => {
                if let Ok(Input::Key(key)) = event::read()
                    && leaves(key, board, asked)
                {
                    return;
                }
            }
            Err(_) => std::thread::sleep(BETWEEN_PICTURES),
        }
    }
}

/// Does what a key stands for; true if the screen is to be left.
fn leaves(key: KeyEvent, board: &Mutex<Board>, asked: &Asked) -> bool {
    if key.kind == KeyEventKind::Release {
        return false;
    }
    match key.code {
        KeyCode::Char('c' | 'd') if key.modifiers.contains(KeyModifiers::CONTROL) => asked.interrupt(),
        KeyCode::Char('c') => {
            asked.checkpoint();
            lock(board).note("a checkpoint is asked for".into());
        }
        KeyCode::Char('s') => {
            asked.stop_after_epoch();
            lock(board).note("training ends after this epoch, as asked".into());
        }
        KeyCode::Char('q') | KeyCode::Esc => return true,
        _ => {}
    }
    false
}
