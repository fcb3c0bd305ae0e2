//! How a server's certificate is judged, and which certificate is shown to it.

mod problem;
mod trust;

pub use problem::TlsProblem;

use crate::EnvironmentError;
use rustls::ClientConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use trust::{Trust, Verifier};

/// Of whom a server's certificate has to be, and which certificate is shown to the server.
///
/// Certificates and keys are PEM files. They are read when a client is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// The authorities that are trusted, instead of those that this machine trusts.
    pub ca_cert: Option<PathBuf>,
    /// A folder whose files are such authorities. `ca_cert` counts, if both are given.
    pub ca_path: Option<PathBuf>,
    /// The certificate to show, with those between it and its root; its key has to be given, too.
    pub client_cert: Option<PathBuf>,
    /// The key of the certificate to show.
    pub client_key: Option<PathBuf>,
    /// The host name, or address, that the server's certificate has to stand for, instead of the one in the server's URL.
    /// The handshake still asks for the one in the URL.
    pub server_name: Option<String>,
    /// Take any certificate: nobody knows then who answers.
    pub skip_verify: bool,
}

/// A builder of HTTP clients that trust whom this machine trusts.
///
/// `reqwest::Client::new()` is no substitute: this crate brings the cryptography (ring) to each client that it makes and
/// installs none for the whole process, and without any that function panics.
///
/// ```
/// let http = saddlebag_client::http().user_agent("backups/1").build()?;
/// let client = saddlebag_client::Client::new_with_client("https://10.0.0.7:4646", http);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn http() -> reqwest::ClientBuilder {
    let config = base(Verifier::new(Trust::machine(), None)).with_no_client_auth();
    with(config)
}

impl Tls {
    /// A builder of HTTP clients that go by this.
    pub(crate) fn http(&self) -> Result<reqwest::ClientBuilder, EnvironmentError> {
        let builder = base(self.verifier()?);
        Ok(with(match self.identity()? {
            None => builder.with_no_client_auth(),
            Some((cert, chain, key)) => builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| unusable(cert, error))?,
        }))
    }

    fn verifier(&self) -> Result<Verifier, EnvironmentError> {
        let trust = match (&self.ca_cert, &self.ca_path) {
            _ if self.skip_verify => Trust::Anybody,
            (Some(file), _) => Trust::these(std::slice::from_ref(file))?,
            (None, Some(folder)) => Trust::these(&files_in(folder)?)?,
            (None, None) => Trust::machine(),
        };
        let name = self.server_name.as_deref().map(|name| {
            ServerName::try_from(name.to_owned()).map_err(|_| EnvironmentError::Tls {
                problem: format!(
                    "{name:?} is no host name and no address that a certificate could stand for"
                ),
            })
        });
        Ok(Verifier::new(trust, name.transpose()?))
    }

    /// The certificate to show: its file, with what is in it, and its key.
    #[allow(clippy::type_complexity, reason = "it is used in one place")]
    fn identity(
        &self,
    ) -> Result<
        Option<(&Path, Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
        EnvironmentError,
    > {
        match (&self.client_cert, &self.client_key) {
            (None, None) => Ok(None),
            (Some(cert), Some(key)) => {
                let chain = certificates(cert)?;
                let key = PrivateKeyDer::from_pem_file(key)
                    .map_err(|error| unreadable(key, error, "private key"))?;
                Ok(Some((cert, chain, key)))
            }
            _ => Err(EnvironmentError::Tls {
                problem: "a client certificate and its key are needed together, and only one of them is given".to_owned(),
            }),
        }
    }
}

fn base(
    verifier: Verifier,
) -> rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert> {
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has every protocol version")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
}

#[expect(clippy::disallowed_methods, reason = "here is the cryptography")]
fn with(mut config: ClientConfig) -> reqwest::ClientBuilder {
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    reqwest::Client::builder().tls_backend_preconfigured(config)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, EnvironmentError> {
    let failed = |error| unreadable(file, error, "certificate");
    let found = CertificateDer::pem_file_iter(file).map_err(failed)?;
    let found: Vec<_> = found.collect::<Result<_, _>>().map_err(failed)?;
    match found.is_empty() {
        true => Err(failed(pem::Error::NoItemsFound)),
        false => Ok(found),
    }
}

fn files_in(folder: &Path) -> Result<Vec<PathBuf>, EnvironmentError> {
    let entries = std::fs::read_dir(folder).and_then(|entries| {
        let paths = entries.map(|entry| entry.map(|entry| entry.path()));
        paths.collect::<Result<Vec<_>, _>>()
    });
    let mut files = entries.map_err(|error| unusable(folder, error))?;
    files.retain(|path| path.is_file());
    Ok(files)
}

fn unreadable(file: &Path, error: pem::Error, what: &str) -> EnvironmentError {
    match error {
        pem::Error::Io(error) => unusable(file, error),
        pem::Error::NoItemsFound => unusable(file, format!("it holds no {what} in PEM")),
        error => unusable(file, format!("it is no PEM file: {error}")),
    }
}

fn unusable(file: &Path, problem: impl ToString) -> EnvironmentError {
    EnvironmentError::Tls {
        problem: format!("{}: {}", file.display(), problem.to_string()),
    }
}
