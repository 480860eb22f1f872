//! What may be the name of a model or an alias: it is a folder, an argument and a key.

use super::RegistryError;

/// The longest name: file systems end at 255 bytes, and tables before.
const LONGEST: usize = 100;

/// Refuses what cannot be a folder.
pub(super) fn check_model(name: &str) -> Result<(), RegistryError> {
    check("model", name)
}

/// Refuses what cannot be told from a version's number, too.
pub(super) fn check_alias(name: &str) -> Result<(), RegistryError> {
    check("alias", name)?;
    if name.bytes().all(|byte| byte.is_ascii_digit()) {
        let problem = "a number names a version".into();
        return Err(RegistryError::Name { what: "alias", name: name.into(), problem });
    }
    Ok(())
}

fn check(what: &'static str, name: &str) -> Result<(), RegistryError> {
    let odd = |c: &char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
    let problem = if name.is_empty() {
        "it is empty".into()
    } else if name.len() > LONGEST {
        format!("it has {} characters, {LONGEST} are allowed", name.len())
    } else if let Some(odd) = name.chars().find(odd) {
        format!("{odd:?} cannot stand in it; letters, digits, `.`, `_` and `-` can")
    } else if !name.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_') {
        "it starts with a letter, a digit or `_`".into()
    } else {
        return Ok(());
    };
    Err(RegistryError::Name { what, name: name.into(), problem })
}
