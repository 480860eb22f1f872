use postgres::config::SslMode;

use super::verifier::Vouched;
use super::{Authority, Encryption};

const SERVER: &str = "postgresql://ana@studies.example/all";

fn of(options: &str) -> Result<(String, Encryption), String> {
    Encryption::of(&format!("{SERVER}{options}"))
}

#[test]
fn the_modes_are_those_of_libpq() {
    let modes = [
        ("", SslMode::Prefer, Vouched::Nothing),
        ("?sslmode=", SslMode::Prefer, Vouched::Nothing),
        ("?sslmode=disable", SslMode::Disable, Vouched::Nothing),
        ("?sslmode=allow", SslMode::Prefer, Vouched::Nothing),
        ("?sslmode=prefer", SslMode::Prefer, Vouched::Nothing),
        ("?sslmode=require", SslMode::Require, Vouched::Nothing),
        ("?sslmode=require&sslrootcert=ca.pem", SslMode::Require, Vouched::Authority),
        ("?sslmode=verify-ca&sslrootcert=ca.pem", SslMode::Require, Vouched::Authority),
        ("?sslmode=verify-full&sslrootcert=ca.pem", SslMode::Require, Vouched::Host),
        ("?sslmode=verify-full&sslrootcert=system", SslMode::Require, Vouched::Host),
        ("?sslrootcert=system", SslMode::Require, Vouched::Host),
    ];
    for (options, mode, vouched) in modes {
        let (rest, encryption) = of(options).unwrap();
        assert_eq!(
            (rest.as_str(), encryption.mode, encryption.vouched),
            (SERVER, mode, vouched),
            "{options}"
        );
    }
}

#[test]
fn what_does_not_go_together_is_refused_with_what_to_do() {
    let faults = [
        ("?sslmode=verify-full", "sslrootcert=/path/to/ca.pem"),
        ("?sslmode=verify-ca", "sslrootcert=/path/to/ca.pem"),
        ("?sslmode=require&sslrootcert=system", "sslmode=verify-full alone"),
        ("?sslrootcert=ca.pem", "add sslmode=verify-full"),
        ("?sslmode=prefer&sslrootcert=ca.pem", "add sslmode=verify-full"),
        ("?sslmode=always", "none of disable, allow, prefer, require, verify-ca, verify-full"),
        ("?sslmode=require&sslcert=me.pem", "go together"),
        ("?sslkey=me.key", "go together"),
    ];
    for (options, part) in faults {
        let fault = of(options).unwrap_err();
        assert!(fault.contains(part), "{options}: {fault}");
    }
}

#[test]
fn other_options_stay_as_they_are() {
    let (rest, encryption) =
        of("?application_name=a%20b&sslmode=verify-ca&sslrootcert=%2Fetc%2Fc%20a.pem&connect_timeout=3")
            .unwrap();
    assert_eq!(rest, format!("{SERVER}?application_name=a%20b&connect_timeout=3"));
    assert_eq!(encryption.authority, Some(Authority::File("/etc/c a.pem".into())));
}

#[test]
fn a_file_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    let fault = |text: Option<&str>| {
        if let Some(text) = text {
            std::fs::write(&file, text).unwrap();
        }
        let (_, encryption) = of(&format!("?sslmode=verify-full&sslrootcert={}", file.display())).unwrap();
        encryption.connector().err().unwrap()
    };
    let named = format!("sslrootcert={}: ", file.display());
    for (text, part) in [
        (None, "No such file"),
        (Some(""), "no certificate"),
        (Some("prices,1.0\n"), "no certificate"),
        (Some("-----BEGIN CERTIFICATE-----\nMIIB\n"), ""),
        (Some("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"), "cannot be read"),
    ] {
        let fault = fault(text);
        assert!(fault.starts_with(&named) && fault.contains(part), "{text:?}: {fault}");
    }
}
