use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;

mod golden;

/// The repository's root.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn file(path: impl Into<PathBuf>) -> Sources {
    Sources { file: Some(path.into()), ..Sources::default() }
}

/// Loads `text` as a file.
fn load_text(text: impl AsRef<[u8]>) -> Result<Resolved, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.yaml");
    fs::write(&path, text).unwrap();
    load(&file(path))
}

fn load_set(set: &[&str]) -> RunConfig {
    let set = set.iter().map(ToString::to_string).collect();
    load(&Sources { set, ..file(root().join("configs/hybrid.yaml")) }).unwrap().config
}

fn with_environment(variables: &[(&str, &str)]) -> Result<RunConfig, ConfigError> {
    let environment = variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
    load(&Sources { environment, ..Sources::default() }).map(|resolved| resolved.config)
}

/// The YAML files in `configs/`, its folders too.
fn configurations() -> Vec<PathBuf> {
    let mut folders = vec![root().join("configs")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                files.push(path);
            }
        }
    }
    assert!(files.len() >= 8, "only {files:?} in configs/");
    files
}

#[test]
fn every_configuration_of_the_repository_loads_and_survives_a_round_trip() {
    for path in configurations() {
        let resolved = load(&file(&path)).unwrap_or_else(|error| panic!("{error}"));
        for text in [resolved_yaml(&resolved.config), resolved.annotated_yaml()] {
            assert_eq!(load_text(text).unwrap().config, resolved.config, "{}", path.display());
        }
    }
}

#[test]
fn nothing_in_configs_points_outside_the_project() {
    for name in configurations() {
        let config = load(&file(&name)).unwrap().config;
        for path in config.data.source.path.iter().chain([&config.output]) {
            let outside = !path.is_relative() || path.starts_with("..");
            assert!(!outside, "{}: {}", name.display(), path.display());
        }
    }
}

#[test]
fn the_null_market_is_the_quickstart_with_nothing_planted() {
    let mut quickstart = load(&file(root().join("configs/quickstart.yaml"))).unwrap().config;
    quickstart.experiment = "null-market".into();
    quickstart.data.source.synthetic.as_mut().unwrap().best_ic = 0.0;
    assert_eq!(load(&file(root().join("configs/null-market.yaml"))).unwrap().config, quickstart);
}

#[test]
fn without_a_file_the_quickstart_is_used() {
    let named = load(&file(root().join("configs/quickstart.yaml"))).unwrap().config;
    assert_eq!(load(&Sources::default()).unwrap().config, named);
}

#[test]
fn an_empty_file_means_the_defaults() {
    for text in ["", "\n\n", "# nothing yet\n", "---\n", "\u{feff}", "{}", "data: {}\ntraining: {}\n"] {
        assert_eq!(load_text(text).unwrap().config, RunConfig::default(), "{text:?}");
    }
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    assert_eq!(load_text("\u{feff}seed: 7\n").unwrap().config.seed, 7);
}

#[test]
fn words_and_tickers_stay_as_they_are_written() {
    let config = load_text(
        "experiment: no\ndata:\n  source:\n    path: 2024\n    stamp: open\n    \
         symbols: [0700, 600519, TRUE, 1e5, null_token, on, \"null\", 1.10]\n",
    )
    .unwrap()
    .config;
    assert_eq!(config.experiment, "no");
    assert_eq!(config.data.source.path.as_deref(), Some(Path::new("2024")));
    let expected = ["0700", "600519", "TRUE", "1e5", "null_token", "on", "null", "1.10"]
        .map(tapeline_data_pipeline::Symbol::new);
    assert_eq!(config.data.source.symbols, tapeline_data_pipeline::SymbolsSpec::Only(expected.into()));
}

#[test]
fn numbers_are_read_as_the_key_wants_them() {
    let config = load_text(
        "seed: 18446744073709551615\ntraining:\n  optimizer: {learning_rate: 1e-3}\n  gradient_clip: {norm: 2}\n",
    );
    let config = config.unwrap().config;
    assert_eq!(
        (config.seed, config.training.optimizer.learning_rate(), config.training.gradient_clip.norm),
        (u64::MAX, 1e-3, 2.0)
    );
}

#[test]
fn a_tasks_section_holds_what_it_lists_and_no_others() {
    let tasks = load_text("tasks:\n  price_prediction: {}\n").unwrap().config.tasks;
    assert!(
        tasks.price_prediction.is_some()
            && tasks.volatility_estimation.is_none()
            && tasks.regime_detection.is_none()
    );
}

#[test]
fn a_flag_on_a_default_task_keeps_the_other_tasks() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.yaml");
    fs::write(&path, "seed: 1\n").unwrap();
    let load = |set: &str| load(&Sources { set: vec![set.into()], ..file(&path) }).unwrap().config.tasks;
    let mut expected = RunConfig::default().tasks;
    expected.price_prediction.as_mut().unwrap().weight = 2.0;
    assert_eq!(load("tasks.price_prediction.weight=2"), expected);

    let dropped = load("tasks.regime_detection=null");
    assert!(dropped.regime_detection.is_none() && dropped.price_prediction.is_some());

    let only = load("tasks={regime_detection: {}}");
    assert!(only.regime_detection.is_some() && only.price_prediction.is_none());
}

#[test]
fn a_flag_replaces_the_section_it_names_and_leaves_the_rest() {
    let config =
        load_set(&["data.source={synthetic: {days: 3}}", "training.num_epochs=3", "training.num_epochs=4"]);
    assert_eq!(config.data.source.path, None);
    assert_eq!(config.data.source.synthetic.unwrap().days, 3);
    assert_eq!(config.training.num_epochs, 4);
    assert_eq!(config.experiment, "hybrid-crypto-5m");
}

#[test]
fn the_environment_is_over_the_file_and_under_the_flags() {
    let environment = [
        ("TAPELINE_SEED", "5"),
        ("tapeline_training__batch_size", "7"),
        ("TAPELINE_BARS", "x"),
        ("SEED", "9"),
    ];
    let environment = environment.map(|(name, value)| (name.into(), value.into())).to_vec();
    let set = vec!["seed=6".into()];
    let config =
        load(&Sources { environment, set, ..file(root().join("configs/hybrid.yaml")) }).unwrap().config;
    assert_eq!((config.seed, config.training.batch_size), (6, 7));
}

#[test]
fn a_section_of_the_environment_comes_before_its_keys() {
    let config = with_environment(&[
        ("TAPELINE_DATA__SPLIT__TEST", "0.2"),
        ("TAPELINE_DATA__SPLIT", "{train: 0.6, validation: 0.2}"),
    ]);
    let split = config.unwrap().data.split;
    assert_eq!((split.train, split.validation, split.test), (0.6, 0.2, 0.2));
}

#[test]
fn a_tilde_is_the_home_folder() {
    let environment = vec![("HOME".into(), "/home/someone".into())];
    let set = vec!["data.source={path: ~/bars, stamp: open}".into(), "output=~".into()];
    let error = load(&Sources { environment: environment.clone(), set: set.clone(), ..Sources::default() })
        .unwrap_err()
        .to_string();
    assert!(error.contains("--set output=~: output: expected text, found `~`"), "{error}");
    let set = vec![set[0].clone(), "output='~'".into()];
    let config = load(&Sources { environment, set: set.clone(), ..Sources::default() }).unwrap().config;
    assert_eq!(config.data.source.path.as_deref(), Some(Path::new("/home/someone/bars")));
    assert_eq!(config.output, Path::new("/home/someone"));
    let error = load(&Sources { set, ..Sources::default() }).unwrap_err().to_string();
    assert!(error.contains("HOME, which is not set"), "{error}");
}

#[test]
fn a_missing_file_is_met_with_its_neighbours() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("hybrid.yaml"), "").unwrap();
    let message = |name: &str| load(&file(folder.path().join(name))).unwrap_err().to_string();
    assert!(
        message("hybird.yaml").contains("did you mean") && message("hybird.yaml").contains("hybrid.yaml?")
    );
    assert!(message("other.yml").ends_with("there are: hybrid.yaml"), "{}", message("other.yml"));
    assert!(message("").contains("this is a folder, not a file"), "{}", message(""));
    assert!(message("no/such/folder.yaml").contains("there is no such file"));
}

#[test]
fn every_value_is_shown_with_its_source() {
    let environment = vec![("TAPELINE_SEED".into(), "5".into())];
    let set = vec!["training.num_epochs=3".into(), "data.max_age={1h: 2h}".into()];
    let path = root().join("configs/hybrid.yaml");
    let name = path.display().to_string();
    let shown = load(&Sources { environment, set, ..file(path) }).unwrap().annotated_yaml();
    let source = |key: &str| {
        let line = shown.lines().find(|line| line.trim_start().starts_with(key)).unwrap();
        line.split_once("# ").map(|(_, source)| source.to_owned())
    };
    assert_eq!(source("seed:").unwrap(), "environment TAPELINE_SEED");
    assert_eq!(source("experiment:").unwrap(), format!("{name}:4"));
    assert_eq!(source("num_epochs:").unwrap(), "--set");
    assert_eq!(source("1h:").unwrap(), "--set");
    assert_eq!(source("data:"), None);
    let shown = load(&Sources::default()).unwrap().annotated_yaml();
    assert!(
        shown.lines().any(|line| line.starts_with("output: runs ") && line.ends_with(" # default")),
        "{shown}"
    );
}

#[test]
fn the_schema_describes_every_key() {
    fn check(node: &Json, path: &str) {
        for (key, value) in node.get("properties").and_then(Json::as_object).into_iter().flatten() {
            let tag = value.get("const").is_some();
            let nested = value.get("properties").is_some();
            assert!(tag || nested || value.get("description").is_some(), "{path}.{key} has no description");
        }
        match node {
            Json::Object(entries) => {
                entries.iter().for_each(|(key, value)| check(value, &format!("{path}.{key}")));
            }
            Json::Array(items) => items.iter().for_each(|value| check(value, path)),
            _ => {}
        }
    }
    let schema = json_schema();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    check(&schema, "");
}

proptest! {
    #[test]
    fn any_text_survives_being_shown(column in ".*", path in "[^~\0][^\0]*") {
        let mut config = RunConfig::default();
        config.data.source.columns.open = column;
        config.output = path.into();
        let read = load_text(resolved_yaml(&config));
        let read = read.map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(read.config, config);
    }

    #[test]
    fn any_number_survives_being_shown(
        float in proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL | proptest::num::f64::ZERO,
        count: u64,
    ) {
        let shown = show::yaml(&serde_json::json!({ "float": float, "count": count }));
        let written = |key: &str| shown.lines().find_map(|line| line.strip_prefix(key)).map(scalar::resolve);
        prop_assert_eq!(written("float: "), Some(scalar::Plain::Float(float)));
        prop_assert_eq!(written("count: "), Some(scalar::Plain::Integer(count.into())));
    }

    #[test]
    fn no_input_is_met_with_a_panic(text in "([ -]|[a-z]{1,3}|[0-9]|[:,{}\\[\\]#&*!|>'\"%@`~\\-?.\n\t]|data: |training:\n|tasks: |\0|\\PC)*") {
        if let Err(error) = load_text(&text) {
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn no_bytes_are_met_with_a_panic(bytes: Vec<u8>) {
        let _ = load_text(bytes).map_err(|error| error.to_string());
    }

    #[test]
    fn no_flag_is_met_with_a_panic(flag in "[a-z._=\\[\\]0-9 ]*=?\\PC*") {
        let _ = load(&Sources { set: vec![flag], ..Sources::default() }).map_err(|error| error.to_string());
    }
}

#[test]
fn targets_come_from_file_flags_and_variables() {
    let metric = "validation/price_prediction/h12/rank_ic_series";
    let of = |config: &RunConfig| {
        let bounds = config.targets.0[metric];
        (bounds.min, bounds.max)
    };
    let file = load_text(format!(
        "tasks: {{price_prediction: {{horizons: [12]}}}}\ntargets: {{{metric}: {{min: 0.02}}}}"
    ));
    assert_eq!(of(&file.unwrap().config), (Some(0.02), None));
    let flags = load_set(&[&format!("targets.{metric}.min=0.02"), &format!("targets.{metric}.max=1")]);
    assert_eq!(of(&flags), (Some(0.02), Some(1.0)));
    let whole = load_set(&[&format!("targets={{{metric}: {{max: 2e-2}}}}")]);
    assert_eq!(of(&whole), (None, Some(0.02)));

    let metric = "validation/loss";
    let of = |config: &RunConfig| config.targets.0[metric].max;
    let variables = [
        ("TAPELINE_TARGETS", "{validation/loss: {max: 0.9}}"),
        ("TAPELINE_TARGETS__VALIDATION/LOSS__MAX", "0.9"),
    ];
    for variable in variables {
        assert_eq!(of(&with_environment(&[variable]).unwrap()), Some(0.9), "{variable:?}");
    }
}

#[test]
fn a_curriculum_is_a_kind_with_its_pace() {
    use tapeline_trainer::{CurriculumSpec, LabelMagnitudeSpec, PaceSpec, Pacing};
    assert_eq!(load_set(&[]).training.curriculum, None);
    let set = ["training.curriculum={kind: volatility, start: 0.5}", "training.curriculum.pacing=root"];
    let pace = PaceSpec { start: 0.5, pacing: Pacing::Root, ..PaceSpec::default() };
    assert_eq!(load_set(&set).training.curriculum, Some(CurriculumSpec::Volatility(pace)));
    let set = ["training.curriculum={kind: label_magnitude, horizon: 12, epochs: 5}"];
    let spec = LabelMagnitudeSpec { horizon: Some(12), epochs: 5, ..LabelMagnitudeSpec::default() };
    let curriculum = Some(CurriculumSpec::LabelMagnitude(spec));
    assert_eq!(load_set(&set).training.curriculum, curriculum);
    let resolved = resolved_yaml(&load_set(&set));
    assert_eq!(load_text(&resolved).unwrap().config.training.curriculum, curriculum, "{resolved}");
}

#[test]
fn the_password_of_a_storage_is_opened_with_and_never_shown() {
    let url = "postgresql+psycopg2://me:open-sesame@host/studies?sslmode=require";
    let set = format!(
        "hpo={{storage: '{url}', search_space: {{training.batch_size: {{kind: int, low: 8, high: 9}}}}}}"
    );
    let sources = Sources { set: vec![set], ..file(root().join("configs/hybrid.yaml")) };
    let resolved = load(&sources).unwrap();
    let storage = resolved.config.hpo.as_ref().and_then(|hpo| hpo.storage.as_ref()).unwrap();
    assert_eq!(storage.secret(), url);
    let shown = [
        resolved_yaml(&resolved.config),
        resolved.annotated_yaml(),
        serde_json::to_string(&resolved.config).unwrap(),
        format!("{:?}", resolved.config),
    ];
    for text in shown {
        assert!(text.contains("me:***@host/studies") && !text.contains("sesame"), "{text}");
    }
}

#[test]
fn a_mistaken_storage_is_refused_without_its_password() {
    let set = "hpo.storage=mysql://me:open-sesame@host/studies";
    let by_flag = load(&Sources { set: vec![set.into()], ..file(root().join("configs/hpo/hybrid.yaml")) });
    let by_file = load_text("hpo: {storage: 'mysql://me:open-sesame@host/studies', search_space: {}}");
    for error in [by_flag.unwrap_err().to_string(), by_file.unwrap_err().to_string()] {
        assert!(error.contains("me:***@host/studies") && !error.contains("sesame"), "{error}");
    }
}

/// `cargo run` hands on to the program what its build script sets.
#[test]
fn nothing_that_the_build_sets_is_taken_for_a_key() {
    let script = include_str!("../../build.rs");
    let set: Vec<&str> =
        script.split("rustc-env=").skip(1).filter_map(|rest| rest.split('=').next()).collect();
    assert!(!set.is_empty(), "{script}");
    for name in set {
        with_environment(&[(name, "unknown")]).unwrap();
    }
}
