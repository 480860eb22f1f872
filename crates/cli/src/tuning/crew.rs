//! Workers side by side: processes, so that one that is killed takes nothing with it but its trial.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use anyhow::{Context, anyhow};
use tapeline_hpo::Study;

use super::lost;
use super::plan::{Plan, STORAGE_VARIABLE};
use super::progress::Board;
use super::standing::{self, Standing};
use super::worker::{FINISH, GO, OnSignal, READY, STOP, failed, machine};
use crate::failure::Failure;
use crate::signal::Interrupt;

/// How often signals and progress are looked at.
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

/// Workers that may die, one after the other without a trial that ended in between, before something else must be wrong.
const MOST_DEATHS: usize = 5;

/// How many workers, and what each has for itself.
pub(crate) struct CrewPlan {
    pub(crate) jobs: usize,
    pub(crate) threads: usize,
    /// Devices by name, handed out in turn.
    pub(crate) devices: Vec<String>,
    pub(crate) on_signal: OnSignal,
}

/// What happens at a worker.
enum News {
    Ready,
    Gone,
}

/// A worker process.
struct Member {
    child: Child,
    /// Closed to send it home.
    orders: Option<ChildStdin>,
    /// It has a trial.
    busy: bool,
}

impl Member {
    /// The last order. A worker whose orders end without one stops at once.
    fn go_home(&mut self, word: &str) {
        if let Some(mut orders) = self.orders.take() {
            // A worker that cannot be told is gone.
            drop(writeln!(orders, "{word}"));
        }
    }
}

/// Workers side by side on one study.
pub(crate) struct Crew<'a> {
    plan: &'a Plan,
    study: &'a Study,
    with: CrewPlan,
    members: Vec<Option<Member>>,
    sender: Sender<(usize, News)>,
    news: Receiver<(usize, News)>,
    /// Deaths since a trial last ended.
    deaths: usize,
}

impl<'a> Crew<'a> {
    /// Starts the workers.
    pub(crate) fn start(plan: &'a Plan, study: &'a Study, with: CrewPlan) -> Result<Self, Failure> {
        let (sender, news) = channel();
        let mut crew = Self { plan, study, with, members: Vec::new(), sender, news, deaths: 0 };
        for place in 0..crew.with.jobs {
            let member = crew.worker(place)?;
            crew.members.push(Some(member));
        }
        Ok(crew)
    }

    fn worker(&self, place: usize) -> Result<Member, Failure> {
        let program = std::env::current_exe().context("cannot find this program")?;
        let device = &self.with.devices[place % self.with.devices.len()];
        let mut command = Command::new(program);
        command
            .args(["hpo", "worker", "--follow", "--study", &self.plan.name])
            // An argument is seen by everybody on the machine, and there may be a password in it.
            .env(STORAGE_VARIABLE, self.plan.url.secret())
            .args(["--set", &format!("threads={}", self.with.threads), "--set", &format!("device={device}")])
            .args(["--on-signal", self.with.on_signal.word()])
            // Not the terminal's Ctrl-C, but this process says what is to be done.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().context("cannot start a worker")?;
        let (orders, words) = (child.stdin.take(), child.stdout.take());
        let sender = self.sender.clone();
        let words = words.ok_or_else(|| anyhow!("a worker has no output"))?;
        std::thread::spawn(move || {
            for line in BufReader::new(words).lines().map_while(Result::ok) {
                if line == READY && sender.send((place, News::Ready)).is_err() {
                    return;
                }
            }
            // Nobody listens any more when the crew is gone.
            drop(sender.send((place, News::Gone)));
        });
        Ok(Member { child, orders, busy: false })
    }

    /// Hands out trials until the study has them all, a signal comes or nothing is left to try.
    pub(crate) fn work(mut self, interrupt: &Interrupt, board: &mut Board) -> Result<(), Failure> {
        let mut draining = false;
        let mut failure = None;
        while self.members.iter().any(Option::is_some) {
            if !draining && (interrupt.came() || failure.is_some()) {
                draining = true;
                self.drain();
            }
            match self.news.recv_timeout(BETWEEN_LOOKS) {
                Ok((place, News::Ready)) => self.ready(place, draining)?,
                Ok((place, News::Gone)) => {
                    if let Err(gone) = self.gone(place, draining) {
                        failure.get_or_insert(gone);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            board.show(self.study)?;
        }
        failure.map_or(Ok(()), Err)
    }

    fn ready(&mut self, place: usize, draining: bool) -> Result<(), Failure> {
        let standing = Standing::of(self.study.record(), &*self.study.history()?);
        let in_flight = |members: &[Option<Member>]| members.iter().flatten().filter(|it| it.busy).count();
        if let Some(member) = &mut self.members[place]
            && std::mem::take(&mut member.busy)
        {
            self.deaths = 0;
        }
        let goes = !draining && standing.spent + in_flight(&self.members) < self.plan.hpo.trials;
        let Some(member) = &mut self.members[place] else { return Ok(()) };
        let sent = goes && member.orders.as_mut().is_some_and(|orders| writeln!(orders, "{GO}").is_ok());
        member.busy = sent;
        if !sent {
            member.go_home(FINISH);
        }
        Ok(())
    }

    /// A worker's end: its trial is lost, and another takes its place.
    fn gone(&mut self, place: usize, draining: bool) -> Result<(), Failure> {
        let Some(mut member) = self.members[place].take() else { return Ok(()) };
        drop(member.orders.take());
        let status = member.child.wait().context("cannot wait for a worker")?;
        if status.success() {
            return Ok(());
        }
        let process = member.child.id();
        self.retire(process, &status)?;
        match status.code() {
            // It said what is wrong, and it will be wrong with others.
            Some(code @ (crate::failure::FAILED | crate::failure::BAD_INPUT)) => return Err(failed(code)),
            Some(crate::failure::INTERRUPTED) if draining => return Ok(()),
            _ => {}
        }
        self.deaths += 1;
        eprintln!("warning: worker {process} is gone ({status}); its trial is queued again");
        if self.deaths >= MOST_DEATHS {
            return Err(Failure::failed(anyhow!(
                "{MOST_DEATHS} workers died one after the other, the last with {status}; is there too little memory for \
                 {} side by side?",
                self.with.jobs
            )));
        }
        if !draining {
            self.members[place] = Some(self.worker(place)?);
        }
        Ok(())
    }

    fn retire(&self, process: u32, status: &ExitStatus) -> Result<(), Failure> {
        let name = format!("{}:{process}", machine());
        let history = self.study.history()?;
        let lost = history.unfinished().filter(|trial| standing::worker(trial).as_ref() == Some(&name));
        for trial in lost {
            lost::retire(self.study, trial, &format!("its worker ended with {status}"))?;
        }
        Ok(())
    }

    /// No more trials; those that run end as was told.
    fn drain(&mut self) {
        for member in self.members.iter_mut().flatten() {
            member.go_home(match self.with.on_signal {
                OnSignal::Finish => FINISH,
                OnSignal::Interrupt => STOP,
            });
        }
    }
}
