//! Features as points, for whoever looks for groups among them.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;
use tapeline_artefact::{Predictions, replace_file};
use tapeline_data_pipeline::{Dataset, FittedLabel, Regime, Split};
use tapeline_trainer::{Tasks, spread};

use super::EMBEDDING;

/// Points at most; projectors are slow with more.
const MOST: usize = 2000;

/// Writes `embedding/vectors.tsv` and `embedding/metadata.tsv` into `run`: features of the validation span, at most 2,000 decisions spread
/// over it, and of each its symbol, its time and the regimes that came.
pub(crate) fn write(run: &Path, data: &Dataset, tasks: &Tasks, said: &Predictions) -> anyhow::Result<()> {
    let samples = data.samples(Split::Validation);
    let regimes: Vec<(String, usize)> = tasks
        .iter()
        .flat_map(|task| {
            task.horizons.iter().zip(task.labels.clone()).map(move |(n, label)| (task, n, label))
        })
        .filter(|(.., label)| matches!(data.labels()[*label].fitted, FittedLabel::Regime { .. }))
        .map(|(task, horizon, label)| (format!("{}_h{horizon}", task.name), label))
        .collect();
    let (mut vectors, mut metadata) = (String::new(), String::from("symbol\tdecision_time"));
    for (name, _) in &regimes {
        let _ = write!(metadata, "\t{name}");
    }
    metadata.push('\n');
    for place in spread(samples.len(), MOST) {
        let row: Vec<String> = said.features.row(place).iter().map(ToString::to_string).collect();
        let _ = writeln!(vectors, "{}", row.join("\t"));
        let sample = samples[place] as usize;
        let symbol = &data.symbols()[data.windows().symbols()[sample] as usize];
        let _ = write!(metadata, "{symbol}\t{}", data.windows().decisions()[sample]);
        for (_, label) in &regimes {
            let class = data.labels()[*label].values[sample];
            let came = Regime::ALL.get(class as usize).filter(|_| class.is_finite());
            let _ = write!(metadata, "\t{}", came.map_or("unknown", |regime| regime.name()));
        }
        metadata.push('\n');
    }
    let folder = run.join(EMBEDDING);
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    replace_file(&folder.join("vectors.tsv"), vectors.as_bytes())?;
    Ok(replace_file(&folder.join("metadata.tsv"), metadata.as_bytes())?)
}
