//! Golden files: the list and the details, as a person sees them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use tapeline_artefact::{
    Aliases, ENTRY_LAYOUT, Entry, Evidence, RegistryError, Signature, TargetVerdict, Verdict,
};
use tapeline_data_pipeline::leak::LeakCertificate;

use super::table::{Row, details, render};

const ALIASES: &str = r#"{
  "layout": 1,
  "aliases": { "champion": 2, "challenger": 3 },
  "history": [
    { "alias": "champion", "from": null, "to": 1, "command": "promote",
      "signature": { "at": "2026-01-02T08:00:00Z", "by": "someone@somewhere" },
      "forced": { "reason": "to try the pipe", "obstacles": ["it has no leak certificate"] } },
    { "alias": "champion", "from": 1, "to": 2, "command": "promote",
      "signature": { "at": "2026-01-05T08:00:00Z", "by": "someone@somewhere" }, "forced": null },
    { "alias": "challenger", "from": null, "to": 3, "command": "promote",
      "signature": { "at": "2026-01-07T08:00:00Z", "by": "someone@somewhere" }, "forced": null }
  ]
}"#;

const CERTIFICATE: &str = r#"{
  "subject": "1111111111111111111111111111111111111111111111111111111111111111",
  "bars": "2222222222222222222222222222222222222222222222222222222222222222",
  "tapeline": "0.1.0",
  "seed": 0,
  "split": { "last_train_decision": "2024-01-01T00:00:00Z", "validation_from": "2024-01-02T00:00:00Z",
             "test_from": "2024-01-03T00:00:00Z" },
  "labelled_samples": 900,
  "probes": [{ "decision": "2024-01-01T00:00:00Z", "samples": 700, "rows": 9000, "scaled": true }],
  "leaks": []
}"#;

fn aliases() -> Aliases {
    serde_json::from_str(ALIASES).unwrap()
}

fn entry(version: u32, loss: Option<f64>, targets: Vec<TargetVerdict>, certified: bool) -> Entry {
    let certificate: LeakCertificate = serde_json::from_str(CERTIFICATE).unwrap();
    let rank_ic = "validation/price_prediction/h12/rank_ic_series".to_owned();
    Entry {
        layout: ENTRY_LAYOUT,
        model: "hybrid".into(),
        version,
        artefact: "33".repeat(32),
        registered: Signature {
            at: format!("2026-01-0{}T07:59:59.123456Z", version + 1),
            by: "someone@somewhere".into(),
        },
        evidence: Evidence {
            run: format!("hybrid-crypto-5m/20260101-00000{version}"),
            lineage: serde_json::Value::Null,
            scores: BTreeMap::from([("validation/loss".into(), loss), (rank_ic, Some(0.031_25))]),
            targets,
            leak_certificate: certified.then_some(certificate),
        },
    }
}

fn target(verdict: Verdict, value: Option<f64>) -> TargetVerdict {
    let metric = "validation/price_prediction/h12/rank_ic_series".into();
    TargetVerdict { metric, min: Some(0.02), max: None, value, verdict }
}

fn check(name: &str, said: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/command/registry").join(name);
    #[expect(
        clippy::disallowed_methods,
        reason = "the switch that rewrites golden files is an environment variable"
    )]
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&path, said).unwrap();
    }
    assert_eq!(said, fs::read_to_string(&path).unwrap(), "UPDATE_EXPECT=1 rewrites {name}");
}

#[test]
fn a_line_for_each_version_whole_or_not() {
    let aliases = aliases();
    let damaged =
        RegistryError::Layout { path: "registry/hybrid/4/entry.json".into(), found: 9, expected: 1 };
    let rows: Vec<Row> = [
        Ok(entry(1, None, Vec::new(), false)),
        Ok(entry(2, Some(0.912_345_6), vec![target(Verdict::Met, Some(0.031_25))], true)),
        Ok(entry(
            3,
            Some(0.9),
            vec![target(Verdict::Missed, Some(0.01)), target(Verdict::Undefined, None)],
            true,
        )),
        Err(damaged),
    ]
    .into_iter()
    .zip(1..)
    .map(|(entry, version)| Row::of(entry, "hybrid", version, &aliases).unwrap())
    .collect();
    check("list.txt", &render(&rows));
    let json = serde_json::Value::from_iter(rows.iter().map(Row::json));
    check("list.json", &format!("{json:#}\n"));
}

#[test]
fn all_that_is_known_of_a_version() {
    let targets = vec![target(Verdict::Met, Some(0.031_25)), target(Verdict::Undefined, None)];
    check("details.txt", &details(&entry(2, Some(0.912_345_6), targets, true), &aliases()));
}
