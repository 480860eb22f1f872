//! How a server is reached: at its address, encrypted or not, and not for longer than somebody waits.

use std::sync::mpsc::channel;
use std::time::Duration;

use postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::encryption::Encryption;

/// How long a connection may take to come about, and how long one may be silent before the system asks whether it lives.
const CONNECT: Duration = Duration::from_secs(10);
/// The least that a server has to answer in, however little patience is left.
const LEAST: Duration = Duration::from_secs(1);

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
        config.ssl_mode(encryption.mode);
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
        self.config.connect(self.connector.clone())
    }
}

/// Whether the two could not agree on encryption, or a certificate was refused: that will be the same next time.
pub(super) fn is_of_encryption(error: &std::io::Error) -> bool {
    error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()).is_some()
}
