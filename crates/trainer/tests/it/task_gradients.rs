//! Lengths and angles of the tasks' gradients, at each epoch's end.

use tapeline_trainer::Start;

use crate::small_run::{Heard, SmallRun};

#[test]
fn each_task_has_a_length_and_each_pair_an_angle_and_the_run_is_the_same() {
    tch::set_num_threads(1);
    let history = |task_gradients: bool| {
        let mut run = SmallRun::new();
        run.training.task_gradients = task_gradients;
        let folder = tempfile::tempdir().unwrap();
        let (ending, _) = run.fit(folder.path(), Start::Fresh, &|| false, &mut Heard::default()).unwrap();
        ending.state.history
    };
    let (with, without) = (history(true), history(false));
    for (with, without) in with.iter().zip(&without) {
        let mut rest = with.metrics.clone();
        let mut take = |name: &str| rest.remove(name).unwrap().unwrap();
        let tasks = ["price_prediction", "volatility_estimation", "regime_detection"];
        for (number, task) in tasks.iter().enumerate() {
            assert!(take(&format!("train/{task}/gradient_norm")) > 0.0);
            for other in &tasks[..number] {
                let cosine = take(&format!("train/gradient_cosine/{other}/{task}"));
                assert!((-1.0..=1.0).contains(&cosine), "{cosine}");
            }
        }
        assert_eq!(&rest, &without.metrics, "looking changed the run");
    }
    assert_ne!(
        with[0].metrics["train/price_prediction/gradient_norm"],
        with[1].metrics["train/price_prediction/gradient_norm"]
    );
}
