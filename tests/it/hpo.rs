//! Searches: begun, stopped, gone on with, worked on side by side, and what they leave.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tapeline_events::Event;
use tapeline_hpo::{FrozenTrial, StorageOptions, TrialState, open_storage};

use crate::program::{BAD_INPUT, DONE, FAILED, INTERRUPTED, Said, send, tapeline};
use crate::small_run::SmallRun;

const SECTION: &str = include_str!("hpo.yaml");

/// Epochs of a trial that is long enough to be met in the middle of it.
pub(crate) const LONG: [&str; 2] = ["--set", "training.num_epochs=12"];

/// How often a study is looked at.
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// A folder where searches over the small run are made.
pub(crate) struct Search {
    run: SmallRun,
    url: String,
}

impl Search {
    pub(crate) fn new() -> Self {
        let run = SmallRun::new();
        let study = run.folder().join("runs/small/hpo/small/study.db");
        Self::of(run, format!("sqlite:///{}", study.display()))
    }

    /// Remembered in the storage `url`.
    pub(crate) fn remembered_at(url: &str) -> Self {
        Self::of(SmallRun::new(), url.to_owned())
    }

    fn of(run: SmallRun, url: String) -> Self {
        let path = run.folder().join("small.yaml");
        let text = fs::read_to_string(&path).unwrap() + SECTION;
        fs::write(path, text).unwrap();
        Self { run, url }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn folder(&self) -> &Path {
        self.run.folder()
    }

    pub(crate) fn say_words<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> Said {
        self.run.say(words)
    }

    pub(crate) fn say(&self, verb: &str, more: &[&str]) -> Said {
        self.run.say_of_config(&format!("hpo {verb}"), more)
    }

    pub(crate) fn run(&self, more: &[&str]) -> Said {
        self.say("run", more)
    }

    pub(crate) fn start(&self, more: &[&str]) -> Child {
        let mut command = self.run.of_config("hpo run", more);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    fn json(&self, verb: &str, more: &[&str]) -> Value {
        let said = self.say(verb, &[more, &["--json"]].concat()).ended_with(DONE);
        serde_json::from_str(&said.stdout).unwrap()
    }

    pub(crate) fn study(&self) -> PathBuf {
        self.run.folder().join("runs/small/hpo/small")
    }

    pub(crate) fn trials(&self) -> Vec<Arc<FrozenTrial>> {
        if self.url.strip_prefix("sqlite:///").is_some_and(|file| !Path::new(file).is_file()) {
            return Vec::new();
        }
        let Ok(storage) = open_storage(&self.url, &StorageOptions::default()) else { return Vec::new() };
        let Ok(record) = storage.study("small") else { return Vec::new() };
        storage.trials(record.id, None, &[]).unwrap()
    }

    /// Waits for trials of which `is_it` is true, or for the end of `child`.
    pub(crate) fn wait_for(&self, child: &mut Child, is_it: impl Fn(&[Arc<FrozenTrial>]) -> bool) {
        // Whether it has ended is asked first: what it did last is seen.
        let mut ended = false;
        while !is_it(&self.trials()) {
            assert!(!ended, "the search ended before");
            std::thread::sleep(BETWEEN_LOOKS);
            ended = child.try_wait().unwrap().is_some();
        }
    }
}

pub(crate) fn said_by(child: Child) -> Said {
    Said::of(child.wait_with_output().unwrap())
}

pub(crate) fn text(trial: &FrozenTrial, key: &str) -> Option<String> {
    trial.user_attributes.get(key).map(|raw| serde_json::from_str(raw.as_str()).unwrap())
}

pub(crate) fn reasons(trials: &[Arc<FrozenTrial>]) -> Vec<String> {
    let failed = trials.iter().filter(|trial| trial.state == TrialState::Fail);
    failed.map(|trial| text(trial, "fail_reason").unwrap()).collect()
}

/// The process of the worker that is on a running trial.
fn worker(trial: &FrozenTrial) -> Option<u32> {
    let worker = text(trial, "worker").filter(|_| trial.state == TrialState::Running)?;
    let process = worker.strip_suffix(&format!("#{}", trial.number))?.rsplit(':').next()?;
    process.parse().ok()
}

/// Whether the worker with this process is on it.
pub(crate) fn is_on(trial: &FrozenTrial, process: u32) -> bool {
    worker(trial) == Some(process)
}

#[test]
fn a_search_leaves_a_best_configuration_a_report_and_light_trials() {
    let search = Search::new();
    let said = search.run(&["--set", "hpo.retrain={top: 1, seeds: 2}"]).ended_with(DONE);
    let said =
        said.complaining("4/4 done").printing("study small: 4 of 4 trials done").printing("with other seeds");
    assert!(said.stdout.contains("report.html"), "{said}");

    let status = search.json("status", &[]);
    for (key, value) in [("done", 4), ("complete", 4), ("failed", 0), ("running", 0), ("wanted", 4)] {
        assert_eq!(status[key], value, "{key} of {status}");
    }
    let best = search.json("best", &[]);
    assert_eq!(best["default"]["trial"], 0);
    assert_eq!(best["default"]["params"]["training.batch_size"], 32);
    assert!(best["deflated"]["probability"].as_f64().is_some(), "{best}");
    assert_eq!(best["deflated"]["trials"], 4);

    for trial in search.trials() {
        let run = PathBuf::from(text(&trial, "run").unwrap());
        let left: BTreeSet<String> =
            fs::read_dir(&run).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
        assert_eq!(left, ["config.yaml", "journal.jsonl", "lineage.json"].map(str::to_owned).into());
        assert_eq!(score_in_the_journal(&trial, &run), trial.values.as_ref().unwrap()[0]);
    }
    let looks = fs::read_to_string(search.run.folder().join("runs/validation-looks.jsonl")).unwrap();
    assert_eq!(looks.lines().filter(|line| line.contains("\"trial\":")).count(), 4);
    assert_eq!(looks.lines().count(), 1 + 4, "what they see is said once");
    assert!(!search.run.folder().join("runs/test-openings.jsonl").exists(), "a search opened the test span");

    search.say("best", &["--write", "best.yaml"]).ended_with(DONE).printing("--set training.batch_size=");
    search.run.say(["config", "check", "--config", "best.yaml"]).ended_with(DONE);
    let report = fs::read_to_string(search.study().join("report.html")).unwrap();
    for words in ["The best", "With other seeds", "best so far", "All together", "model.lstm.hidden_size"] {
        assert!(report.contains(words), "no {words:?} in the report");
    }
    // What was trained again is there already.
    let said = search.say("retrain", &["--top", "1", "--seeds", "2"]).ended_with(DONE);
    assert!(!said.stderr.contains("again, with seed"), "{said}");
    said.printing("tapeline registry add --run");
}

/// The objective after the epoch with the least validation loss, as the journal has it.
fn score_in_the_journal(trial: &FrozenTrial, run: &Path) -> f64 {
    let mut epochs: Vec<(f64, f64)> = Vec::new();
    for record in tapeline_events::read(&run.join("journal.jsonl")).unwrap() {
        if let Event::EpochEnded { metrics, .. } = record.event {
            let of = |name: &str| metrics[name].unwrap();
            epochs.push((of("validation/loss"), of("validation/price_prediction/h1/rank_ic_series")));
        }
    }
    assert_eq!(epochs.len(), 2, "epochs of trial {}", trial.number);
    epochs.into_iter().min_by(|a, b| a.0.total_cmp(&b.0)).unwrap().1
}

#[test]
fn a_search_goes_on_and_is_not_another() {
    let search = Search::new();
    search.run(&["--trials", "2"]).ended_with(DONE);
    search.run(&["--trials", "3"]).ended_with(DONE).complaining("going on");
    assert_eq!(search.trials().len(), 3);
    search
        .run(&["--set", "training.batch_size=16"])
        .ended_with(BAD_INPUT)
        .complaining("was begun with another configuration")
        .complaining("training.batch_size: 32 → 16");
    assert_eq!(search.trials().len(), 3);
    search.run(&["--trials", "1", "--study", "second"]).ended_with(DONE);
    // The second search chose by the same validation span.
    let best = search.json("best", &["--study", "second"]);
    assert_eq!(best["deflated"]["trials"], 4, "{best}");
}

#[test]
fn the_same_search_draws_the_same() {
    let params = || {
        let search = Search::new();
        search.run(&["--set", "hpo.sampler={kind: tpe, startup_trials: 2}"]).ended_with(DONE);
        let trials = search.trials();
        trials.iter().map(|trial| (trial.params.clone(), trial.values.clone())).collect::<Vec<_>>()
    };
    assert_eq!(params(), params());
}

#[test]
fn a_killed_worker_loses_its_trial_and_nothing_else() {
    let search = Search::new();
    let mut running = search.start(&[&LONG[..], &["--jobs", "2", "--trials", "4"]].concat());
    search.wait_for(&mut running, |trials| trials.iter().any(|trial| worker(trial).is_some()));
    let victim = search.trials().iter().find_map(|trial| worker(trial)).unwrap();
    send("KILL", victim);
    said_by(running).ended_with(DONE).complaining("its trial is queued again");

    let trials = search.trials();
    let numbers: Vec<u64> = trials.iter().map(|trial| trial.number).collect();
    assert_eq!(numbers, (0..trials.len() as u64).collect::<Vec<_>>());
    let complete = trials.iter().filter(|trial| trial.state == TrialState::Complete).count();
    let reasons = reasons(&trials);
    assert_eq!((complete, reasons.len()), (4, 1), "{trials:?}");
    assert!(reasons[0].contains("its worker ended with signal: 9"), "{reasons:?}");
    let lost = trials.iter().find(|trial| trial.state == TrialState::Fail).unwrap();
    let again = trials.iter().find(|trial| trial.system_attributes.contains_key("failed_trial")).unwrap();
    assert_eq!(lost.params, again.params, "what was tried is not tried again");
}

#[test]
fn a_killed_search_goes_on() {
    let search = Search::new();
    let mut running = search.start(&LONG);
    search.wait_for(&mut running, |trials| trials.iter().any(|trial| worker(trial).is_some()));
    running.kill().unwrap();
    running.wait().unwrap();
    search.run(&[&LONG[..], &["--trials", "2"]].concat()).ended_with(DONE);
    let trials = search.trials();
    assert!(reasons(&trials).iter().all(|reason| reason.contains("is no more")), "{trials:?}");
    assert_eq!(trials.iter().filter(|trial| trial.state == TrialState::Complete).count(), 2);
}

#[test]
fn a_signal_ends_a_search_and_queues_its_trial_again() {
    for jobs in ["1", "2"] {
        let search = Search::new();
        let more = [&LONG[..], &["--jobs", jobs]].concat();
        let mut running = search.start(&more);
        search.wait_for(&mut running, |trials| trials.iter().any(|trial| worker(trial).is_some()));
        send("TERM", running.id());
        said_by(running).ended_with(INTERRUPTED).complaining("the same command goes on");
        let trials = search.trials();
        assert!(trials.iter().all(|trial| trial.state != TrialState::Running), "{trials:?}");
        assert!(trials.iter().any(|trial| trial.state == TrialState::Waiting), "{trials:?}");
        assert!(reasons(&trials).iter().all(|reason| reason.contains("interrupted")), "{trials:?}");
    }
}

#[test]
fn a_worker_that_is_terminated_finishes_its_trial() {
    let search = Search::new();
    search.run(&["--trials", "1"]).ended_with(DONE);
    let arguments = ["hpo", "worker", "--storage", &search.url, "--set", "threads=1"];
    let mut command = tapeline(search.run.folder(), arguments);
    let mut running =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The study was begun with one trial; it has none left.
    assert_eq!(running.wait().unwrap().code(), Some(DONE));

    let search = Search::new();
    let mut first = search.start(&[&LONG[..], &["--trials", "50"]].concat());
    search.wait_for(&mut first, |trials| trials.iter().any(|trial| worker(trial).is_some()));
    let mut command = tapeline(search.run.folder(), ["hpo", "worker", "--storage", &search.url]);
    let mut helper =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let process = helper.id();
    let is_helped = |trials: &[Arc<FrozenTrial>]| trials.iter().any(|it| is_on(it, process));
    search.wait_for(&mut helper, is_helped);
    send("TERM", process);
    said_by(helper).ended_with(INTERRUPTED);
    let own = search
        .trials()
        .into_iter()
        .filter(|it| text(it, "worker").unwrap_or_default().contains(&format!(":{process}#")));
    let states: Vec<TrialState> = own.map(|trial| trial.state).collect();
    assert_eq!(states, [TrialState::Complete]);
    send("TERM", first.id());
    said_by(first).ended_with(INTERRUPTED);
}

#[test]
fn several_objectives_have_a_front() {
    let search = Search::new();
    let objectives =
        "hpo.objectives=[{metric: validation/loss}, {metric: model/parameters}, {metric: training/seconds}]";
    search.run(&["--set", objectives]).ended_with(DONE).complaining("no trial is given up early");
    let front = search.json("pareto", &[]);
    let front = front.as_array().unwrap();
    assert!(!front.is_empty());
    for trial in front {
        assert_eq!(trial["values"]["model/parameters"], trial["parameters"]);
        assert!(trial["values"]["training/seconds"].as_f64().unwrap() > 0.0);
    }
    search.say("best", &[]).ended_with(BAD_INPUT).complaining("tapeline hpo pareto");
    search.say("pareto", &[]).ended_with(DONE).printing("parameters");
    let report = fs::read_to_string(search.study().join("report.html")).unwrap();
    assert!(report.contains("are on the front"));
}

#[test]
fn trials_that_are_given_up_or_fail_say_so() {
    let search = Search::new();
    let loss = "hpo.objectives=[{metric: validation/loss}]";
    search
        .run(&["--set", loss, "--set", "hpo.pruner={kind: threshold, upper: 0}"])
        .ended_with(FAILED)
        .complaining("pruned after epoch 1")
        .complaining("none of 4 trials was trained to its end");
    assert!(
        search.trials().iter().all(|trial| trial.state == TrialState::Pruned && trial.last_step() == Some(1))
    );

    let search = Search::new();
    let space =
        "hpo.search_space={training.optimizer.learning_rate: {kind: categorical, choices: [1e28, 1e30]}}";
    search.run(&["--set", space, "--trials", "3"]).ended_with(FAILED).complaining("none of 3 trials");
    let reasons = reasons(&search.trials());
    assert!(
        !reasons.is_empty() && reasons.iter().all(|reason| reason.contains("learning_rate")),
        "{reasons:?}"
    );
    search.say("status", &[]).ended_with(DONE).printing("failed: ");
}

#[test]
fn a_trial_can_be_scored_on_folds() {
    let search = Search::new();
    let on_folds = ["--set", "hpo.scored_on=folds", "--set", "walk_forward={kind: anchored, folds: 3}"];
    let run = |more: &[&str]| search.run(&[&on_folds[..], more].concat());
    search.run.train(&[]).ended_with(DONE);
    let (test_from, ..) = instants(&search.run.run());
    run(&["--trials", "2"]).ended_with(DONE).printing("2 of 2 trials done");
    let trials = search.trials();
    for trial in &trials {
        let folder = PathBuf::from(text(trial, "run").unwrap());
        let score = |fold| {
            let fold = folder.join(format!("fold-0{fold}"));
            let (.., test_until) = instants(&fold);
            assert!(test_until <= test_from, "a fold reaches into the test span");
            score_in_the_journal(trial, &fold)
        };
        let scores = [1, 2, 3].map(score);
        let told: Vec<f64> =
            serde_json::from_str(trial.user_attributes.get("folds").unwrap().as_str()).unwrap();
        assert_eq!(told, scores);
        let mean = |count: usize| scores[..count].iter().sum::<f64>() / count as f64;
        assert_eq!(trial.values, Some(vec![mean(3)]));
        let reports: Vec<(i64, f64)> =
            trial.intermediate.iter().map(|(step, value)| (*step, *value)).collect();
        assert_eq!(reports, [(1, mean(1)), (2, mean(2)), (3, mean(3))]);
    }
    assert!(!search.run.folder().join("runs/test-openings.jsonl").exists(), "a search opened the test span");
    assert_eq!(search.json("best", &[])["deflated"]["trials"], 2);

    run(&["--study", "pruned", "--trials", "2", "--set", "hpo.pruner={kind: threshold, lower: 2}"])
        .ended_with(FAILED)
        .complaining("pruned after fold 1");
    run(&["--set", "walk_forward.holdout=open"]).ended_with(BAD_INPUT).complaining("hpo.scored_on");
    run(&["--set", "hpo.search_space.walk_forward.folds={kind: int, low: 2, high: 3}"])
        .ended_with(BAD_INPUT)
        .complaining("only keys of data");
}

/// Where the test block of a run begins and ends; in RFC 3339, in order of time.
fn instants(run: &Path) -> (String, String) {
    let lineage: Value = serde_json::from_slice(&fs::read(run.join("lineage.json")).unwrap()).unwrap();
    let split = &lineage["lineage"]["split"];
    let text = |key: &str| split[key].to_string();
    (text("test_from"), text("test_until"))
}

#[test]
fn trials_on_other_samples_do_not_share_them() {
    let search = Search::new();
    let space = "hpo.search_space={data.sequence_length: {kind: categorical, choices: [8, 6]}, \
                 training.optimizer.kind: {kind: categorical, choices: [adamw, sgd]}, \
                 training.optimizer.momentum: {kind: float, low: 0.5, high: 0.9, when: {training.optimizer.kind: [sgd]}}}";
    search.run(&["--set", space, "--trials", "6"]).ended_with(DONE);
    let trials = search.trials();
    assert_eq!(reasons(&trials), [""; 0]);
    let mut seen = BTreeSet::new();
    for trial in &trials {
        let run = PathBuf::from(text(trial, "run").unwrap());
        let lineage: Value = serde_json::from_slice(&fs::read(run.join("lineage.json")).unwrap()).unwrap();
        let length = &trial.params["data.sequence_length"];
        let length = length.distribution.external(length.value).unwrap().number().unwrap();
        assert_eq!(lineage["lineage"]["network"]["inputs"][0]["length"].as_f64(), Some(length));
        assert_eq!(lineage["parent"]["kind"], "study");
        let is_sgd = lineage["lineage"]["training"]["optimizer"]["kind"] == "sgd";
        assert_eq!(trial.params.contains_key("training.optimizer.momentum"), is_sgd);
        seen.insert((length as u64, is_sgd));
    }
    assert!(seen.len() > 1, "{seen:?}");
}

#[test]
fn mistakes_are_told_before_the_first_trial() {
    let search = Search::new();
    for (set, words) in [
        ("hpo.search_space.training.learning_rate={kind: float, low: 0.1, high: 1}", "did you mean"),
        ("hpo.search_space.training.batch_size={kind: int, low: 0, high: 8}", "with training.batch_size = 0"),
        ("hpo.objectives=[{metric: validation/los}]", "validation/loss"),
        ("hpo.storage=mysql://host/studies", "is no storage"),
    ] {
        search.run(&["--set", set]).ended_with(BAD_INPUT).complaining(words);
    }
    search.run(&["--jobs", "0"]).ended_with(BAD_INPUT).complaining("--jobs");
    search.say("status", &[]).ended_with(BAD_INPUT);
    search.run.say(["hpo", "run", "--config", "small.yaml", "--set", "hpo=null"]).ended_with(BAD_INPUT);
    assert!(!search.run.folder().join("runs").exists(), "a run was made");
    search.run(&["--trials", "1"]).ended_with(DONE);
    let url = search.url.clone();
    search
        .run
        .say(["hpo", "worker", "--storage", &url, "--set", "training.batch_size=8"])
        .ended_with(BAD_INPUT)
        .complaining("where things are");
    search
        .run
        .say(["hpo", "status", "--storage", &url, "--study", "smal"])
        .ended_with(BAD_INPUT)
        .complaining("there is no study named \"smal\"");
    search.run.say(["hpo", "status", "--storage", &url]).ended_with(DONE).printing("1 of 1");
}
