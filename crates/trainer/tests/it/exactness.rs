//! Killed anywhere and resumed, whatever is trained how: no byte differs. A table over all pairs of choices.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;

use tapeline_events::projection;
use tapeline_models::weights_to_bytes;
use tapeline_trainer::{
    AdamSpec, ConstantSpec, CosineSpec, CurriculumSpec, OptimizerSpec, PaceSpec, Pacing, PlateauSpec,
    Purpose, SchedulerSpec, SgdSpec, Start, StepSpec, child_seed,
};

use crate::resume::{files_of, records};
use crate::small_run::{Heard, SmallRun};

/// Times that the run of a row is killed.
const KILLS: u64 = 2;

/// The first step that is told after a checkpoint, which is made every four steps.
const FIRST: u64 = 5;

/// Something to choose, and what there is to choose from.
type Axis = (&'static str, Vec<Choice>);

/// A name, and what it changes.
type Choice = (&'static str, fn(&mut SmallRun));

fn choice(name: &'static str, change: fn(&mut SmallRun)) -> Choice {
    (name, change)
}

const PACE: PaceSpec = PaceSpec { start: 0.4, epochs: 1, pacing: Pacing::Linear };

fn axes() -> Vec<Axis> {
    fn sgd(run: &mut SmallRun, momentum: f64, nesterov: bool) {
        run.training.optimizer = OptimizerSpec::Sgd(SgdSpec { momentum, nesterov, ..SgdSpec::default() });
    }
    fn schedule(run: &mut SmallRun, scheduler: &SchedulerSpec) {
        run.training.scheduler = scheduler.clone().with_warmup_epochs(0.5);
    }
    fn batches(run: &mut SmallRun, batch_size: usize, accumulation: usize) {
        (run.training.batch_size, run.training.gradient_accumulation) = (batch_size, accumulation);
    }
    fn augmented(run: &mut SmallRun) {
        *run = SmallRun { training: run.training.clone(), threads: run.threads, ..SmallRun::augmented() };
    }
    fn curriculum(run: &mut SmallRun, spec: CurriculumSpec) {
        run.training.curriculum = Some(spec);
    }
    fn each_epoch() -> SchedulerSpec {
        SchedulerSpec::Step(StepSpec { every_epochs: 1, ..StepSpec::default() })
    }
    // Nothing improves by so much: the rate falls after each epoch.
    fn plateau() -> SchedulerSpec {
        SchedulerSpec::Plateau(PlateauSpec { patience: 0, min_delta: 1e9, ..PlateauSpec::default() })
    }
    vec![
        // Before what stands on it: it makes the data anew.
        ("augmentation", vec![choice("none", |_| ()), choice("all", augmented)]),
        (
            "optimiser",
            vec![
                choice("adamw", |run| run.training.optimizer = OptimizerSpec::Adamw(AdamSpec::default())),
                choice("adam", |run| run.training.optimizer = OptimizerSpec::Adam(AdamSpec::default())),
                choice("sgd", |run| sgd(run, 0.0, false)),
                choice("momentum", |run| sgd(run, 0.9, false)),
                choice("nesterov", |run| sgd(run, 0.9, true)),
            ],
        ),
        ("precision", vec![choice("fp32", |_| ())]),
        (
            "schedule",
            vec![
                choice("cosine", |run| schedule(run, &SchedulerSpec::Cosine(CosineSpec::default()))),
                choice("step", |run| schedule(run, &each_epoch())),
                choice("plateau", |run| schedule(run, &plateau())),
                choice("constant", |run| schedule(run, &SchedulerSpec::Constant(ConstantSpec::default()))),
            ],
        ),
        (
            "accumulation",
            vec![choice("1", |run| batches(run, 48, 1)), choice("3", |run| batches(run, 16, 3))],
        ),
        (
            "curriculum",
            vec![
                choice("none", |_| ()),
                choice("volatility", |run| curriculum(run, CurriculumSpec::Volatility(PACE))),
                choice("length", |run| curriculum(run, CurriculumSpec::SequenceLength(PACE))),
                choice("random", |run| curriculum(run, CurriculumSpec::Random(PACE))),
            ],
        ),
        ("threads", vec![choice("1", |_| ()), choice("2", |run| run.threads = 2)]),
    ]
}

/// One choice of each axis, by position.
type Row = Vec<usize>;

/// Rows in which any two choices of two axes meet at least once; each row meets as many new ones as can be.
fn rows(axes: &[Axis]) -> Vec<Row> {
    let all = axes.iter().fold(vec![Row::new()], |rows, (_, choices)| {
        let longer = |row: &Row| (0..choices.len()).map(|choice| [&row[..], &[choice]].concat()).collect();
        rows.iter().flat_map(|row| -> Vec<Row> { longer(row) }).collect()
    });
    let pairs = |row: &Row| -> Vec<[usize; 4]> {
        let other = |one: usize| (one + 1..row.len()).map(move |other| (one, other));
        (0..row.len()).flat_map(other).map(|(one, other)| [one, row[one], other, row[other]]).collect()
    };
    let mut open: std::collections::BTreeSet<[usize; 4]> = all.iter().flat_map(&pairs).collect();
    let mut rows = Vec::new();
    while !open.is_empty() {
        let new = |row: &&Row| pairs(row).iter().filter(|pair| open.contains(*pair)).count();
        let best = all.iter().max_by_key(new).expect("there are choices").clone();
        for pair in pairs(&best) {
            open.remove(&pair);
        }
        rows.push(best);
    }
    rows
}

/// Trains until the process is killed, in effect, after `kill` steps of its own; the weights, if it came to its end before.
fn train(
    run: &SmallRun,
    folder: &Path,
    start: Start,
    kill: Option<u64>,
    heard: &mut Heard,
) -> Option<Vec<u8>> {
    struct Killed;
    let done = Cell::new(0);
    let dies = || {
        done.set(done.get() + 1);
        if Some(done.get()) == kill {
            // Past every word of the loop, as a kill goes; what is being written is finished, which a kill would spare.
            resume_unwind(Box::new(Killed));
        }
        false
    };
    let trained = catch_unwind(AssertUnwindSafe(|| run.fit(folder, start, &dies, heard)));
    match trained {
        Ok(trained) => Some(weights_to_bytes(trained.unwrap().1.parameters()).unwrap()),
        Err(cause) if cause.is::<Killed>() => None,
        Err(cause) => resume_unwind(cause),
    }
}

/// All that two equal runs share, by name.
fn evidence(folder: &Path, weights: Vec<u8>, heard: &Heard) -> Vec<(String, Vec<u8>)> {
    let pointer = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let last = String::from_utf8(pointer("last")).unwrap();
    let mut files = files_of(&folder.join(last.trim()));
    let journal = serde_json::to_vec(&projection(&records(heard))).unwrap();
    files.extend([("weights".into(), weights), ("journal".into(), journal)]);
    files.extend([("last".into(), pointer("last")), ("best".into(), pointer("best"))]);
    files
}

fn differing(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).filter(|(a, b)| a != b).count() + one.len().abs_diff(other.len())
}

#[test]
fn no_choice_of_training_makes_a_killed_run_another() {
    tch::set_num_threads(1);
    let axes = axes();
    let heads: Vec<String> = axes.iter().map(|(name, _)| format!("{name:<12}")).collect();
    println!("{} killed after  bytes compared  that differ", heads.join(" "));
    let mut different = Vec::new();
    for (number, row) in rows(&axes).iter().enumerate() {
        let mut run = SmallRun::new();
        let choices = axes.iter().zip(row).map(|((_, choices), &choice)| &choices[choice]);
        let names: Vec<String> = choices.clone().map(|(name, _)| format!("{name:<12}")).collect();
        choices.for_each(|(_, choose)| choose(&mut run));

        let (whole, mut heard) = (tempfile::tempdir().unwrap(), Heard::default());
        let weights = train(&run, whole.path(), Start::Fresh, None, &mut heard).unwrap();
        let expected = evidence(whole.path(), weights, &heard);
        let steps = heard.0.iter().filter_map(tapeline_events::Event::step).max().unwrap();

        let (folder, mut told) = (tempfile::tempdir().unwrap(), Heard::default());
        let mut start = Start::Fresh;
        let mut kills = Vec::new();
        for kill in 0..KILLS {
            let dice = child_seed(number as u64, Purpose::Bootstrap, kill);
            let after = FIRST + dice % (steps - FIRST);
            // A run that is resumed late enough ends before it is killed; it is resumed all the same.
            train(&run, folder.path(), start, Some(after), &mut told);
            kills.push(after.to_string());
            start = Start::Resume;
        }
        let weights = train(&run, folder.path(), start, None, &mut told).unwrap();
        let found = evidence(folder.path(), weights, &told);

        assert_eq!(found.len(), expected.len());
        let compared: usize = found.iter().map(|(_, bytes)| bytes.len()).sum();
        let differ: Vec<(String, usize)> = found
            .iter()
            .zip(&expected)
            .map(|((name, found), (_, expected))| (name.clone(), differing(found, expected)))
            .filter(|(_, bytes)| *bytes > 0)
            .collect();
        let bytes: usize = differ.iter().map(|(_, bytes)| bytes).sum();
        println!("{} {:>12}  {compared:>14}  {bytes:>11}", names.join(" "), kills.join(", "));
        if !differ.is_empty() {
            different.push((names.join(" "), differ));
        }
    }
    assert!(different.is_empty(), "{different:?}");
}

#[test]
fn any_two_choices_meet_in_a_row() {
    let axes = axes();
    let rows = rows(&axes);
    for one in 0..axes.len() {
        for other in one + 1..axes.len() {
            for (a, b) in (0..axes[one].1.len()).flat_map(|a| (0..axes[other].1.len()).map(move |b| (a, b))) {
                assert!(rows.iter().any(|row| row[one] == a && row[other] == b), "{one}:{a} {other}:{b}");
            }
        }
    }
    assert!(rows.len() < 40, "{} rows", rows.len());
}
