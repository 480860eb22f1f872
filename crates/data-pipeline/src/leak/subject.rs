//! What a certificate speaks of, as one hash: nobody can have one data set certified and use another.

use crate::dataset::Fitted;
use crate::error::DataError;
use crate::fingerprint::Fingerprint;
use crate::label::LabelSpec;
use crate::spec::DataSpec;

/// Layout of what is hashed; a change of it makes old certificates speak of nothing that is there.
const LAYOUT: &[u8] = b"tapeline-leak-subject-1";

/// The hash of everything that [`check`](super::check) looks at: which bars, what is made of them (where they lie is no part
/// of it), what is forecast, and all that is fitted. An artefact made of the same has the same subject.
///
/// # Errors
/// [`DataError::Describe`] if one of them cannot be written as JSON.
pub fn subject(
    bars: &Fingerprint,
    data: &DataSpec,
    labels: &[LabelSpec],
    fitted: &Fitted,
) -> Result<Fingerprint, DataError> {
    let mut data = data.clone();
    data.source.path = None;
    let described =
        serde_json::to_vec(&(data, labels, fitted)).map_err(|source| DataError::Describe { source })?;
    Ok(bars.with(LAYOUT).with(&described))
}
