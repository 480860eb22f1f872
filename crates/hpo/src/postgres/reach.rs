//! How a server is reached: at its address, encrypted or not, and not for longer than somebody waits.

use std::sync::mpsc::channel;
use std::time::Duration;

use postgres::config::{Host, SslMode};
use postgres::error::SqlState;
use postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::encryption::Encryption;

/// How long a connection may take to come about, and how long one may be silent before the system asks whether it lives.
const CONNECT: Duration = Duration::from_secs(10);
/// The least that a server has to answer in, however little patience is left.
const LEAST: Duration = Duration::from_secs(3);

/// Why something did not come about, or not yet.
#[derive(Debug, thiserror::Error)]
pub(super) enum Lost {
    /// The server or the network says so.
    #[error(transparent)]
    Postgres(#[from] postgres::Error),
    /// Something took the call and said nothing.
    #[error("no connection came about within {} ms", .0.as_millis())]
    Silent(Duration),
    /// The server still holds the transaction of a connection that was lost.
    #[error("the transaction of a lost connection is still in progress")]
    Undecided,
}

/// Where a server is, and how to speak to it.
#[derive(Clone)]
pub(super) struct Address {
    config: Config,
    connector: MakeRustlsConnect,
}

impl Address {
    /// What `url` says. The fault says what is wrong with it.
    pub(super) fn of(url: &str) -> Result<Self, String> {
        let (rest, encryption) = Encryption::of(url)?;
        let mut config: Config =
            rest.parse().map_err(|error: postgres::Error| match std::error::Error::source(&error) {
                Some(source) => format!("{error}: {source}"),
                None => error.to_string(),
            })?;
        // As in libpq: what goes through a socket file stays on the machine, whatever is said of encryption.
        let stays_here = config.get_hostaddrs().is_empty()
            && !config.get_hosts().is_empty()
            && config.get_hosts().iter().all(|host| !matches!(host, Host::Tcp(_)));
        let encryption = if stays_here { Encryption::none() } else { encryption };
        config.ssl_mode(encryption.mode);
        // Encryption asks for a name, which is the number where nothing else is said.
        if config.get_hosts().is_empty() {
            for number in config.get_hostaddrs().to_vec() {
                config.host(&number.to_string());
            }
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        // A server that vanished without a word is noticed within a minute, and not after hours.
        config.keepalives_idle(CONNECT).keepalives_interval(CONNECT).keepalives_retries(3);
        config.tcp_user_timeout(4 * CONNECT);
        if config.get_application_name().is_none() {
            config.application_name("tapeline");
        }
        Ok(Self { config, connector: encryption.connector()? })
    }

    /// A connection, if it comes about while there is patience.
    pub(super) fn reach(&self, patience: Duration) -> Result<Client, Lost> {
        let hosts = u32::try_from(self.config.get_hosts().len()).unwrap_or(u32::MAX);
        let usual = self.config.get_connect_timeout().copied().unwrap_or(CONNECT);
        let most = usual.saturating_mul(hosts.saturating_add(2)).max(LEAST);
        let within = patience.clamp(LEAST, most);
        let (said, heard) = channel();
        let address = self.clone();
        // On a thread of its own, since only the way to the server has a limit, and who takes the call may never say a word. What
        // comes too late is dropped there.
        std::thread::spawn(move || drop(said.send(address.connect())));
        heard.recv_timeout(within).map_err(|_| Lost::Silent(within))?.map_err(Lost::Postgres)
    }

    fn connect(&self) -> Result<Client, postgres::Error> {
        let error = match self.config.connect(self.connector.clone()) {
            Err(error) if self.config.get_ssl_mode() == SslMode::Prefer && may_do_without(&error) => error,
            other => return other,
        };
        let mut plain = self.config.clone();
        plain.ssl_mode(SslMode::Disable);
        match plain.connect(NoTls) {
            // Neither way is let in: the reason of the way that was preferred is the one to tell.
            Err(second) if second.code() == Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION) => {
                Err(error)
            }
            other => other,
        }
    }
}

/// Whether an encrypted connection failed in a way in which another may not: the two could not agree on encryption, or this
/// client is not let in by it.
fn may_do_without(error: &postgres::Error) -> bool {
    use std::io::ErrorKind;
    if let Some(code) = error.code() {
        return *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION;
    }
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<std::io::Error>());
    let broke = |error: &std::io::Error| {
        matches!(
            error.kind(),
            ErrorKind::UnexpectedEof
                | ErrorKind::ConnectionReset
                | ErrorKind::ConnectionAborted
                | ErrorKind::BrokenPipe
        )
    };
    source.is_some_and(|error| is_of_encryption(error) || broke(error))
}

/// Whether the two could not agree on encryption, or a certificate was refused: that will be the same next time.
pub(super) fn is_of_encryption(error: &std::io::Error) -> bool {
    error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()).is_some()
}
