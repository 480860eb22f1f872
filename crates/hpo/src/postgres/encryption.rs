//! Encrypted connections, asked for in the words of libpq, so that one address means the same here and to Optuna's drivers.

#[cfg(test)]
mod tests;
mod verifier;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use postgres::config::SslMode;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use self::verifier::{Verifier, Vouched};

/// What an address says of encryption.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Encryption {
    /// Whether there is any.
    pub(super) mode: SslMode,
    /// What a server's certificate must show.
    vouched: Vouched,
    authority: Option<Authority>,
    identity: Option<Identity>,
}

/// Whose signature under a server's certificate counts.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Authority {
    /// Those of a file in PEM.
    File(PathBuf),
    /// Those that this machine trusts.
    System,
}

/// What the client shows to the server: files in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Identity {
    certificate: PathBuf,
    key: PathBuf,
}

/// The options of an address that are read here.
#[derive(Default)]
struct Options {
    mode: Option<String>,
    authority: Option<String>,
    certificate: Option<String>,
    key: Option<String>,
}

impl Options {
    fn slot(&mut self, name: &str) -> Option<&mut Option<String>> {
        match name {
            "sslmode" => Some(&mut self.mode),
            "sslrootcert" => Some(&mut self.authority),
            "sslcert" => Some(&mut self.certificate),
            "sslkey" => Some(&mut self.key),
            _ => None,
        }
    }

    /// Takes its own options out of `url`.
    fn take(&mut self, url: &str) -> Result<String, String> {
        let Some((address, query)) = url.split_once('?') else { return Ok(url.to_owned()) };
        let mut others = Vec::new();
        for option in query.split('&') {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            match self.slot(name) {
                Some(slot) => {
                    let value = percent_decode_str(value).decode_utf8();
                    *slot = Some(value.map_err(|_| format!("{name} is not UTF-8"))?.into_owned());
                }
                None => others.push(option),
            }
        }
        let mark = if others.is_empty() { "" } else { "?" };
        Ok(format!("{address}{mark}{}", others.join("&")))
    }
}

impl Encryption {
    /// None at all.
    pub(super) const fn none() -> Self {
        Self { mode: SslMode::Disable, vouched: Vouched::Nothing, authority: None, identity: None }
    }

    /// What `url` says of encryption, and `url` without it. The fault names the option and what to do.
    pub(super) fn of(url: &str) -> Result<(String, Self), String> {
        let mut options = Options::default();
        let rest = options.take(url)?;
        let authority = options.authority.as_deref().filter(|file| !file.is_empty()).map(|file| match file {
            "system" => Authority::System,
            file => Authority::File(file.into()),
        });
        let asked = options.mode.as_deref().filter(|mode| !mode.is_empty());
        let (mode, vouched) = match (asked, &authority) {
            (None, Some(Authority::System)) | (Some("verify-full"), Some(_)) => {
                (SslMode::Require, Vouched::Host)
            }
            (Some("verify-ca"), Some(Authority::File(_))) => (SslMode::Require, Vouched::Authority),
            // As in libpq: whoever says whose signature counts wants it looked at.
            (Some("require"), Some(Authority::File(_))) => (SslMode::Require, Vouched::Authority),
            (Some("require"), None) => (SslMode::Require, Vouched::Nothing),
            (Some("prefer" | "allow") | None, None) => (SslMode::Prefer, Vouched::Nothing),
            (Some("disable"), _) => (SslMode::Disable, Vouched::Nothing),
            (Some(mode @ ("verify-ca" | "verify-full")), None) => {
                return Err(format!(
                    "sslmode={mode} looks at the server's certificate: name the file of its authority with \
                     sslrootcert=/path/to/ca.pem, or sslrootcert=system"
                ));
            }
            (Some("verify-ca" | "require"), Some(Authority::System)) => {
                return Err("sslrootcert=system goes with sslmode=verify-full alone: anybody can have a \
                            certificate that some authority signed"
                    .to_owned());
            }
            (Some("prefer" | "allow") | None, Some(_)) => {
                return Err(
                    "sslrootcert asks for a look at the server's certificate: add sslmode=verify-full, or \
                            verify-ca where the host's name differs from that of the certificate"
                        .to_owned(),
                );
            }
            (Some(mode), _) => {
                return Err(format!(
                    "sslmode={mode} is none of disable, allow, prefer, require, verify-ca, verify-full"
                ));
            }
        };
        let identity = match (options.certificate, options.key) {
            (None, None) => None,
            (Some(certificate), Some(key)) => {
                Some(Identity { certificate: certificate.into(), key: key.into() })
            }
            _ => return Err("sslcert and sslkey, a certificate and its key, go together".to_owned()),
        };
        Ok((rest, Self { mode, vouched, authority, identity }))
    }

    /// What makes connections so. The fault names the file that cannot be used.
    pub(super) fn connector(&self) -> Result<MakeRustlsConnect, String> {
        let provider = Arc::new(ring::default_provider());
        let roots = match &self.authority {
            Some(authority) if self.vouched != Vouched::Nothing => Some(authority.roots()?),
            _ => None,
        };
        let verifier = Verifier::new(&provider, roots, self.vouched)?;
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let mut client = match &self.identity {
            None => client.with_no_client_auth(),
            Some(identity) => {
                let (chain, key) = identity.read()?;
                client.with_client_auth_cert(chain, key).map_err(|error| {
                    format!("sslcert and sslkey ({}): {error}", identity.certificate.display())
                })?
            }
        };
        // Servers that begin with encryption at once ask for it.
        client.alpn_protocols = vec![b"postgresql".to_vec()];
        Ok(MakeRustlsConnect::new(client))
    }
}

impl Authority {
    fn roots(&self) -> Result<RootCertStore, String> {
        let certificates = match self {
            Self::File(file) => certificates("sslrootcert", file)?,
            Self::System => {
                let found = rustls_native_certs::load_native_certs();
                if found.certs.is_empty() {
                    let faults: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
                    return Err(format!(
                        "sslrootcert=system: this machine trusts no authority (Debian: apt-get install \
                         ca-certificates) {}",
                        faults.join(", ")
                    ));
                }
                found.certs
            }
        };
        let mut roots = RootCertStore::empty();
        let (_, unreadable) = roots.add_parsable_certificates(certificates);
        match self {
            Self::File(file) if unreadable > 0 => Err(format!(
                "sslrootcert={}: {unreadable} of its certificates cannot be read",
                file.display()
            )),
            _ => Ok(roots),
        }
    }
}

impl Identity {
    fn read(&self) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), String> {
        let chain = certificates("sslcert", &self.certificate)?;
        let key = PrivateKeyDer::from_pem_file(&self.key)
            .map_err(|error| format!("sslkey={}: {error}", self.key.display()))?;
        Ok((chain, key))
    }
}

/// Those of a file in PEM, one at least.
fn certificates(option: &str, file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let refuse = |error| format!("{option}={}: {error}", file.display());
    let read: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(file).map_err(|error| refuse(error.to_string()))?.collect();
    let certificates = read.map_err(|error| refuse(error.to_string()))?;
    match certificates.is_empty() {
        true => Err(refuse("it holds no certificate in PEM".to_owned())),
        false => Ok(certificates),
    }
}
