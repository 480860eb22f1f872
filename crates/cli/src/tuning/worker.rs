//! A process that trains trials, one after the other.

use std::io::BufRead;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use anyhow::anyhow;
use clap::ValueEnum;
use tapeline_hpo::{HpoError, Outcome, Study};
use tch::Device;

use super::objective::{Ended, INTERRUPTED, Objective};
use super::plan::{HEARTBEAT, Plan};
use super::progress::Board;
use super::standing::Standing;
use crate::failure::Failure;
use crate::host::Host;
use crate::signal::Interrupt;

/// After so long without a sign of life a trial that ran a moment ago is known to be dead.
const UNTIL_DEAD: Duration = HEARTBEAT.grace.saturating_add(HEARTBEAT.interval);
const BETWEEN_LOOKS: Duration = Duration::from_secs(2);

/// What a worker says when it wants a trial, and what it hears then: one line each.
pub(crate) const READY: &str = "ready";
pub(crate) const GO: &str = "go";
pub(crate) const STOP: &str = "stop";
pub(crate) const FINISH: &str = "finish";

/// What becomes of the running trial when a signal comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnSignal {
    /// It is trained to its end.
    Finish,
    /// It ends after its step, and is queued again.
    Interrupt,
}

impl OnSignal {
    /// As it is typed.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Finish => "finish",
            Self::Interrupt => "interrupt",
        }
    }
}

/// How long a worker goes on.
pub(crate) enum Orders {
    /// Until the study has so many trials.
    Until(usize),
    /// As long as whoever started it says so, line by line.
    Told(Receiver<()>),
}

impl Orders {
    /// Orders on standard input; `stop` is set when the running trial is to end too, as it is when nobody is there any more to
    /// give orders.
    pub(crate) fn from_stdin(stop: Arc<AtomicBool>) -> Self {
        let (sender, receiver) = channel();
        std::thread::spawn(move || {
            for line in std::io::stdin().lock().lines().map_while(Result::ok) {
                match line.trim() {
                    GO if sender.send(()).is_ok() => {}
                    FINISH => return,
                    _ => break,
                }
            }
            stop.store(true, Ordering::Relaxed);
        });
        Self::Told(receiver)
    }
}

/// Where the processes are numbered that this one is among: the host, and of a container its own count of processes, since
/// containers may share the host's name.
pub(crate) fn machine() -> String {
    const OF_THE_HOST: &str = "pid:[4026531836]";
    let host = Host::read().name().to_owned();
    let namespace = std::fs::read_link("/proc/self/ns/pid").ok();
    match namespace.as_deref().and_then(std::path::Path::to_str) {
        None | Some(OF_THE_HOST) => host,
        Some(container) => format!("{host}/{container}"),
    }
}

/// This process, as trials name it.
pub(crate) fn name() -> String {
    format!("{}:{}", machine(), std::process::id())
}

/// A process that trains trials.
pub(crate) struct Worker<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) study: &'a Study,
    pub(crate) threads: usize,
    pub(crate) device: Device,
    pub(crate) orders: Orders,
    pub(crate) on_signal: OnSignal,
    pub(crate) interrupt: &'a Interrupt,
    /// Set by whoever started it.
    pub(crate) stop: Arc<AtomicBool>,
    /// Who watches, if it is watched from here.
    pub(crate) board: Option<Board>,
}

impl Worker<'_> {
    /// Trains until the orders end, a signal comes or there is nothing more to try.
    pub(crate) fn work(mut self) -> Result<(), Failure> {
        let mut objective = Objective::new(self.plan, self.threads, self.device);
        let (interrupt, stop) = (self.interrupt.clone(), Arc::clone(&self.stop));
        let cuts = self.on_signal == OnSignal::Interrupt;
        let interrupted = move || stop.load(Ordering::Relaxed) || (cuts && interrupt.came());
        // Trials that a signal ended, queued again once they are told.
        let cut_short = std::cell::RefCell::new(Vec::new());
        let study = self.study;
        let queue_again = || -> Result<(), HpoError> {
            for number in cut_short.borrow_mut().drain(..) {
                study.queue_again(number)?;
            }
            Ok(())
        };
        let mut work = || {
            study.optimize_while(
                || -> anyhow::Result<bool> {
                    queue_again()?;
                    self.may_go_on()
                },
                |trial| -> anyhow::Result<Outcome> {
                    Ok(match objective.run(trial, &interrupted)? {
                        Ended::Said(outcome) => outcome,
                        Ended::Interrupted => {
                            cut_short.borrow_mut().push(trial.number());
                            Outcome::Failed(INTERRUPTED.into())
                        }
                    })
                },
            )
        };
        let mut worked = work();
        while let Err(Some(lost)) = worked.as_ref().map_err(taken_for_dead) {
            eprintln!(
                "warning: the trial with id {lost} was taken for dead while it ran: its signs of life did not get through; what it tried is \
                 queued again"
            );
            worked = work();
        }
        queue_again().map_err(Failure::failed)?;
        self.show()?;
        worked.map_err(|error| error.downcast::<Failure>().unwrap_or_else(Failure::failed))
    }

    fn may_go_on(&mut self) -> anyhow::Result<bool> {
        self.show()?;
        if self.interrupt.came() || self.stop.load(Ordering::Relaxed) {
            return Ok(false);
        }
        match &self.orders {
            Orders::Until(trials) => self.is_left(*trials),
            Orders::Told(orders) => {
                println!("{READY}");
                Ok(orders.recv().is_ok() && !self.stop.load(Ordering::Relaxed))
            }
        }
    }

    /// Whether one of `trials` is left to try. Where all the rest run elsewhere, one of them may be dead: that is waited for as
    /// long as it takes to know. Those known to be dead were retired before anybody asked.
    fn is_left(&self, trials: usize) -> anyhow::Result<bool> {
        let mut waited = Duration::ZERO;
        loop {
            let standing = Standing::of(self.study.record(), &*self.study.history()?);
            if standing.spent + standing.running < trials {
                return Ok(true);
            }
            let may_be_dead = standing.spent < trials && waited < UNTIL_DEAD;
            if !may_be_dead || self.interrupt.came() || self.stop.load(Ordering::Relaxed) {
                return Ok(false);
            }
            std::thread::sleep(BETWEEN_LOOKS);
            waited += BETWEEN_LOOKS;
            self.study.retire_dead()?;
        }
    }

    fn show(&mut self) -> Result<(), HpoError> {
        match &mut self.board {
            Some(board) => board.show(self.study),
            None => Ok(()),
        }
    }
}

/// The id of the trial that somebody else ended while this worker was at it, if that is what the error says.
fn taken_for_dead(error: &anyhow::Error) -> Option<i64> {
    match error.downcast_ref::<HpoError>()? {
        HpoError::TrialFinished { trial } => Some(trial.0),
        _ => None,
    }
}

impl From<HpoError> for Failure {
    fn from(error: HpoError) -> Self {
        super::plan::storage_failure(error)
    }
}

/// What to say of a worker that ended by itself with a code.
pub(crate) fn failed(code: i32) -> Failure {
    let error = anyhow!("a worker gave up; what it said stands above");
    if code == crate::failure::BAD_INPUT { Failure::bad_input(error) } else { Failure::failed(error) }
}
