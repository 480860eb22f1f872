//! Trackers that misbehave cost a run nothing: the same weights, a whole journal, the same exit code, and nothing lost.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tapeline_events::Event;
use tapeline_testkit::{output_of, python_with};

use crate::evidence::Evidence;
use crate::own_disk::say_with_own_mounts;
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

/// Each update once, with its loss, which TensorBoard keeps in 32 bits.
fn told(run: &SmallRun) -> Vec<(u64, f32)> {
    let step = |event| match event {
        Event::Step { step, loss, .. } => Some((step, loss as f32)),
        _ => None,
    };
    let mut steps: Vec<(u64, f32)> = Vec::new();
    for (number, loss) in run.journal().into_iter().filter_map(|record| step(record.event)) {
        // The first telling stands: a resumed run tells the same again.
        if steps.last().is_none_or(|(last, _)| number > *last) {
            steps.push((number, loss));
        }
    }
    steps
}

/// What the owners of the files of `tracker` read in those of the run: step and loss, in their order.
fn arrived(run: &SmallRun, tracker: &str, packages: &[&str]) -> Option<Vec<(u64, f32)>> {
    let python = python_with(Path::new(env!("CARGO_TARGET_TMPDIR")), packages)?;
    let mut script = Command::new(python);
    script.args(["-c", include_str!("read_tracker.py"), tracker]).arg(run.run().join(tracker));
    let read: Vec<(u64, f32)> = serde_json::from_str(&output_of(&mut script).unwrap()).unwrap();
    Some(read)
}

/// Goes on with the run while the folders of `trackers` are on disks that are full.
const ON_FULL_DISKS: &str = r#"
    for folder in $1; do
        mount -t tmpfs -o size=4k none "$RUN/$folder" && head -c 4096 /dev/zero > "$RUN/$folder/full" || exit 77
    done
    exec "$0" train --resume "$RUN""#;

const FILES: [(&str, &[&str]); 2] =
    [("tensorboard", &["tensorboard==2.21.0", "setuptools==80.9.0"]), ("wandb", &["wandb==0.31.0"])];

/// The disks of the trackers `full` are full from the middle of the run on, and MLflow hangs if `hangs`.
fn a_run_bears_full_disks(full: &[&str], hangs: bool) {
    let run = SmallRun::new();
    let mlflow = Fault::Hangs.setting();
    let mut settings = vec!["--set", "tracking.tensorboard={}", "--set", "tracking.wandb={project: chaos}"];
    if hangs {
        settings.extend(["--set", &mlflow]);
    }
    let mut training = run.start(&settings);
    training.wait_for_step(5);
    training.kill();
    let path = run.run();
    for folder in full {
        fs::create_dir_all(path.join(folder)).unwrap();
    }
    let script = format!("RUN={}\n{ON_FULL_DISKS}", path.display());
    let Some(said) = say_with_own_mounts(&run, &script, &full.join(" ")) else { return };
    let said = said.ended_with(DONE);
    is_unharmed(&run, &said);
    for sink in full.iter().copied().chain(hangs.then_some("mlflow")) {
        assert!(said.stderr.contains(&format!("{sink} has not got everything")), "{said}");
    }
    assert!(said.stderr.contains("No space left on device"), "{said}");
    for (sink, packages) in FILES {
        run.say(["replay", path.to_str().unwrap(), "--sink", sink]).ended_with(DONE);
        let Some(arrived) = arrived(&run, sink, packages) else { continue };
        assert_eq!(arrived, told(&run), "{sink}");
    }
}

#[test]
fn a_tensorboard_on_a_full_disk_costs_nothing() {
    a_run_bears_full_disks(&["tensorboard"], false);
}

#[test]
fn a_wandb_on_a_full_disk_costs_nothing() {
    a_run_bears_full_disks(&["wandb"], false);
}

#[test]
fn trackers_that_fail_together_cost_nothing() {
    a_run_bears_full_disks(&["tensorboard", "wandb"], true);
}
