//! Whether a server is the one that is meant.

use super::{certificates, unusable};
use crate::EnvironmentError;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

/// Whose certificates are taken.
#[derive(Debug)]
pub(super) enum Trust {
    /// Those of whom this machine trusts; read when the first one is to be judged.
    Machine(OnceLock<Result<rustls_platform_verifier::Verifier, Error>>),
    /// Those of these authorities.
    These(Arc<WebPkiServerVerifier>),
    /// All.
    Anybody,
}

/// Judges certificates.
#[derive(Debug)]
pub(super) struct Verifier {
    trust: Trust,
    /// What a certificate has to stand for, if not for the host in the URL.
    name: Option<ServerName<'static>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Trust {
    pub fn machine() -> Self {
        Self::Machine(OnceLock::new())
    }

    /// The authorities in these files.
    pub fn these(files: &[PathBuf]) -> Result<Self, EnvironmentError> {
        let mut roots = RootCertStore::empty();
        for file in files {
            for certificate in certificates(file)? {
                let added = roots.add(certificate);
                added.map_err(|error| unusable(file, error))?;
            }
        }
        let provider = Arc::new(ring::default_provider());
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map(Self::These)
            .map_err(|error| EnvironmentError::Tls {
                problem: format!("no authority is given that could be trusted: {error}"),
            })
    }

    fn judge(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self {
            Self::Anybody => Ok(ServerCertVerified::assertion()),
            Self::These(these) => these.verify_server_cert(certificate, between, name, ocsp, now),
            Self::Machine(verifier) => {
                let read =
                    || rustls_platform_verifier::Verifier::new(Arc::new(ring::default_provider()));
                match verifier.get_or_init(read) {
                    Ok(verifier) => {
                        verifier.verify_server_cert(certificate, between, name, ocsp, now)
                    }
                    Err(error) => Err(error.clone()),
                }
            }
        }
    }
}

impl Verifier {
    pub fn new(trust: Trust, name: Option<ServerName<'static>>) -> Self {
        let algorithms = ring::default_provider().signature_verification_algorithms;
        Self {
            trust,
            name,
            algorithms,
        }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let name = self.name.as_ref().unwrap_or(name);
        self.trust.judge(certificate, between, name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
