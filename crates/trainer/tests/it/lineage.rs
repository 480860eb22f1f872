//! What makes two runs different runs.

use tapeline_trainer::Lineage;

use crate::small_run::SmallRun;

fn differences(change: impl FnOnce(&mut Lineage)) -> Vec<String> {
    let run = SmallRun::new();
    let mut other = run.lineage();
    change(&mut other);
    other.differences(&run.lineage())
}

#[test]
fn each_difference_is_named_with_both_sides() {
    assert!(differences(|_| ()).is_empty());
    assert_eq!(differences(|lineage| lineage.seed = 12), ["seed: 11 → 12"]);
    assert_eq!(differences(|lineage| lineage.device = "cuda:0".into()), [r#"device: "cpu" → "cuda:0""#]);
    let both = differences(|lineage| {
        lineage.threads = 2;
        lineage.training.batch_size = 7;
    });
    assert_eq!(both, ["threads: 1 → 2", "training.batch_size: 48 → 7"]);
    let labels = differences(|lineage| lineage.labels.truncate(1));
    assert!(labels.len() == 1 && labels[0].starts_with("labels: "), "{labels:?}");
}

#[test]
fn how_often_is_saved_makes_no_other_run_but_what_best_means_does() {
    let saving = differences(|lineage| {
        lineage.training.checkpointing.every_n_steps = None;
        lineage.training.checkpointing.every_n_minutes = Some(0.5);
        lineage.training.checkpointing.keep_last = 9;
    });
    assert!(saving.is_empty(), "{saving:?}");
    let best = differences(|lineage| lineage.training.checkpointing.metric = "validation/x/loss".into());
    assert_eq!(best, [r#"training.checkpointing.metric: "validation/loss" → "validation/x/loss""#]);
}

#[test]
fn other_features_make_another_run_but_another_place_of_the_bars_does_not() {
    assert!(differences(|lineage| lineage.pipeline.source.path = Some("elsewhere".into())).is_empty());
    assert_eq!(
        differences(|lineage| lineage.pipeline.scaling.clip = 3.0),
        ["pipeline.scaling.clip: 5.0 → 3.0"]
    );
    let swapped = differences(|lineage| lineage.pipeline.features.reverse());
    assert!(swapped.len() == 1 && swapped[0].starts_with("pipeline.features: "), "{swapped:?}");
}

#[test]
fn a_run_on_a_gpu_is_deterministic_where_that_was_asked_for() {
    let mut lineage = SmallRun::new().lineage();
    assert!(lineage.is_deterministic());
    lineage.device = "cuda:0".into();
    assert!(!lineage.is_deterministic());
    lineage.training.deterministic = true;
    assert!(lineage.is_deterministic());
}
