//! A PostgreSQL server on loopback that lives as long as a test needs it.

use std::fs::Permissions;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tempfile::TempDir;

/// Who the databases belong to.
const OWNER: &str = "tapeline";

/// A server with its data in a temporary folder. It is stopped when it is dropped.
pub struct PostgresServer {
    programs: PathBuf,
    folder: TempDir,
    port: u16,
    databases: Mutex<u32>,
}

impl PostgresServer {
    /// The server that the tests of this process share while one of them runs; `None`, with a printed reason, where the user
    /// has no PostgreSQL.
    pub fn shared() -> Option<Arc<Self>> {
        static SHARED: Mutex<Weak<PostgresServer>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = shared.upgrade() {
            return Some(server);
        }
        let server = Arc::new(Self::start()?);
        *shared = Arc::downgrade(&server);
        Some(server)
    }

    /// A server of one's own, which may be ill-treated.
    pub fn start() -> Option<Self> {
        let server = Self::laid_out()?;
        server.up();
        Some(server)
    }

    /// A server of one's own with this certificate and key (PEM). It takes encrypted connections and others, and the user
    /// `certified` with a certificate alone, which `authority` signed for that name.
    pub fn encrypted(certificate: &str, key: &str, authority: &str) -> Option<Self> {
        let server = Self::laid_out()?;
        for (name, text) in [("server.crt", certificate), ("server.key", key), ("root.crt", authority)] {
            let file = server.data().join(name);
            std::fs::write(&file, text).unwrap();
            std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
            if let Some(user) = other_user() {
                run(Command::new("chown").arg(user).arg(&file));
            }
        }
        let prepend = |name: &str, lines: &str| {
            let file = server.data().join(name);
            let text = std::fs::read_to_string(&file).unwrap();
            std::fs::write(&file, format!("{lines}\n{text}")).unwrap();
        };
        prepend("postgresql.conf", "ssl = on\nssl_ca_file = 'root.crt'");
        prepend("pg_hba.conf", "hostssl all certified all cert\nhost all certified all reject");
        server.up();
        Some(server)
    }

    /// A new server that does not run yet.
    fn laid_out() -> Option<Self> {
        let Some(programs) = programs() else {
            let reason = "no PostgreSQL server is installed (Debian: apt-get install postgresql)";
            assert!(std::env::var_os("CI").is_none(), "{reason}, and one is part of the tests in CI");
            println!("skipped: {reason}");
            return None;
        };
        let folder = tempfile::Builder::new().prefix("tapeline-postgres-").tempdir().unwrap();
        if let Some(user) = other_user() {
            run(Command::new("chown").arg(user).arg(folder.path()));
        }
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let server = Self { programs, folder, port, databases: Mutex::new(0) };
        let data = server.data();
        run(server
            .program("initdb")
            .args(["--auth=trust", "--no-sync", "--encoding=UTF8", "-U", OWNER, "-D"])
            .arg(data));
        Some(server)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// PostgreSQL refuses to run as root, so there its programs run as somebody else.
    fn program(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        let mut command = match other_user() {
            Some(user) => {
                let mut command = Command::new("runuser");
                command.args(["-u", user, "--"]).arg(program);
                command
            }
            None => Command::new(program),
        };
        command.current_dir("/");
        command
    }

    fn control(&self) -> Command {
        let mut command = self.program("pg_ctl");
        command.arg("-D").arg(self.data()).args(["-w", "-s"]);
        command
    }

    /// Starts the server and waits until it answers.
    pub fn up(&self) {
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off -c max_connections=50",
            self.port
        );
        // Into a file: a server that inherits a pipe would keep whoever reads it waiting.
        run(self
            .control()
            .arg("-l")
            .arg(self.folder.path().join("data/log"))
            .args(["-o", &options, "start"]));
    }

    /// Stops the server in `mode`: `fast` ends every transaction, `immediate` is as good as a crash.
    pub fn down(&self, mode: &str) {
        run(self.control().args(["-m", mode, "stop"]));
    }

    /// The address of a new database.
    pub fn database(&self) -> String {
        let mut databases = self.databases.lock().unwrap_or_else(PoisonError::into_inner);
        *databases += 1;
        let name = format!("studies_{databases}");
        let port = self.port.to_string();
        run(self.program("createdb").args(["-h", "127.0.0.1", "-p", &port, "-U", OWNER, &name]));
        format!("postgresql://{OWNER}@127.0.0.1:{port}/{name}")
    }

    /// Where it listens on 127.0.0.1.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        // A test that failed while the server was down leaves nothing to stop.
        let _ = self.control().args(["-m", "immediate", "stop"]).output();
    }
}

/// The folder of the newest server's programs.
fn programs() -> Option<PathBuf> {
    let version = |folder: &Path| folder.file_name()?.to_str()?.parse::<u32>().ok();
    let installed =
        std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path());
    let newest = installed.filter(|folder| version(folder).is_some()).max_by_key(|folder| version(folder));
    let on_path = std::env::var_os("PATH")
        .into_iter()
        .flat_map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
    newest
        .map(|folder| folder.join("bin"))
        .into_iter()
        .chain(on_path)
        .find(|folder| folder.join("pg_ctl").is_file())
}

/// Who runs the server when the tests run as root.
fn other_user() -> Option<&'static str> {
    let id = |arguments: &[&str]| {
        Command::new("id").args(arguments).output().ok().filter(|said| said.status.success())
    };
    if id(&["-u"])?.stdout.trim_ascii() != b"0" {
        return None;
    }
    Some(if id(&["-u", "postgres"]).is_some() { "postgres" } else { "nobody" })
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
