//! Threads that share a batch. Each runs a network of its own over the same weights, on samples of its own; their gradients
//! are added up in the order of the samples. What is too small to be cut inside an operation is so cut between samples.

use std::ops::Range;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use tapeline_models::Network;

use crate::balance::Balance;
use crate::error::TrainError;
use crate::loss::Denominators;
use crate::step::{Arithmetic, Part, Share, share};
use crate::task::Tasks;

/// Samples that a thread gets at least: with fewer it waits for its own preparations.
const FEWEST_SAMPLES: usize = 4;

/// Workers that live as long as the run.
pub(crate) struct Crew {
    workers: Vec<Worker>,
}

/// A thread and the two ends of its desk.
struct Worker {
    /// None once there is no more to do.
    jobs: Option<SyncSender<Job>>,
    shares: Receiver<Result<Share, TrainError>>,
    thread: Option<JoinHandle<()>>,
}

struct Job {
    part: Part,
    denominators: Denominators,
    arithmetic: Arithmetic,
}

impl Crew {
    /// `threads` workers with a replica of `network` and of `balance` each.
    pub(crate) fn new(
        network: &dyn Network,
        tasks: &Tasks,
        balance: &Balance,
        threads: usize,
    ) -> Result<Self, TrainError> {
        let worker =
            |number: usize| Worker::start(number, network.replicate()?, tasks.clone(), balance.replicate()?);
        Ok(Self { workers: (0..threads).map(worker).collect::<Result<_, _>>()? })
    }

    /// How many workers there are.
    pub(crate) fn size(&self) -> usize {
        self.workers.len()
    }

    /// Hands out `parts` in turn and calls `add` with what they give, in their order.
    ///
    /// Says how many there were. The next part is filled while those before it are under way. After an error the crew is of no use.
    pub(crate) fn work(
        &self,
        parts: impl Iterator<Item = Result<Part, TrainError>>,
        denominators: &Denominators,
        arithmetic: &Arithmetic,
        mut add: impl FnMut(Share) -> Result<(), TrainError>,
    ) -> Result<usize, TrainError> {
        let size = self.workers.len();
        let mut given = 0;
        for part in parts {
            let worker = &self.workers[given % size];
            if given >= size {
                add(worker.take()?)?;
            }
            let (denominators, arithmetic) = (denominators.clone(), arithmetic.replicate());
            worker.give(Job { part: part?, denominators, arithmetic })?;
            given += 1;
        }
        (given.saturating_sub(size)..given)
            .try_for_each(|number| add(self.workers[number % size].take()?))?;
        Ok(given)
    }
}

impl Worker {
    fn start(
        number: usize,
        network: Box<dyn Network>,
        tasks: Tasks,
        balance: Balance,
    ) -> Result<Self, TrainError> {
        let (jobs, inbox) = sync_channel::<Job>(1);
        let (outbox, shares) = sync_channel(1);
        let work = move || {
            tapeline_torch_ext::on_one_thread(|| {
                while let Ok(job) = inbox.recv() {
                    let Job { part, denominators, arithmetic } = &job;
                    let share = share(network.as_ref(), &tasks, &balance, part, denominators, arithmetic);
                    // Nobody waits for it when the run has ended with an error.
                    if outbox.send(share).is_err() {
                        break;
                    }
                }
            });
        };
        let thread = std::thread::Builder::new().name(format!("worker-{number}")).spawn(work);
        let thread = thread.map_err(|source| TrainError::Threads { source })?;
        Ok(Self { jobs: Some(jobs), shares, thread: Some(thread) })
    }

    fn give(&self, job: Job) -> Result<(), TrainError> {
        let jobs = self.jobs.as_ref().ok_or(TrainError::WorkerEnded)?;
        jobs.send(job).map_err(|_| TrainError::WorkerEnded)
    }

    fn take(&self) -> Result<Share, TrainError> {
        self.shares.recv().map_err(|_| TrainError::WorkerEnded)?
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Without jobs to wait for the thread ends.
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A worker that panicked has said so on its own; here it is enough that it is gone.
            drop(thread.join());
        }
    }
}

/// Cuts a batch of `samples` for `threads`: ranges in order, as even as can be.
pub(crate) fn cuts(samples: usize, threads: usize) -> impl Iterator<Item = Range<usize>> {
    let parts = threads.min(samples / FEWEST_SAMPLES).max(1);
    (0..parts).map(move |part| part * samples / parts..(part + 1) * samples / parts)
}

#[cfg(test)]
mod tests;
