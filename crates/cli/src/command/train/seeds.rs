//! `tapeline train --seeds`: the same run from several seeds, since one score says nothing of its own luck.

use serde::Serialize;
use tapeline_artefact::Predictions;
use tapeline_data_pipeline::Split;
use tapeline_trainer::{Dispersion, EVALUATION_BATCH, MeasuredSamples, agreement_of_features};

use super::one_run::OneRun;
use super::several::Several;
use crate::failure::{DONE, Failure};
use crate::summary::{Page, Scores, SummaryTable, dispersion_table, scores_table};

/// What several seeds came to.
#[derive(Serialize)]
struct Summary {
    seeds: Vec<SeedScores>,
    /// Over seeds.
    dispersion: Scores<Dispersion>,
    /// Linear CKA of the features of each pair of seeds, on the same decisions.
    feature_agreement: Dispersion,
}

#[derive(Serialize)]
struct SeedScores {
    seed: u64,
    metrics: Scores<Option<f64>>,
}

/// Trains `seeds` runs one after another and says how far their scores lie apart.
pub(super) fn train_seeds(several: &Several, seeds: u64) -> Result<i32, Failure> {
    let checked = &several.checked;
    let data = checked.pipeline.prepare(several.bars.clone(), checked.tasks.labels())?;
    let measured = MeasuredSamples::of(&data, Split::Validation);
    let mut scores = Vec::new();
    let mut said: Vec<Predictions> = Vec::new();
    for number in 0..seeds {
        let mut config = several.config.clone();
        config.seed = config.seed.wrapping_add(number);
        eprintln!("seed {} ({} of {seeds})", config.seed, number + 1);
        let folder = several.parent.member(&format!("seed-{}", config.seed))?;
        let run = OneRun {
            several,
            config: &config,
            data: &data,
            fingerprint: &several.fingerprint,
            folder: &folder,
        };
        let Some(trained) = run.train_to_the_end()? else {
            return Ok(several.interrupted());
        };
        let features = trained.extractor.predict(&data, measured.samples(), EVALUATION_BATCH);
        said.push(features.map_err(Failure::failed)?);
        scores.push(SeedScores { seed: config.seed, metrics: Scores(trained.validation.metrics) });
    }
    let dispersion = Scores::over(&scores.iter().map(|seed| &seed.metrics.0).collect::<Vec<_>>());
    let features: Vec<_> = said.iter().map(|said| &said.features).collect();
    let summary = Summary {
        dispersion,
        feature_agreement: Dispersion::of(agreement_of_features(&features)?),
        seeds: scores,
    };

    let columns: Vec<String> = summary.seeds.iter().map(|seed| format!("seed {}", seed.seed)).collect();
    let metrics: Vec<_> = summary.seeds.iter().map(|seed| &seed.metrics.0).collect();
    let page = Page {
        title: format!("{} from {seeds} seeds", several.config.experiment),
        facts: vec![
            ("Data".into(), several.fingerprint.to_string()),
            ("Features".into(), agreement_in_words(&summary.feature_agreement)),
        ],
        tables: vec![
            dispersion_table("Validation scores over seeds", &summary.dispersion),
            scores_table("Validation scores of each seed", &columns, &metrics),
        ],
        cards: Vec::new(),
    };
    page.write(&several.parent, &several.config, &summary)?;
    print!("{}", SummaryTable::text(&page.tables[0]));
    println!("features  {}", agreement_in_words(&summary.feature_agreement));
    println!("runs      {}", several.parent.path().display());
    println!("report    {}", several.parent.report().display());
    Ok(DONE)
}

fn agreement_in_words(agreement: &Dispersion) -> String {
    use crate::report::number::{fixed, or_undefined};
    format!(
        "linear CKA between seeds {} on average, {} at least",
        or_undefined(agreement.mean, |value| fixed(value, 3)),
        or_undefined(agreement.min, |value| fixed(value, 3)),
    )
}
