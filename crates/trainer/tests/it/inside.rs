//! What a run tells of its inside, and that it is the same run whether it tells or not.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tapeline_events::{Event, Histogram};
use tapeline_trainer::Start;

use crate::small_run::{Heard, SmallRun};

/// A millisecond more whenever it is looked at.
fn ticking() -> Duration {
    static LOOKS: AtomicU64 = AtomicU64::new(0);
    Duration::from_millis(LOOKS.fetch_add(1, Ordering::Relaxed))
}

fn weights_after(run: &SmallRun, heard: &mut Heard) -> Vec<(String, Vec<f32>)> {
    let folder = tempfile::tempdir().unwrap();
    let (_, network) = run.fit(folder.path(), Start::Fresh, &|| false, heard).unwrap();
    let value = |(name, tensor): (&str, &tch::Tensor)| {
        (name.to_owned(), Vec::<f32>::try_from(&tensor.detach().reshape([-1])).unwrap())
    };
    network.parameters().iter().map(value).collect()
}

#[test]
fn a_run_tells_of_its_inside_and_is_the_same_run() {
    for threads in [1, 2] {
        let plain = SmallRun { threads, ..SmallRun::new() };
        let mut silent = Heard::default();
        let weights = weights_after(&plain, &mut silent);
        assert!(!silent.0.iter().any(|it| matches!(it, Event::StepTimes { .. } | Event::Histograms { .. })));

        let seen = SmallRun { clock: ticking, histograms: true, ..plain };
        let mut heard = Heard::default();
        assert_eq!(weights_after(&seen, &mut heard), weights);
        let per_epoch = heard.0.iter().find_map(|it| match it {
            Event::EpochEnded { step, .. } => Some(*step),
            _ => None,
        });
        let times: Vec<_> = heard
            .0
            .iter()
            .filter_map(|it| match it {
                Event::StepTimes { times, .. } => Some(*times),
                _ => None,
            })
            .collect();
        assert_eq!(times.len(), 2, "one an epoch");
        for times in times {
            assert_eq!(Some(times.steps), per_epoch);
            let stages = times.stages();
            assert!(stages.iter().all(|(_, seconds)| *seconds > 0.0), "{times:?}");
            assert!((0.0..1.0).contains(&times.stall_share()), "{times:?}");
        }

        let last = heard.0.iter().rev().find_map(|it| match it {
            Event::Histograms { weights, gradients, .. } => Some((weights, gradients)),
            _ => None,
        });
        let (told, gradients) = last.unwrap();
        let expected: Vec<(String, Histogram)> =
            weights.into_iter().map(|(name, values)| (name, Histogram::of(&values))).collect();
        assert_eq!(told.clone().into_iter().collect::<Vec<_>>(), {
            let mut expected = expected;
            expected.sort_by(|one, other| one.0.cmp(&other.0));
            expected
        });
        assert!(gradients.keys().eq(told.keys()), "each tensor has its gradient");
        assert!(gradients.values().any(|gradient| gradient.low < gradient.high));
    }
}

#[test]
fn gradients_are_told_as_they_are_before_clipping() {
    let told = |norm: f64| {
        let mut run = SmallRun { histograms: true, ..SmallRun::new() };
        run.training.num_epochs = 1;
        run.training.gradient_clip.norm = norm;
        let mut heard = Heard::default();
        weights_after(&run, &mut heard);
        let squares = heard.0.iter().find_map(|it| match it {
            Event::Histograms { gradients, .. } => {
                Some(gradients.values().map(|gradient| gradient.sum_of_squares).sum::<f64>())
            }
            _ => None,
        });
        let norm = heard.0.iter().rev().find_map(|it| match it {
            Event::Step { gradient_norm, .. } => Some(*gradient_norm),
            _ => None,
        });
        (squares.unwrap().sqrt(), norm.unwrap())
    };
    for clip in [1e-3, 1e9] {
        let (length, norm) = told(clip);
        assert!(
            (length - norm).abs() <= 1e-5 * norm,
            "clipped to {clip}: {length} is told, and a norm of {norm}"
        );
    }
}
