//! Real bars, where there are some: `TAPELINE_BARS` names a folder that holds `crypto-5m/{BTCUSDT,ETHUSDT}.parquet`, and for
//! the other configurations `crypto-5m`, `equities-daily` and `fx-1h` with the symbols of each.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::program::{DONE, Said, tapeline};

const CONFIGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../configs");

/// Trains `configs/NAME.yaml` on the bars of `group`, changed by `few` so that it takes seconds. `None`, and a word about
/// it, where there are no bars.
#[expect(clippy::print_stdout, reason = "whoever runs the tests should know what was not tested")]
fn train(folder: &Path, name: &str, group: &str, few: &[&str]) -> Option<Said> {
    let Some(bars) = std::env::var_os("TAPELINE_BARS") else {
        println!("skipped: TAPELINE_BARS is not set");
        return None;
    };
    let bars = std::path::absolute(PathBuf::from(bars).join(group)).unwrap();
    let config = format!("{CONFIGS}/{name}.yaml");
    let path = format!("data.source.path={}", bars.display());
    let quick = ["training.num_epochs=1", "training.scheduler.warmup_epochs=0", "threads=1", "output=runs"];
    let sets = [path.as_str()].into_iter().chain(quick).chain(few.iter().copied());
    let arguments = ["train", "--config", &config].into_iter().chain(sets.flat_map(|set| ["--set", set]));
    Some(Said::by(tapeline(folder, arguments)).ended_with(DONE))
}

#[test]
fn the_hybrid_trains_on_real_bars() {
    let folder = tempfile::tempdir().unwrap();
    // The network of the file, at a few decisions.
    let Some(said) = train(folder.path(), "hybrid", "crypto-5m", &["data.stride=200"]) else { return };
    for words in ["price_prediction", "volatility_estimation", "regime_detection", "h12"] {
        assert!(said.stdout.contains(words), "{said}");
    }
}

#[test]
fn every_configuration_of_real_bars_has_the_scores_that_it_is_for() {
    let stocks = "data.source.symbols=[A, AAL, AAPL, ABBV, ABT, ACN, ADI, ADM, ADS, ADSK, AEP, AES]";
    for (name, few, scores) in [
        ("crypto-5m", &["data.stride=300"][..], ["price_prediction/h1/rank_ic_cross", "loss"]),
        (
            "equities-daily",
            &["data.stride=3", stocks],
            ["price_prediction/h5/rank_ic_cross", "price_prediction/h20/rank_ic_cross"],
        ),
        (
            "fx-1h",
            &["data.stride=20"],
            ["price_prediction/h12/rank_ic_series", "volatility_estimation/h12/r2_log"],
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        if train(folder.path(), name, name, few).is_none() {
            return;
        }
        let run = std::fs::read_dir(folder.path().join("runs").join(name)).unwrap().next().unwrap().unwrap();
        let json = std::fs::read(run.path().join("scores-validation.json")).unwrap();
        let card: Value = serde_json::from_slice(&json).unwrap();
        for score in scores {
            let score = format!("validation/{score}");
            assert!(card["metrics"][&score].is_number(), "{name} has no {score}");
        }
        let targets = std::fs::read_to_string(run.path().join("targets.json")).unwrap();
        assert!(!targets.contains("undefined"), "{name}: {targets}");
    }
}
