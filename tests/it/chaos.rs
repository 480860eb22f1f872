//! Trackers that misbehave cost a run nothing: the same weights, a whole journal, the same exit code, and nothing lost.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tapeline_events::Event;
use tapeline_testkit::{output_of, python_with};

use crate::disk::with_own_mounts;
use crate::evidence::Evidence;
use crate::program::{DONE, FAILED, Said};
use crate::small_run::SmallRun;

/// How whoever listens at the tracker's address treats those who come.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// Takes everything and never answers.
    Hangs,
    /// Nobody listens.
    Refuses,
    /// Answers every request with 500.
    Fails,
    /// Answers 503, byte by byte.
    Crawls,
    /// Hangs up in the middle of a request.
    HangsUp,
    /// Answers 200 and means nothing by it.
    Babbles,
}

impl Fault {
    /// Listens on loopback from now on until the test ends; the address.
    fn listen(self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        if !matches!(self, Self::Refuses) {
            std::thread::spawn(move || {
                let mut held = Vec::new();
                for mut visitor in listener.incoming().flatten() {
                    if let Self::Hangs = self {
                        held.push(visitor);
                        continue;
                    }
                    std::thread::spawn(move || self.treat(&mut visitor));
                }
            });
        }
        address
    }

    fn treat(self, visitor: &mut TcpStream) {
        let mut request = [0; 4096];
        let _ = visitor.read(&mut request[..if let Self::HangsUp = self { 10 } else { 4096 }]);
        let status = match self {
            Self::Hangs | Self::Refuses | Self::HangsUp => return,
            Self::Fails => "500 Internal Server Error",
            Self::Crawls => "503 Service Unavailable",
            Self::Babbles => "200 OK",
        };
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
        for byte in answer.bytes() {
            if visitor.write_all(&[byte]).is_err() {
                return;
            }
            if let Self::Crawls = self {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }

    fn setting(self) -> String {
        format!("tracking.mlflow={{uri: \"{}\"}}", self.listen())
    }
}

fn is_unharmed(run: &SmallRun, said: &Said) {
    assert_eq!(Evidence::of(run).differences(Evidence::undisturbed()), [], "{said}");
    let journal = run.journal();
    let seqs: Vec<u64> = journal.iter().map(|record| record.seq).collect();
    assert_eq!(seqs, (0..journal.len() as u64).collect::<Vec<_>>(), "no record is missing");
}

fn a_run_bears(fault: Fault) {
    let run = SmallRun::new();
    let said = run.train(&["--set", &fault.setting()]).ended_with(DONE);
    is_unharmed(&run, &said);
    let how = format!("tapeline replay {} --sink mlflow", run.run().display());
    let said = said.complaining("mlflow has not got everything").complaining(&how);
    assert!(said.stderr.contains("nothing is lost"), "{said}");
    // It is still away: replaying fails, says so, and harms nothing.
    if let Fault::Refuses = fault {
        let path = run.run();
        run.say(["replay", path.to_str().unwrap()]).ended_with(FAILED).complaining("cannot be reached");
        is_unharmed(&run, &said);
    }
}

#[test]
fn a_tracker_that_hangs_costs_nothing() {
    a_run_bears(Fault::Hangs);
}

#[test]
fn a_tracker_that_refuses_costs_nothing() {
    a_run_bears(Fault::Refuses);
}

#[test]
fn a_tracker_that_fails_costs_nothing() {
    for fault in [Fault::Fails, Fault::Crawls, Fault::HangsUp, Fault::Babbles] {
        a_run_bears(fault);
    }
}

#[test]
fn a_tracker_without_a_place_to_note_anything_costs_nothing() {
    let run = SmallRun::new();
    let mut training = run.start(&["--set", &Fault::Fails.setting()]);
    training.wait_for_step(5);
    training.kill();
    // What trackers note would have to go where a file is.
    let tracking = run.run().join("tracking");
    fs::remove_dir_all(&tracking).unwrap();
    fs::write(&tracking, "").unwrap();
    let said = run.resume().ended_with(DONE).complaining("its cursor cannot be opened");
    is_unharmed(&run, &said);
}

/// Losses of steps as the journal has them first.
fn told(run: &SmallRun) -> Vec<(u64, f64)> {
    let mut told: Vec<(u64, f64)> = Vec::new();
    for record in run.journal() {
        if let Event::Step { step, loss, .. } = record.event
            && told.last().is_none_or(|(last, _)| step > *last)
        {
            told.push((step, loss));
        }
    }
    told
}

/// Losses of steps as the tracker's own Python reads them in its files.
fn read_by(tracker: &str, python: &Path, run: &SmallRun) -> Vec<(u64, f64)> {
    let script = include_str!("read_tracker.py");
    let said = output_of(Command::new(python).args(["-c", script, tracker]).arg(run.run().join(tracker)));
    serde_json::from_str(&said.unwrap()).unwrap()
}

/// A run is killed, and goes on where the disks of these trackers' files are full; afterwards there is room.
fn disks_are_full_for(trackers: &[(&str, &str, &[&str])], fault: Option<Fault>) {
    let mut pythons = Vec::new();
    for (name, _, packages) in trackers {
        let Some(python) = python_with(Path::new(env!("CARGO_TARGET_TMPDIR")), packages) else { return };
        pythons.push((*name, python));
    }
    let run = SmallRun::new();
    let settings = trackers.iter().map(|(_, setting, _)| (*setting).to_owned());
    let settings: Vec<String> = settings.chain(fault.map(Fault::setting)).collect();
    let settings: Vec<&str> = settings.iter().flat_map(|setting| ["--set", setting.as_str()]).collect();
    let mut training = run.start(&settings);
    training.wait_for_step(5);
    training.kill();
    let path = run.run();
    let folders: Vec<String> = trackers
        .iter()
        .map(|(name, ..)| {
            let folder = path.join(name);
            fs::create_dir_all(&folder).unwrap();
            folder.to_str().unwrap().to_owned()
        })
        .collect();
    let script = "run=$1; shift
        for folder; do
            mount -t tmpfs -o size=4k none \"$folder\" || exit 77
            head -c 4096 /dev/zero > \"$folder/full\" || exit 77
        done
        exec \"$0\" train --resume \"$run\"";
    let more: Vec<&str> =
        [path.to_str().unwrap()].into_iter().chain(folders.iter().map(String::as_str)).collect();
    let Some(mut said) = with_own_mounts(&run, script, &more) else { return };
    said = said.ended_with(DONE);
    is_unharmed(&run, &said);
    for (name, python) in &pythons {
        said = said.complaining(&format!("{name} has not got everything"));
        run.say(["replay", path.to_str().unwrap(), "--sink", name])
            .ended_with(DONE)
            .printing("has everything");
        assert_eq!(read_by(name, python, &run), told(&run), "{name}");
    }
    is_unharmed(&run, &said);
}

const TENSORBOARD: (&str, &str, &[&str]) =
    ("tensorboard", "tracking.tensorboard={}", &["tensorboard==2.21.0", "setuptools==80.9.0"]);
const WANDB: (&str, &str, &[&str]) = ("wandb", "tracking.wandb={project: bars}", &["wandb==0.31.0"]);

#[test]
fn a_disk_that_is_full_for_tensorboard_costs_nothing() {
    disks_are_full_for(&[TENSORBOARD], None);
}

#[test]
fn a_disk_that_is_full_for_wandb_costs_nothing() {
    disks_are_full_for(&[WANDB], None);
}

#[test]
fn all_trackers_at_once_cost_nothing() {
    disks_are_full_for(&[TENSORBOARD, WANDB], Some(Fault::Hangs));
}
