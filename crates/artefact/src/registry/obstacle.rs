//! What stands between a version and an alias. A pure decision: an entry and a description in, every reason out.

use std::fmt;

use tapeline_data_pipeline::{DataError, Fingerprint, leak};

use super::entry::{Evidence, TargetVerdict, Verdict};
use crate::extractor::Description;

/// A reason not to promote a version. Force can override each; damage is none of them, and nothing overrides that.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Obstacle {
    /// Nobody has proved that nothing saw the future.
    NoCertificate,
    /// The certificate speaks of other bars, another configuration or other fitted figures.
    CertifiedOther {
        /// What the certificate speaks of.
        certified: Fingerprint,
        /// What the artefact is made of; `None` where its lineage does not say which bars.
        artefact: Option<Fingerprint>,
    },
    /// The certificate probed no instant at all.
    NothingProbed,
    /// The certificate tells of leaks.
    Leaks {
        /// How many.
        count: usize,
        /// The first of them.
        first: String,
    },
    /// A target was missed, or nobody knows.
    Target(TargetVerdict),
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCertificate => f.write_str(
                "it has no leak certificate (`tapeline data leakcheck --run …` makes one; then register the run again)",
            ),
            Self::CertifiedOther { certified, artefact } => {
                write!(f, "its leak certificate speaks of {certified}, ")?;
                match artefact {
                    Some(artefact) => write!(f, "the artefact is {artefact}"),
                    None => f.write_str("and the artefact's lineage does not say which bars it was trained on"),
                }
            }
            Self::NothingProbed => f.write_str("its leak certificate has probed nothing"),
            Self::Leaks { count: 1, first } => write!(f, "its leak certificate tells of a leak: {first}"),
            Self::Leaks { count, first } => {
                write!(f, "its leak certificate tells of {count} leaks, first {first}")
            }
            Self::Target(TargetVerdict { metric, min, max, value, verdict }) => {
                match (value, verdict) {
                    (_, Verdict::NotScored) => write!(f, "{metric} is not scored yet")?,
                    (Some(value), _) => write!(f, "{metric} is {value}")?,
                    (None, _) => write!(f, "{metric} is undefined")?,
                }
                let bounds = [("at least", min), ("at most", max)].into_iter();
                let bounds: Vec<String> =
                    bounds.filter_map(|(word, bound)| Some(format!("{word} {}", (*bound)?))).collect();
                write!(f, " and should be {}", bounds.join(" and "))
            }
        }
    }
}

/// Everything that stands in the way of a version.
pub(super) fn obstacles(evidence: &Evidence, description: &Description) -> Result<Vec<Obstacle>, DataError> {
    let mut obstacles = Vec::new();
    match &evidence.leak_certificate {
        None => obstacles.push(Obstacle::NoCertificate),
        Some(certificate) => {
            let artefact = subject(description)?;
            if artefact.as_ref() != Some(&certificate.subject) {
                let certified = certificate.subject.clone();
                obstacles.push(Obstacle::CertifiedOther { certified, artefact });
            }
            if certificate.probes.is_empty() {
                obstacles.push(Obstacle::NothingProbed);
            }
            if let Some(first) = certificate.leaks.first() {
                obstacles.push(Obstacle::Leaks { count: certificate.leaks.len(), first: first.to_string() });
            }
        }
    }
    let unmet = evidence.targets.iter().filter(|target| target.verdict != Verdict::Met);
    obstacles.extend(unmet.cloned().map(Obstacle::Target));
    Ok(obstacles)
}

/// What a leak certificate of an artefact has to speak of. The trainer writes the fingerprint of the bars into the lineage as
/// `data`.
fn subject(description: &Description) -> Result<Option<Fingerprint>, DataError> {
    let bars = description.lineage.get("data").and_then(serde_json::Value::as_str);
    let Some(bars) = bars.and_then(|text| text.parse().ok()) else { return Ok(None) };
    let Description { data, labels, fitted, .. } = description;
    leak::subject(&bars, data, labels, fitted).map(Some)
}
