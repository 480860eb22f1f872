//! Encrypted connections to a real server, in the words of libpq: whatever an address means to Optuna's driver it means here.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tapeline_hpo::{Direction, HpoError, PostgresOptions, PostgresStorage, Storage as _};
use tapeline_testkit::PostgresServer;
use tempfile::TempDir;

use crate::optuna::for_python;
use crate::python::Optuna;

/// Who signs certificates.
type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate for hosts of these names and for a user of this one, and its key.
fn certificate(authority: &Authority, hosts: &[&str], user: &str) -> (String, String) {
    let hosts: Vec<String> = hosts.iter().map(|&host| host.to_owned()).collect();
    let mut params = CertificateParams::new(hosts).unwrap();
    params.distinguished_name.push(DnType::CommonName, user);
    let key = KeyPair::generate().unwrap();
    (params.signed_by(&key, authority).unwrap().pem(), key.serialize_pem())
}

/// A server whose certificate is for `localhost` alone, and the files that a client may want.
struct Encrypted {
    server: PostgresServer,
    database: String,
    folder: TempDir,
}

impl Encrypted {
    fn start() -> Option<Self> {
        let (ours, other) = (authority("ours"), authority("another"));
        let (served, key) = certificate(&ours, &["localhost"], "the server");
        let server = PostgresServer::encrypted(&served, &key, &ours.pem())?;
        let folder = tempfile::tempdir().unwrap();
        let (user, user_key) = certificate(&ours, &[], "certified");
        let files =
            [("ca.pem", ours.pem()), ("other.pem", other.pem()), ("user.pem", user), ("user.key", user_key)];
        for (name, text) in files {
            let file = folder.path().join(name);
            std::fs::write(&file, text).unwrap();
            // libpq wants a key that nobody else can read.
            std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        }
        let database = server.database();
        Some(Self { server, database, folder })
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The address at `host`, with options in which `{name}` is a file.
    fn at(&self, host: &str, options: &str) -> String {
        let options =
            ["ca.pem", "other.pem", "user.pem", "user.key"].iter().fold(options.to_owned(), |text, name| {
                text.replace(&format!("{{{name}}}"), &self.file(name).display().to_string())
            });
        format!("{}{options}", self.database.replace("127.0.0.1", host))
    }

    /// Whether the connections under this name are encrypted.
    fn is_encrypted(&self, name: &str) -> bool {
        let mut client = postgres::Client::connect(&self.database, postgres::NoTls).unwrap();
        let sql = "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = $1";
        let rows = client.query(sql, &[&name]).unwrap();
        let seen: Vec<bool> = rows.iter().map(|row| row.get(0)).collect();
        assert!(!seen.is_empty(), "no connection of {name}");
        seen.iter().all(|&ssl| ssl)
    }
}

fn connect(url: &str) -> Result<PostgresStorage, HpoError> {
    PostgresStorage::connect(url, PostgresOptions::default())
}

/// An error with all that is below it.
fn chain(error: &HpoError) -> String {
    let mut text = error.to_string();
    let mut below = std::error::Error::source(error);
    while let Some(error) = below {
        text = format!("{text}: {error}");
        below = error.source();
    }
    text
}

/// Encrypted, plain, or refused for a reason that says this.
#[derive(Clone, Copy)]
enum Expected {
    Encrypted,
    Plain,
    Refused(&'static str),
}

/// Addresses, and what comes of them.
const ADDRESSES: [(&str, &str, Expected); 12] = [
    ("127.0.0.1", "?sslmode=disable", Expected::Plain),
    ("127.0.0.1", "?", Expected::Encrypted),
    ("127.0.0.1", "?sslmode=prefer", Expected::Encrypted),
    ("127.0.0.1", "?sslmode=require", Expected::Encrypted),
    ("127.0.0.1", "?sslmode=require&sslrootcert={ca.pem}", Expected::Encrypted),
    ("127.0.0.1", "?sslmode=require&sslrootcert={other.pem}", Expected::Refused("UnknownIssuer")),
    ("127.0.0.1", "?sslmode=verify-ca&sslrootcert={ca.pem}", Expected::Encrypted),
    ("127.0.0.1", "?sslmode=verify-ca&sslrootcert={other.pem}", Expected::Refused("UnknownIssuer")),
    ("127.0.0.1", "?sslmode=verify-full&sslrootcert={ca.pem}", Expected::Refused("not valid for name")),
    ("localhost", "?sslmode=verify-full&sslrootcert={ca.pem}", Expected::Encrypted),
    ("localhost", "?sslmode=verify-full&sslrootcert={other.pem}", Expected::Refused("UnknownIssuer")),
    ("localhost", "?sslrootcert=system", Expected::Refused("UnknownIssuer")),
];

#[test]
fn an_address_means_what_it_means_to_libpq() {
    let (Some(encrypted), Some(python)) = (Encrypted::start(), Optuna::V5.python()) else { return };
    connect(&encrypted.database).unwrap().create_study("of all", &[Direction::Minimize]).unwrap();
    let trusts_anybody = !rustls_native_certs::load_native_certs().certs.is_empty();
    for (number, (host, options, expected)) in ADDRESSES.into_iter().enumerate() {
        if options.contains("sslrootcert=system") && !trusts_anybody {
            println!(
                "skipped: {options}: this machine trusts no authority (Debian: apt-get install ca-certificates)"
            );
            continue;
        }
        let name = format!("try {number}");
        let joint = if options == "?" { "" } else { "&" };
        let url =
            encrypted.at(host, &format!("{options}{joint}application_name={}", name.replace(' ', "%20")));
        let ours = connect(&url);
        let theirs = python.try_ask(&["dump", &for_python(&url)]);
        match (expected, ours) {
            (Expected::Refused(reason), Err(error)) => {
                assert!(chain(&error).contains(reason), "{options}: {}", chain(&error));
                // Who is refused is not waited for, as a server that is away would be.
                assert!(matches!(error, HpoError::Storage { .. }), "{options}: {error:?}");
                assert!(theirs.is_err(), "{options}: Optuna is let in");
            }
            (Expected::Refused(_), Ok(_)) => panic!("{options}: was let in"),
            (_, Err(error)) => panic!("{options}: {}", chain(&error)),
            (let_in, Ok(storage)) => {
                assert_eq!(storage.studies().unwrap().len(), 1, "{options}");
                assert_eq!(encrypted.is_encrypted(&name), matches!(let_in, Expected::Encrypted), "{options}");
                assert!(theirs.is_ok(), "{options}: {theirs:?}");
            }
        }
    }
}

#[test]
fn a_server_may_ask_who_the_client_is() {
    let Some(encrypted) = Encrypted::start() else { return };
    let mut owner = postgres::Client::connect(&encrypted.database, postgres::NoTls).unwrap();
    owner.batch_execute("CREATE ROLE certified LOGIN SUPERUSER").unwrap();
    let mine = |options: &str| encrypted.at("localhost", options).replace("tapeline@", "certified@");
    let shown = mine("?sslmode=verify-full&sslrootcert={ca.pem}&sslcert={user.pem}&sslkey={user.key}");
    connect(&shown).unwrap().create_study("of one who is known", &[Direction::Minimize]).unwrap();

    let error = connect(&mine("?sslmode=verify-full&sslrootcert={ca.pem}")).err().unwrap();
    assert!(chain(&error).contains("requires a valid client certificate"), "{}", chain(&error));
    let error = connect(&mine("?sslmode=require&sslcert={user.pem}&sslkey={ca.pem}")).err().unwrap();
    assert!(matches!(error, HpoError::Url { .. }) && chain(&error).contains("sslkey="), "{}", chain(&error));
}

#[test]
fn a_server_that_does_not_encrypt_is_told_from_one_that_is_away() {
    let Some(server) = PostgresServer::shared() else { return };
    let error = connect(&format!("{}?sslmode=require", server.database())).err().unwrap();
    assert!(matches!(error, HpoError::Storage { .. }), "{error:?}");
    assert!(chain(&error).contains("server does not support TLS"), "{}", chain(&error));
    connect(&format!("{}?sslmode=prefer", server.database())).unwrap();
}

#[test]
fn a_server_that_is_restarted_is_waited_for_behind_encryption_too() {
    let Some(encrypted) = Encrypted::start() else { return };
    let storage = connect(&encrypted.at("127.0.0.1", "?sslmode=verify-ca&sslrootcert={ca.pem}")).unwrap();
    storage.create_study("before", &[Direction::Minimize]).unwrap();
    encrypted.server.down("immediate");
    std::thread::scope(|scope| {
        let after = scope.spawn(|| storage.create_study("after", &[Direction::Minimize]));
        std::thread::sleep(Duration::from_millis(300));
        encrypted.server.up();
        after.join().unwrap().unwrap();
    });
    assert_eq!(storage.studies().unwrap().len(), 2);
}

/// What a client sends to ask for encryption.
const ASKS: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// Carries what a client says to the server and back. Who asks for encryption is told yes, and then gets no further: told
/// `nonsense`, or nothing, and hung up on.
fn carry(mut client: (impl Read + Send + 'static, impl Write + Send + 'static), server: u16, nonsense: bool) {
    let mut server = TcpStream::connect(("127.0.0.1", server)).unwrap();
    let mut first = [0; 8];
    client.0.read_exact(&mut first).unwrap();
    if first == ASKS {
        client.1.write_all(b"S").unwrap();
        if nonsense {
            client.0.read_exact(&mut first).unwrap();
            client.1.write_all(b"this is no encryption").unwrap();
        }
        return;
    }
    server.write_all(&first).unwrap();
    let mut answers = server.try_clone().unwrap();
    // Either ends when its side hangs up, in whatever way.
    std::thread::spawn(move || std::io::copy(&mut answers, &mut client.1));
    std::thread::spawn(move || std::io::copy(&mut client.0, &mut server));
}

#[test]
fn who_prefers_encryption_goes_without_where_it_does_not_come_about() {
    let Some(server) = PostgresServer::shared() else { return };
    for nonsense in [true, false] {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let (port, behind) = (listener.local_addr().unwrap().port(), server.port());
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                carry((client.try_clone().unwrap(), client), behind, nonsense);
            }
        });
        let url = server.database().replace(&format!(":{behind}/"), &format!(":{port}/"));
        for options in ["", "?sslmode=prefer"] {
            let storage =
                connect(&format!("{url}{options}")).unwrap_or_else(|error| panic!("{}", chain(&error)));
            assert!(storage.studies().unwrap().is_empty());
        }
        let hurried = PostgresOptions { patience: Duration::ZERO };
        assert!(PostgresStorage::connect(&format!("{url}?sslmode=require"), hurried).is_err());
    }
}

#[test]
fn who_prefers_encryption_goes_without_where_the_server_lets_in_nobody_else() {
    let Some(encrypted) = Encrypted::start() else { return };
    let mut owner = postgres::Client::connect(&encrypted.database, postgres::NoTls).unwrap();
    let file: String = owner.query_one("SHOW hba_file", &[]).unwrap().get(0);
    owner
        .batch_execute(&format!(
            "COPY (SELECT 'hostnossl all all all trust') TO '{file}'; SELECT pg_reload_conf()"
        ))
        .unwrap();
    // The server looks at it in its own time.
    while connect(&encrypted.at("127.0.0.1", "?sslmode=require")).is_ok() {
        std::thread::yield_now();
    }
    let url = encrypted.at("127.0.0.1", "?sslmode=prefer&application_name=plainly");
    let storage = connect(&url).unwrap_or_else(|error| panic!("{}", chain(&error)));
    storage.create_study("s", &[Direction::Minimize]).unwrap();
    assert!(!encrypted.is_encrypted("plainly"));
}

#[test]
fn a_socket_file_needs_no_encryption() {
    let Some(server) = PostgresServer::shared() else { return };
    let folder = tempfile::tempdir().unwrap();
    let listener = UnixListener::bind(folder.path().join(".s.PGSQL.5432")).unwrap();
    let behind = server.port();
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            carry((client.try_clone().unwrap(), client), behind, false);
        }
    });
    let name = server.database().rsplit_once('/').unwrap().1.to_owned();
    let folder = folder.path().display();
    for options in ["", "&sslmode=prefer", "&sslmode=require", "&sslmode=verify-full&sslrootcert=/none.pem"] {
        let url = format!("postgresql://tapeline@/{name}?host={folder}&port=5432{options}");
        let storage = connect(&url).unwrap_or_else(|error| panic!("{options}: {}", chain(&error)));
        assert!(storage.studies().unwrap().is_empty(), "{options}");
    }
}

#[test]
fn a_number_is_enough_to_find_a_server() {
    let (Some(encrypted), Some(python)) = (Encrypted::start(), Optuna::V5.python()) else { return };
    connect(&encrypted.database).unwrap().create_study("of all", &[Direction::Minimize]).unwrap();
    let (port, name) = (encrypted.server.port(), encrypted.database.rsplit_once('/').unwrap().1);
    let cases = [
        ("sslmode=disable", Expected::Plain),
        ("sslmode=prefer", Expected::Encrypted),
        ("sslmode=require", Expected::Encrypted),
        ("sslmode=verify-ca&sslrootcert={ca.pem}", Expected::Encrypted),
        ("sslmode=verify-full&sslrootcert={ca.pem}", Expected::Refused("not valid for name")),
    ];
    for (number, (options, expected)) in cases.into_iter().enumerate() {
        let shown = format!("number{number}");
        let options = options.replace("{ca.pem}", &encrypted.file("ca.pem").display().to_string());
        let url = format!(
            "postgresql://tapeline@/{name}?hostaddr=127.0.0.1&port={port}&{options}&application_name={shown}"
        );
        let theirs = python.try_ask(&["dump", &for_python(&url)]);
        match (expected, connect(&url)) {
            (Expected::Refused(reason), Err(error)) => {
                assert!(chain(&error).contains(reason), "{options}: {}", chain(&error));
                assert!(theirs.is_err(), "{options}: Optuna is let in");
            }
            (Expected::Refused(_), Ok(_)) => panic!("{options}: was let in"),
            (_, Err(error)) => panic!("{options}: {}", chain(&error)),
            (let_in, Ok(storage)) => {
                assert_eq!(storage.studies().unwrap().len(), 1, "{options}");
                assert_eq!(
                    encrypted.is_encrypted(&shown),
                    matches!(let_in, Expected::Encrypted),
                    "{options}"
                );
                assert!(theirs.is_ok(), "{options}: {theirs:?}");
            }
        }
    }
}
