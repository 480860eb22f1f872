//! Whether a server is who it says it is, as far as an address wants to know.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

/// What a server's certificate must show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Vouched {
    /// Nothing: whoever listens is kept out, whoever answers is not.
    Nothing,
    /// That an authority signed it.
    Authority,
    /// That an authority signed it for this host.
    Host,
}

/// Looks at certificates. That the server has the key of what it shows is looked at in every case.
#[derive(Debug)]
pub(super) struct Verifier {
    /// Of a chain and its host.
    full: Option<Arc<WebPkiServerVerifier>>,
    vouched: Vouched,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    /// `roots` are there unless nothing is vouched for.
    pub(super) fn new(
        provider: &Arc<CryptoProvider>,
        roots: Option<RootCertStore>,
        vouched: Vouched,
    ) -> Result<Self, String> {
        let full = roots.map(|roots| {
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build()
        });
        let full = full.transpose().map_err(|error| format!("sslrootcert: {error}"))?;
        Ok(Self { full, vouched, algorithms: provider.signature_verification_algorithms })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(full) = &self.full else { return Ok(ServerCertVerified::assertion()) };
        let verified = full.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verified {
            // The name is looked at last: all else held.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if self.vouched == Vouched::Authority => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
