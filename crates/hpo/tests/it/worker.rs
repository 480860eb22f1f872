//! A worker in a process of its own: this very test program, told by a variable what to do.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use tapeline_hpo::{Choice, FloatDistribution, HpoError, RandomSampler, Study};

use crate::optuna::open;

/// What a worker is to do, in one line: address, study, trials, trials that it queues, milliseconds that a trial takes.
const TASK: &str = "TAPELINE_HPO_TEST_TASK";
const SEPARATOR: char = '\t';

/// What a worker is to do.
pub(crate) struct Task<'a> {
    pub(crate) url: &'a str,
    pub(crate) study: &'a str,
    pub(crate) trials: usize,
    pub(crate) queues: usize,
    pub(crate) milliseconds: u64,
}

/// A worker that was started. Dropping it kills it.
pub(crate) struct Worker {
    child: Child,
    /// What it says: `took n` and `done n` for a trial that was queued and one that is finished, `lost n` for one that others
    /// took for dead.
    pub(crate) says: Receiver<String>,
}

impl Worker {
    pub(crate) fn start(task: &Task<'_>) -> Self {
        let Task { url, study, trials, queues, milliseconds } = task;
        let task =
            format!("{url}{SEPARATOR}{study}{SEPARATOR}{trials}{SEPARATOR}{queues}{SEPARATOR}{milliseconds}");
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["worker::works_if_told_to", "--exact", "--nocapture"]).env(TASK, task);
        Self::of(&mut command)
    }

    /// Any process that says such lines.
    pub(crate) fn of(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (tell, says) = channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                // Whoever listened may have seen enough.
                let _ = tell.send(line);
            }
        });
        Self { child, says }
    }

    pub(crate) fn input(&mut self) -> std::process::ChildStdin {
        self.child.stdin.take().unwrap()
    }

    /// Ends it without a word of warning.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end, which must be a good one, and returns what it said and nobody heard.
    pub(crate) fn end(mut self) -> Vec<String> {
        let said: Vec<String> = self.says.iter().collect();
        let status = self.child.wait().unwrap();
        assert!(status.success(), "a worker ended with {status} after {:?}", said.last());
        said
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // One that has ended already cannot be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The numbers after `word` in what workers said.
pub(crate) fn numbers(said: &[String], word: &str) -> Vec<u64> {
    let words = |line: &String| {
        let (found, number) = line.split_once(' ')?;
        (found == word).then(|| number.parse().unwrap())
    };
    said.iter().filter_map(words).collect()
}

#[test]
fn works_if_told_to() {
    let Ok(task) = std::env::var(TASK) else { return };
    let words: Vec<&str> = task.split(SEPARATOR).collect();
    let [url, study, trials, queues, milliseconds] = words[..] else { panic!("{task:?}") };
    let (trials, queues): (usize, usize) = (trials.parse().unwrap(), queues.parse().unwrap());
    let study = Study::minimize(study).storage(open(url)).sampler(RandomSampler).open().unwrap();
    let say = |word: &str, number: u64| {
        use std::io::Write as _;
        // Whole lines, past the test harness.
        let mut out = std::io::stdout().lock();
        writeln!(out, "{word} {number}").and_then(|()| out.flush()).unwrap();
    };
    println!();
    for turn in 0..trials {
        if turn < queues {
            study.enqueue(&[("x".to_owned(), Choice::from(0.5))].into(), [].into()).unwrap();
        }
        let mut trial = study.ask().unwrap();
        let number = trial.number();
        if trial.record().system_attributes.contains_key("fixed_params") {
            say("took", number);
        }
        let x = trial.suggest_float("x", FloatDistribution::new(0.0, 1.0)).unwrap();
        trial.suggest_categorical("kind", &[Choice::from("a"), Choice::Null, Choice::from(true)]).unwrap();
        std::thread::sleep(Duration::from_millis(milliseconds.parse().unwrap()));
        let told = trial.report(0, x).and_then(|()| study.tell(trial, x));
        match told {
            Ok(_) => say("done", number),
            // Somebody else had the same trial, and was quicker.
            Err(HpoError::TrialFinished { .. }) => say("lost", number),
            Err(error) => panic!("{error}: {:?}", std::error::Error::source(&error).map(ToString::to_string)),
        }
    }
}
