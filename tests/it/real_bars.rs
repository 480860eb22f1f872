//! Real bars, where there are some: `TAPELINE_BARS` names a folder that holds `crypto-5m/{BTCUSDT,ETHUSDT}.parquet`.

use std::path::PathBuf;

use crate::program::{DONE, Said, tapeline};

const CONFIG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../configs/hybrid.yaml");

#[test]
fn the_hybrid_trains_on_real_bars() {
    let Some(bars) = std::env::var_os("TAPELINE_BARS") else {
        println!("skipped: TAPELINE_BARS is not set");
        return;
    };
    let bars = std::path::absolute(PathBuf::from(bars).join("crypto-5m")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = format!("data.source.path={}", bars.display());
    let mut arguments = vec!["train", "--config", CONFIG];
    // The network of the file, at a few decisions.
    let few = ["data.stride=200", "training.num_epochs=1", "training.scheduler.warmup_epochs=0"];
    let few = few.into_iter().chain(["threads=1", "output=runs"]);
    arguments.extend([path.as_str()].into_iter().chain(few).flat_map(|set| ["--set", set]));
    let said = Said::by(tapeline(folder.path(), arguments)).ended_with(DONE);
    for words in ["price_prediction", "volatility_estimation", "regime_detection", "h12"] {
        assert!(said.stdout.contains(words), "{said}");
    }
}
