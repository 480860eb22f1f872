//! The report's place in a run's folder, and what it is made from.

use std::fs;

use anyhow::Context;
use tapeline_artefact::replace_file;
use tapeline_trainer::Scorecard;

use super::{ReportInput, render};
use crate::failure::Failure;
use crate::run_folder::RunFolder;

/// Writes `report.html` from what lies in `folder` and from the spans that were scored. The old report stays whole until the
/// new one is.
pub(crate) fn write(folder: &RunFolder, scorecards: &[Scorecard], test_openings: u64) -> Result<(), Failure> {
    let read = |path: &std::path::Path| {
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
    };
    let config_yaml = read(&folder.config())?;
    let lineage: serde_json::Value = serde_json::from_str(&read(&folder.lineage())?)
        .with_context(|| format!("{} is not JSON", folder.lineage().display()))?;
    let records = tapeline_events::read(&folder.journal()).map_err(Failure::failed)?;
    let experiment = folder.path().parent().and_then(|parent| parent.file_name()).unwrap_or_default();
    let page = render(&ReportInput {
        title: &experiment.to_string_lossy(),
        run_id: &folder.id(),
        config_yaml: &config_yaml,
        lineage: &lineage,
        records: &records,
        scorecards,
        test_openings,
        fingerprint: lineage
            .pointer("/lineage/data")
            .and_then(serde_json::Value::as_str)
            .unwrap_or("not recorded"),
    });
    replace_file(&folder.report(), page.as_bytes()).map_err(Failure::failed)
}
