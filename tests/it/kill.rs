//! A run that is killed anywhere and resumed is the run that never was, byte for byte.

use std::fs;
use std::time::Duration;

use tapeline_events::Event;

use crate::evidence::Evidence;
use crate::program::{BAD_INPUT, DONE};
use crate::small_run::SmallRun;

const KILLS: u64 = 20;

/// A checkpoint is begun after every third step; the first kill may come before it is written.
const FIRST: u64 = 4;

/// A kill comes up to this long after the journal tells of its step: into the next step, a save or the scoring.
const LATEST: u64 = 40_000;

/// What is trained and how, as changes to the small run. `xtask soak` draws many more.
const VARIANTS: [(&str, &[&str]); 5] = [
    ("adamw, cosine", &[]),
    (
        "nesterov, plateau, accumulation",
        &[
            "training.optimizer={kind: sgd, learning_rate: 0.01, momentum: 0.9, nesterov: true}",
            "training.scheduler={kind: plateau, patience: 1, warmup_epochs: 0.5}",
            "training.batch_size=16",
            "training.gradient_accumulation=2",
        ],
    ),
    (
        "augmentation, curriculum",
        &[
            "data.augmentation={noise_std: 0.05, temporal_jitter: {probability: 0.5, max_shift: 3}}",
            "training.curriculum={kind: volatility, start: 0.4, epochs: 1}",
        ],
    ),
    (
        "adam, steps, two threads",
        &[
            "training.optimizer={kind: adam}",
            "training.scheduler={kind: step, every_epochs: 1, warmup_epochs: 0.5}",
            "threads=2",
        ],
    ),
    (
        "uncertainty, short windows first",
        &[
            "training.balancing=uncertainty",
            "training.curriculum={kind: sequence_length, start: 0.4, epochs: 1}",
        ],
    ),
];

/// Where the kill of this number comes in a run of `steps`: after which step, and how long after.
fn place(number: u64, steps: u64) -> (u64, Duration) {
    let dice = |side: u64| mixed(number * 2 + side);
    (FIRST + dice(0) % (steps - FIRST + 1), Duration::from_micros(dice(1) % LATEST))
}

/// The output function of SplitMix64 (Steele, Lea and Flood 2014).
fn mixed(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The step of the checkpoint that the run went on from last; 0 where it was killed before one was written.
fn resumed_from(run: &SmallRun) -> u64 {
    let journal = run.journal();
    let step = |event: &Event| match event {
        Event::ResumedFrom { step, .. } => Some(*step),
        _ => None,
    };
    journal.iter().rev().find_map(|record| step(&record.event)).unwrap_or(0)
}

/// A run that nothing disturbs, and its steps.
fn undisturbed(changes: &[&str]) -> (Evidence, u64) {
    let run = SmallRun::new();
    run.train(changes).ended_with(DONE);
    let steps = run.journal().iter().filter_map(|record| record.event.step()).max();
    (Evidence::of(&run), steps.unwrap())
}

#[test]
fn twenty_runs_killed_at_random_steps_and_resumed_differ_in_no_byte() {
    println!("killed after step  by µs  resumed from  bytes compared  that differ");
    let mut different = Vec::new();
    let kills_of_each = KILLS / VARIANTS.len() as u64;
    for (variant, (name, changes)) in VARIANTS.iter().enumerate() {
        let changes: Vec<&str> = changes.iter().flat_map(|change| ["--set", change]).collect();
        let (expected, steps) = undisturbed(&changes);
        for kill in 0..kills_of_each {
            let (step, delay) = place(variant as u64 * kills_of_each + kill, steps);
            let run = SmallRun::new();
            let mut training = run.start(&changes);
            training.wait_for_step(step);
            std::thread::sleep(delay);
            training.kill();
            run.resume().ended_with(DONE).printing("report");

            let evidence = Evidence::of(&run);
            let differences = evidence.differences(&expected);
            println!(
                "{step:>17}  {:>5}  {:>12}  {:>14}  {:>11}  {name}",
                delay.as_micros(),
                resumed_from(&run),
                evidence.len(),
                differences.iter().map(|(_, bytes)| bytes).sum::<usize>()
            );
            let named = |(file, bytes): (&str, usize)| (*name, step, file.to_owned(), bytes);
            different.extend(differences.into_iter().map(named));
        }
    }
    assert!(different.is_empty(), "{different:?}");
}

#[test]
fn a_run_killed_again_after_it_was_resumed_differs_in_no_byte() {
    let run = SmallRun::new();
    let mut training = run.start(&[]);
    training.wait_for_step(10);
    training.kill();
    for step in [20, 30, 40] {
        let mut training = run.start_to_resume();
        training.wait_for_step(step);
        training.kill();
    }
    run.resume().ended_with(DONE);
    assert_eq!(Evidence::of(&run).differences(Evidence::undisturbed()), []);
}

#[test]
fn a_run_that_is_resumed_after_its_end_stays_what_it_is() {
    let run = SmallRun::new();
    run.train(&[]).ended_with(DONE);
    run.resume().ended_with(DONE);
    assert_eq!(Evidence::of(&run).differences(Evidence::undisturbed()), []);
}

#[test]
fn a_run_killed_before_its_first_checkpoint_begins_again_and_is_the_same() {
    let seldom = "training.checkpointing={every_n_epochs: 1}";
    let one_long_epoch =
        ["--set", seldom, "--set", "training.batch_size=8", "--set", "training.num_epochs=1"];
    let (undisturbed, run) = (SmallRun::new(), SmallRun::new());
    undisturbed.train(&one_long_epoch).ended_with(DONE);
    let mut training = run.start(&one_long_epoch);
    training.wait_for_step(1);
    training.kill();
    assert!(run.checkpoints().is_empty());
    // It begins again as the run that it was, or not at all.
    let config = run.run().join("config.yaml");
    let written = fs::read_to_string(&config).unwrap();
    fs::write(&config, written.replace("batch_size: 8", "batch_size: 16")).unwrap();
    run.resume().ended_with(BAD_INPUT).complaining("training.batch_size: 8 → 16");
    fs::write(&config, written).unwrap();
    run.resume().ended_with(DONE).complaining("starts again");
    assert_eq!(Evidence::of(&run).differences(&Evidence::of(&undisturbed)), []);
}

#[test]
fn a_run_killed_before_it_was_described_is_described_when_it_begins_again() {
    let run = SmallRun::new();
    let mut training = run.start(&[]);
    training.wait_for_step(1);
    training.kill();
    // As a kill leaves it between its first file and its last, long before a step.
    let path = run.run();
    for name in ["lineage.json", "audit.json", "journal.jsonl"] {
        fs::remove_file(path.join(name)).unwrap();
    }
    drop(fs::remove_dir_all(path.join("checkpoints")));
    run.resume().ended_with(DONE).complaining("starts again");
    assert!(path.join("audit.json").is_file() && path.join("report.html").is_file());
    assert_eq!(Evidence::of(&run).differences(Evidence::undisturbed()), []);
}
