//! What a person sees while a network trains: a screen on a terminal, lines elsewhere.
//!
//! It is an observer and can stop nothing: when whoever reads it goes away, it talks to nobody.

mod json;
mod lines;
mod rate;
#[cfg(test)]
mod tests;
mod words;

use std::io::{IsTerminal, Stderr, stderr, stdin};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use tapeline_data_pipeline::Span;
use tapeline_events::{Event, Observer};

use crate::asked::Asked;
use crate::board::Board;
use crate::failure::Failure;
use crate::scrape::{Scrape, ScrapeArguments};
use crate::screen::{self, Screen};
use json::JsonLines;
use lines::Lines;
pub(crate) use rate::Rate;
pub(crate) use words::{announcement, duration, epoch_line};

/// How long training is going to be. A resumed run knows it without a `run_started`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Updates per pass over all train samples.
    pub(crate) steps_per_epoch: u64,
    /// Passes at most.
    pub(crate) num_epochs: u64,
    /// Updates of all these passes, of which a curriculum's first are shorter.
    pub(crate) steps: u64,
    /// Samples per pass.
    pub(crate) train_samples: u64,
}

impl Plan {
    /// Samples per update, on average.
    pub(crate) fn samples_per_step(&self) -> f64 {
        self.train_samples as f64 / self.steps_per_epoch.max(1) as f64
    }
}

/// Time between two lines inside an epoch, unless said otherwise.
const BETWEEN_LINES: Duration = Duration::from_secs(30);

/// Time since some beginning.
type Elapsed = Box<dyn FnMut() -> Duration>;

/// How progress is shown.
#[derive(Clone, Debug, Args)]
pub(crate) struct ProgressArguments {
    /// How progress is shown on standard error.
    #[arg(long, value_enum, default_value_t, value_name = "KIND")]
    ui: Ui,
    /// Time between two lines inside an epoch, where progress is shown as lines.
    #[arg(long, value_name = "SPAN", default_value = "30s")]
    ui_every: Span,
    #[command(flatten)]
    scrape: ScrapeArguments,
}

impl ProgressArguments {
    /// Refuses what cannot be shown or served, before there is a run.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        self.scrape.check()?;
        if self.ui == Ui::Tui && !Circumstances::read().terminal {
            let words = "--ui tui: standard error and standard input are no terminal; leave it out, or use --ui plain";
            return Err(Failure::bad_input(anyhow::anyhow!(words)));
        }
        Ok(())
    }

    /// For runs one after the other: a screen that came and went with each would hide what is said in between, so there is one
    /// only for who asks for it.
    pub(crate) fn of_several(&self) -> Self {
        let ui = if self.ui == Ui::Auto { Ui::Plain } else { self.ui };
        Self { ui, ..self.clone() }
    }
}

/// The kinds of progress.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Ui {
    /// A screen on a terminal, lines elsewhere
    #[default]
    Auto,
    /// A screen
    Tui,
    /// Lines of words
    Plain,
    /// Lines of JSON: the events of the journal, steps now and then
    Json,
    /// Nothing
    None,
}

/// What decides how progress is shown.
struct Circumstances {
    /// Standard error and standard input are a terminal.
    terminal: bool,
    /// It can be drawn on.
    drawable: bool,
    /// Colours are welcome.
    colours: bool,
}

impl Circumstances {
    fn read() -> Self {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        Self {
            terminal: stderr().is_terminal() && stdin().is_terminal(),
            drawable: std::env::var_os("TERM").is_some_and(|term| term != "dumb" && !term.is_empty()),
            colours: !set("NO_COLOR"),
        }
    }
}

impl Ui {
    /// The kind that it comes to.
    fn chosen(self, circumstances: &Circumstances) -> Self {
        match self {
            Self::Auto if circumstances.terminal && circumstances.drawable => Self::Tui,
            Self::Auto => Self::Plain,
            other => other,
        }
    }
}

/// Progress in the form that suits where it goes.
pub(crate) struct Progress {
    elapsed: Elapsed,
    /// Where somebody looks at any time.
    board: Option<Arc<Mutex<Board>>>,
    shown: Shown,
    /// Answers until progress ends.
    _scrape: Option<Scrape>,
}

enum Shown {
    /// With the lines that follow when the screen is left.
    Screen(Screen, Lines<Stderr>),
    Lines(Lines<Stderr>),
    Json(JsonLines<Stderr>),
    Nothing,
}

impl Progress {
    /// As lines on standard error, whoever looks.
    pub(crate) fn on_stderr(plan: Plan) -> Self {
        let lines = Lines::new(plan, since_now(), BETWEEN_LINES, stderr());
        Self { elapsed: since_now(), board: None, shown: Shown::Lines(lines), _scrape: None }
    }

    /// On standard error, which leaves standard output to results. `name` is that of the run.
    pub(crate) fn start(
        arguments: &ProgressArguments,
        name: String,
        plan: Plan,
        asked: &Asked,
    ) -> Result<Self, Failure> {
        let circumstances = Circumstances::read();
        let ui = arguments.ui.chosen(&circumstances);
        let every = Duration::from_nanos(arguments.ui_every.nanos().unsigned_abs());
        let board = (ui == Ui::Tui || arguments.scrape.is_wanted())
            .then(|| Arc::new(Mutex::new(Board::new(name, plan))));
        let scrape = match &board {
            Some(board) => arguments.scrape.start(Arc::clone(board))?,
            None => None,
        };
        let lines = || Lines::new(plan, since_now(), every, stderr());
        let shown = match (ui, &board) {
            (Ui::Tui, Some(board)) => {
                let screen = Screen::start(Arc::clone(board), asked.clone(), circumstances.colours);
                Shown::Screen(screen.context("cannot take the terminal; try --ui plain")?, lines())
            }
            (Ui::Json, _) => Shown::Json(JsonLines::new(since_now(), every, stderr())),
            (Ui::None, _) => Shown::Nothing,
            _ => Shown::Lines(lines()),
        };
        Ok(Self { elapsed: since_now(), board, shown, _scrape: scrape })
    }
}

impl Observer for Progress {
    fn observe(&mut self, event: &Event) {
        if let Some(board) = &self.board {
            screen::lock(board).hear(event, (self.elapsed)());
        }
        match &mut self.shown {
            Shown::Screen(screen, lines) if screen.is_over() => lines.observe(event),
            Shown::Screen(..) | Shown::Nothing => {}
            Shown::Lines(lines) => lines.observe(event),
            Shown::Json(lines) => lines.observe(event),
        }
    }
}

fn since_now() -> Elapsed {
    let beginning = Instant::now();
    Box::new(move || beginning.elapsed())
}
