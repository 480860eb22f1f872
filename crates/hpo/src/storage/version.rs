//! Which versions of the schema are readable.

use super::encoding::{REVISION, SCHEMA_VERSION};
use crate::HpoError;

/// What stands as the library that made a storage; Optuna names it in its messages.
pub(crate) const LIBRARY: &str = concat!("tapeline-hpo ", env!("CARGO_PKG_VERSION"));

/// The revisions that came before, as Optuna's migrations name them.
const OLDER: [&str; 9] = [
    "v0.9.0.a", "v1.2.0.a", "v1.3.0.a", "v2.4.0.a", "v2.6.0.a", "v3.0.0.a", "v3.0.0.b", "v3.0.0.c",
    "v3.0.0.d",
];

/// Whether tables of this `revision` can be used. Where there is none, the `schema` version decides, as it did before there
/// were revisions.
pub(crate) fn check_version(
    storage: &str,
    revision: Option<&str>,
    schema: Option<&str>,
    library: Option<&str>,
) -> Result<(), HpoError> {
    let refuse = |fault: String| Err(HpoError::Schema { storage: storage.to_owned(), fault });
    let by = library.map(|library| format!(" by version {library}")).unwrap_or_default();
    match revision {
        Some(REVISION) => Ok(()),
        Some(older) if OLDER.contains(&older) => refuse(format!(
            "its tables are of revision {older}, written{by}, and {REVISION} is needed: run `optuna storage upgrade \
             --storage URL` once"
        )),
        Some(other) => refuse(format!(
            "its tables are of revision {other}, written{by}, which is not known here (known is {REVISION}): use a newer \
             Tapeline, or a storage of its own"
        )),
        None if schema == Some(SCHEMA_VERSION.to_string().as_str()) => Ok(()),
        None => refuse(format!(
            "it has a table named studies, but no revision of Optuna's in alembic_version, and schema version {} where \
             {SCHEMA_VERSION} is needed: open it once with Optuna, or use another storage",
            schema.unwrap_or("none")
        )),
    }
}
