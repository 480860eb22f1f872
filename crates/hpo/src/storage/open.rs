//! Storages by their addresses, as Optuna writes them.

#[cfg(test)]
mod tests;

use crate::{HpoError, Storage};

/// How storages are opened; each looks at its own part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StorageOptions {
    /// For `sqlite:` addresses.
    #[cfg(feature = "sqlite")]
    pub sqlite: crate::SqliteOptions,
    /// For `postgresql:` addresses.
    #[cfg(feature = "postgres")]
    pub postgres: crate::PostgresOptions,
}

/// The storage at `url`:
///
/// - `sqlite:///studies.db`, a file where the process runs, or `sqlite:////var/studies.db`, anywhere;
/// - `postgresql://user:password@host:5432/database`; `postgres://` means the same, and so does a name of a Python driver in
///   the scheme, such as `postgresql+psycopg2://`.
///
/// # Errors
/// [`HpoError::Url`] if it names no storage, and what the storage says.
pub fn open_storage(url: &str, options: &StorageOptions) -> Result<Box<dyn Storage>, HpoError> {
    let refuse = |fault: &str| Err(HpoError::Url { url: without_password(url), fault: fault.to_owned() });
    let Some((scheme, rest)) = url.split_once(':') else {
        return refuse("begin it with sqlite:/// or postgresql://");
    };
    match scheme.split('+').next().unwrap_or_default() {
        "sqlite" => match rest.strip_prefix("///") {
            Some("") => refuse("it names no file: write sqlite:///studies.db"),
            Some(file) if file.contains('?') => {
                refuse("it has options after a question mark, which are not known here: leave them out")
            }
            Some(file) => open_sqlite(file, options),
            None => refuse("a file has three slashes before a relative path, four before an absolute one"),
        },
        "postgresql" | "postgres" if rest.starts_with("//") => {
            open_postgres(&format!("postgresql:{rest}"), &without_password(url), options)
        }
        _ => refuse("only sqlite:/// and postgresql:// are known"),
    }
}

#[cfg(feature = "sqlite")]
fn open_sqlite(file: &str, options: &StorageOptions) -> Result<Box<dyn Storage>, HpoError> {
    Ok(Box::new(crate::SqliteStorage::open(std::path::Path::new(file), options.sqlite)?))
}

#[cfg(not(feature = "sqlite"))]
fn open_sqlite(file: &str, _: &StorageOptions) -> Result<Box<dyn Storage>, HpoError> {
    let fault = "this program was built without SQLite: build it with the feature `sqlite`".to_owned();
    Err(HpoError::Url { url: format!("sqlite:///{file}"), fault })
}

#[cfg(feature = "postgres")]
fn open_postgres(url: &str, _: &str, options: &StorageOptions) -> Result<Box<dyn Storage>, HpoError> {
    Ok(Box::new(crate::PostgresStorage::connect(url, options.postgres)?))
}

#[cfg(not(feature = "postgres"))]
fn open_postgres(_: &str, shown: &str, _: &StorageOptions) -> Result<Box<dyn Storage>, HpoError> {
    let fault = "this program was built without PostgreSQL: build it with the feature `postgres`".to_owned();
    Err(HpoError::Url { url: shown.to_owned(), fault })
}

/// The address as it may be shown: what stands between the user's name and the last `@` is left out, and so are options that
/// hold a password. Where it is not clear what belongs to a password, more is left out rather than less.
#[must_use]
pub fn without_password(url: &str) -> String {
    // A file's is a path, whatever characters it has.
    if url.starts_with("sqlite") {
        return url.to_owned();
    }
    // Whoever left out the scheme or its slashes has written a password all the same.
    let scheme = match url.split_once(':') {
        Some((scheme, rest)) if rest.starts_with('/') || scheme.starts_with("postgres") => scheme.len() + 1,
        _ => 0,
    };
    let (scheme, rest) = url.split_at(scheme);
    let begin = rest.len() - rest.trim_start_matches('/').len();
    let (slashes, rest) = rest.split_at(begin);
    let shown = match rest.rsplit_once('@') {
        Some((user, host)) => match user.split_once(':') {
            Some((user, _)) => format!("{user}:***@{host}"),
            None => rest.to_owned(),
        },
        None => rest.to_owned(),
    };
    let shown = match (shown.find("password="), shown.find('?')) {
        (Some(option), Some(mark)) if mark < option => format!("{}?***", &shown[..mark]),
        (Some(option), _) => format!("{}password=***", &shown[..option]),
        (None, _) => shown,
    };
    format!("{scheme}{slashes}{shown}")
}
