use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use tapeline_events::{Event, Journal, Observer, Outcome};
use tempfile::TempDir;

use super::*;
use crate::{Cursor, SinkFault, Told};

/// Long enough for anything that does not hang.
const LONG: Duration = Duration::from_secs(60);

const QUICK: Pace = Pace {
    poll: Duration::from_millis(2),
    batch: 10,
    first_wait: Duration::from_millis(1),
    longest_wait: Duration::from_millis(4),
    last_tries: 3,
    seed: 0,
};

/// What a sink is to answer, call by call; afterwards it takes everything.
#[derive(Clone, Debug)]
enum Answer {
    TakeFirst,
    Fail,
    Refuse,
    Hang,
    Panic,
}

/// What was asked of a sink.
#[derive(Clone, Debug, Default, PartialEq)]
struct Heard {
    /// Records that it acknowledged, and whether they were repeated.
    taken: Vec<(u64, bool)>,
    largest_batch: usize,
    finished: Vec<RunFile>,
    opened: usize,
}

struct Script {
    answers: VecDeque<Answer>,
    heard: Arc<Mutex<Heard>>,
    hang: Arc<Mutex<()>>,
}

impl Sink for Script {
    fn name(&self) -> &'static str {
        "script"
    }

    fn open(&mut self, _: &mut Cursor) -> Result<(), SinkFault> {
        self.heard.lock().unwrap().opened += 1;
        Ok(())
    }

    fn take(&mut self, told: &[Told], cursor: &mut Cursor) -> Result<u64, SinkFault> {
        let last = told.last().unwrap().record.seq;
        let taken = match self.answers.pop_front() {
            Some(Answer::Fail) => return Err(SinkFault::passing("nobody answers")),
            Some(Answer::Refuse) => return Err(SinkFault::lasting("wrong password")),
            Some(Answer::Panic) => panic!("a bug in a sink"),
            Some(Answer::Hang) => {
                let _released = self.hang.lock();
                last
            }
            Some(Answer::TakeFirst) => told[0].record.seq,
            None => last,
        };
        let mut heard = self.heard.lock().unwrap();
        heard.largest_batch = heard.largest_batch.max(told.len());
        let taken = told.iter().filter(|told| told.record.seq <= taken);
        heard.taken.extend(taken.map(|told| (told.record.seq, told.repeated)));
        cursor.remember("heard", heard.taken.len().into());
        Ok(heard.taken.last().unwrap().0)
    }

    fn finish(&mut self, files: &[RunFile], _: &mut Cursor) -> Result<(), SinkFault> {
        self.heard.lock().unwrap().finished = files.to_vec();
        Ok(())
    }
}

/// A run's folder with a journal and a scripted sink.
struct Bench {
    folder: TempDir,
    journal: Journal,
    heard: Arc<Mutex<Heard>>,
    hang: Arc<Mutex<()>>,
    news: Sender<News>,
    told: Receiver<News>,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let opened = Journal::open(&folder.path().join("journal.jsonl"), || "2026-01-31T12:00:00Z".into());
        let (news, told) = channel();
        let (heard, hang) = Default::default();
        Self { folder, journal: opened.unwrap().journal, heard, hang, news, told }
    }

    fn steps(&mut self, steps: std::ops::Range<u64>) {
        for step in steps {
            let losses = std::collections::BTreeMap::new();
            self.journal.observe(&Event::Step {
                step,
                epoch: 1,
                learning_rate: 0.1,
                gradient_norm: 1.0,
                loss: 0.5,
                losses,
                loss_scale: None,
                skipped: false,
            });
        }
    }

    fn pump(&self, answers: impl IntoIterator<Item = Answer>) -> Pump {
        let answers = answers.into_iter().collect();
        let script = Script { answers, heard: Arc::clone(&self.heard), hang: Arc::clone(&self.hang) };
        let news = Mutex::new(self.news.clone());
        let path = self.folder.path().join("journal.jsonl");
        Pump::start(&path, self.folder.path(), vec![Box::new(script)], QUICK, move |sink, what| {
            assert_eq!(sink, "script");
            news.lock().unwrap().send(what.clone()).unwrap();
        })
    }

    fn heard(&self) -> Heard {
        self.heard.lock().unwrap().clone()
    }

    fn seqs(&self) -> Vec<u64> {
        self.heard().taken.iter().map(|(seq, _)| *seq).collect()
    }

    fn saved_cursor(&self) -> Option<u64> {
        let bytes = std::fs::read(self.folder.path().join("tracking/script.cursor")).unwrap_or_default();
        let saved: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
        saved["acknowledged"].as_u64()
    }
}

fn finish(pump: Pump) -> Standing {
    pump.finish(Vec::new(), LONG).remove(0)
}

#[test]
fn every_record_arrives_once_and_in_order_and_then_the_files() {
    let mut bench = Bench::new();
    let pump = bench.pump([]);
    bench.steps(1..501);
    let files = vec![RunFile { name: "config.yaml".into(), path: PathBuf::from("config.yaml") }];
    let standing = pump.finish(files.clone(), LONG).remove(0);
    assert!(standing.is_complete(), "{standing:?}");
    assert_eq!(bench.seqs(), (0..500).collect::<Vec<_>>());
    assert_eq!(bench.heard().finished, files);
    assert_eq!(bench.heard().opened, 1);
    assert!(bench.heard().largest_batch <= QUICK.batch);
    assert_eq!(bench.saved_cursor(), Some(499));
}

#[test]
fn what_is_not_acknowledged_comes_again_and_what_is_does_not() {
    let mut bench = Bench::new();
    bench.steps(1..31);
    let answers = [Answer::TakeFirst, Answer::Fail, Answer::TakeFirst, Answer::Fail];
    assert!(finish(bench.pump(answers)).is_complete());
    assert_eq!(bench.seqs(), (0..30).collect::<Vec<_>>());
    let news: Vec<News> = bench.told.try_iter().collect();
    let failed = News::Failed("nobody answers".into());
    assert_eq!(news, [failed.clone(), News::Recovered, failed, News::Recovered]);
}

/// Looks again and again, for [`LONG`] at most: what is then not so fails where it matters.
fn wait_until(is_so: impl Fn() -> bool) {
    let looks = (0..30_000).take_while(|_| !is_so());
    looks.for_each(|_| thread::sleep(QUICK.poll));
}

#[test]
fn a_cursor_moves_behind_the_acknowledgement_and_never_before() {
    let mut bench = Bench::new();
    bench.steps(1..11);
    let standing = finish(bench.pump([Answer::TakeFirst, Answer::Panic]));
    assert!(!standing.is_complete());
    assert_eq!(standing.acknowledged, Some(0));
    assert_eq!(bench.saved_cursor(), Some(0), "what a sink died of is not acknowledged");

    bench.steps(11..21);
    assert!(finish(bench.pump([])).is_complete());
    assert_eq!(bench.seqs(), (0..20).collect::<Vec<_>>(), "nothing is lost and nothing is doubled");
}

#[test]
fn a_sink_that_hangs_is_left_behind_and_loses_nothing() {
    let mut bench = Bench::new();
    bench.steps(1..11);
    let hang = Arc::clone(&bench.hang);
    let hung = hang.lock().unwrap();
    let pump = bench.pump([Answer::Hang]);
    wait_until(|| bench.heard().opened > 0);
    bench.steps(11..2001);
    let standing = pump.finish(Vec::new(), Duration::from_millis(50)).remove(0);
    assert!(!standing.is_complete());
    assert_eq!(standing.acknowledged, None);
    assert!(bench.journal.health().is_sound());
    drop(hung);
    // It holds its cursor until it has noticed that nobody needs it any more.
    while std::fs::File::open(bench.folder.path().join("tracking/script.lock")).unwrap().try_lock().is_err() {
        thread::sleep(QUICK.poll);
    }
    assert!(finish(bench.pump([])).is_complete());
    assert_eq!(bench.seqs(), (0..2000).collect::<Vec<_>>());
}

#[test]
fn a_sink_that_always_fails_is_given_up_after_the_end_and_not_before() {
    let mut bench = Bench::new();
    bench.steps(1..11);
    let standing = finish(bench.pump(std::iter::repeat_n(Answer::Fail, 1000)));
    assert_eq!(standing.fault.as_deref(), Some("nobody answers"));
    assert!(!standing.is_complete());
    let news: Vec<News> = bench.told.try_iter().collect();
    assert_eq!(news, [News::Failed("nobody answers".into()), News::GivenUp("nobody answers".into())]);
    assert!(finish(bench.pump([])).is_complete());
    assert_eq!(bench.seqs(), (0..10).collect::<Vec<_>>());
}

#[test]
fn what_waiting_does_not_mend_is_not_tried_again() {
    let mut bench = Bench::new();
    bench.steps(1..11);
    let pump = bench.pump([Answer::Refuse]);
    let news = bench.told.recv_timeout(LONG).unwrap();
    assert_eq!(news, News::GivenUp("wrong password".into()));
    assert_eq!(finish(pump).fault.as_deref(), Some("wrong password"));
    assert_eq!(bench.seqs(), [0; 0]);
}

#[test]
fn steps_that_a_resumed_run_repeats_are_marked_even_if_the_first_telling_went_to_another_process() {
    let mut bench = Bench::new();
    bench.steps(1..6);
    assert!(finish(bench.pump([])).is_complete());
    bench.journal.observe(&Event::ResumedFrom { step: 2, epoch: 1 });
    bench.steps(3..8);
    bench.journal.observe(&Event::RunEnded { step: 7, epoch: 1, outcome: Outcome::Completed });
    assert!(finish(bench.pump([])).is_complete());
    let repeated: Vec<u64> =
        bench.heard().taken.into_iter().filter_map(|(seq, repeated)| repeated.then_some(seq)).collect();
    assert_eq!(repeated, [6, 7, 8], "steps 3 to 5, told again");
    assert_eq!(bench.seqs(), (0..12).collect::<Vec<_>>());
}

#[test]
fn one_sink_that_hangs_holds_up_no_other() {
    let mut bench = Bench::new();
    bench.steps(1..11);
    let heard = [Arc::default(), Arc::default()];
    let script = |heard: &Arc<Mutex<Heard>>, answers: Vec<Answer>| -> Box<dyn Sink> {
        Box::new(Script { answers: answers.into(), heard: Arc::clone(heard), hang: Arc::clone(&bench.hang) })
    };
    /// The same under another name.
    struct Other(Box<dyn Sink>);
    impl Sink for Other {
        fn name(&self) -> &'static str {
            "other"
        }
        fn take(&mut self, told: &[Told], cursor: &mut Cursor) -> Result<u64, SinkFault> {
            self.0.take(told, cursor)
        }
    }
    let _hung = bench.hang.lock().unwrap();
    let sinks: Vec<Box<dyn Sink>> =
        vec![script(&heard[0], vec![Answer::Hang]), Box::new(Other(script(&heard[1], Vec::new())))];
    let path = bench.folder.path().join("journal.jsonl");
    let pump = Pump::start(&path, bench.folder.path(), sinks, QUICK, |_, _| {});
    wait_until(|| pump.standings()[1].acknowledged == Some(9));
    let standings = pump.finish(Vec::new(), Duration::from_millis(50));
    assert!(!standings[0].is_complete());
    assert_eq!(heard[1].lock().unwrap().taken.len(), 10);
}

/// Stuck until it is told to go on, or until it has waited so long that somebody must be waiting for it.
struct Stuck {
    released: Receiver<()>,
    in_vain: Arc<AtomicBool>,
}

impl Sink for Stuck {
    fn name(&self) -> &'static str {
        "stuck"
    }

    fn open(&mut self, _: &mut Cursor) -> Result<(), SinkFault> {
        let waited = self.released.recv_timeout(Duration::from_secs(20));
        self.in_vain.fetch_or(waited.is_err(), Ordering::Relaxed);
        Ok(())
    }

    fn take(&mut self, told: &[Told], _: &mut Cursor) -> Result<u64, SinkFault> {
        Ok(told.last().unwrap().record.seq)
    }
}

#[test]
fn a_run_goes_on_while_a_sink_is_stuck() {
    let mut bench = Bench::new();
    let (release, released) = channel();
    let in_vain = Arc::new(AtomicBool::new(false));
    let stuck = Stuck { released, in_vain: Arc::clone(&in_vain) };
    let path = bench.folder.path().join("journal.jsonl");
    let pump = Pump::start(&path, bench.folder.path(), vec![Box::new(stuck)], QUICK, |_, _| {});
    bench.steps(1..1001);
    assert_eq!(tapeline_events::read(&path).unwrap().len(), 1000);
    // Fails where nobody is stuck any more.
    let _ = release.send(());
    assert!(finish(pump).is_complete());
    assert!(!in_vain.load(Ordering::Relaxed), "whoever writes the journal has waited for the sink");
}
