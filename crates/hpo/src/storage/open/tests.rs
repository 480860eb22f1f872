use super::{StorageOptions, open_storage, without_password};
use crate::HpoError;

#[test]
fn what_names_no_storage_says_what_would() {
    let cases = [
        ("studies.db", "sqlite:///"),
        ("mysql://host/studies", "only sqlite:/// and postgresql://"),
        ("sqlite:///", "names no file"),
        ("sqlite:studies.db", "three slashes"),
        ("sqlite:///studies.db?timeout=3", "question mark"),
    ];
    for (url, expected) in cases {
        let Err(error) = open_storage(url, &StorageOptions::default()) else { panic!("{url} was opened") };
        assert!(matches!(error, HpoError::Url { .. }), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn no_message_shows_a_password() {
    let cases = [
        ("postgresql://me:secret@host:5432/studies", "postgresql://me:***@host:5432/studies"),
        ("postgresql+psycopg2://me:se@cret@host/studies", "postgresql+psycopg2://me:***@host/studies"),
        ("postgresql://me:secret/@host/studies", "postgresql://me:***@host/studies"),
        ("postgresql://me@host/studies?password=secret", "postgresql://me@host/studies?***"),
        ("postgresql://host/studies", "postgresql://host/studies"),
        ("postgresql://host:5432/studies", "postgresql://host:5432/studies"),
        ("postgresql://me:se@cr/et@host/studies", "postgresql://me:***@host/studies"),
        ("postgresql://me:se?cr@e#t@host/studies", "postgresql://me:***@host/studies"),
        ("postgresql://me:secret@host/a?sslmode=require", "postgresql://me:***@host/a?sslmode=require"),
        ("postgresql://me@host/a?password=se:cr@et", "postgresql://me@host/a?***"),
        ("postgresql://me:secret@host/a?sslpassword=secret", "postgresql://me:***@host/a?***"),
        ("postgresql://me:secret@a:1,b:2/studies", "postgresql://me:***@a:1,b:2/studies"),
        ("postgresql:/me:secret@host", "postgresql:/me:***@host"),
        ("postgresql:///me:secret@host", "postgresql:///me:***@host"),
        ("postgresql:me:secret@host", "postgresql:me:***@host"),
        ("mysql://me:secret@host", "mysql://me:***@host"),
        ("me:secret@host/studies", "me:***@host/studies"),
        ("host=h user=me password=secret", "host=h user=me password=***"),
        ("sqlite:////data/a:b@c.db", "sqlite:////data/a:b@c.db"),
    ];
    for (url, shown) in cases {
        assert_eq!(without_password(url), shown);
    }
}

#[cfg(feature = "sqlite")]
#[test]
fn a_file_is_opened_by_its_address() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:///{}", folder.path().join("studies.db").display());
    let storage = open_storage(&url, &StorageOptions::default()).unwrap();
    storage.create_study("a", &[crate::Direction::Minimize]).unwrap();
    drop(storage);
    assert_eq!(open_storage(&url, &StorageOptions::default()).unwrap().studies().unwrap().len(), 1);
}
