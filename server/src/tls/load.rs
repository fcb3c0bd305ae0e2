//! From PEM files to what a handshake goes by.

use super::validity::Validity;
use super::{Files, Unusable};
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

/// What is offered and taken: HTTP/2 first, since one connection of it carries many waiting requests.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// What a handshake goes by, and when the server's certificate is good, if that can be read.
pub(super) fn config(files: &Files) -> Result<(Arc<ServerConfig>, Option<Validity>), Unusable> {
    let provider = Arc::new(ring::default_provider());
    let chain = certificates(&files.cert)?;
    let validity = chain.first().and_then(Validity::of);
    warn_of_readers(&files.key);
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| {
        unusable(
            &files.key,
            told(error, "private key", "-----BEGIN PRIVATE KEY-----"),
        )
    })?;
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(&files.cert, error))?;
    let builder = match &files.clients {
        None => builder.with_no_client_auth(),
        Some(file) => {
            let roots = Arc::new(roots(file)?);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider).build();
            builder.with_client_cert_verifier(verifier.map_err(|error| unusable(file, error))?)
        }
    };
    let config = builder.with_single_cert(chain, key);
    let mut config = config.map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => unusable(
            &files.key,
            format!("this is not the key of {}", files.cert.display()),
        ),
        error => unusable(&files.cert, error),
    })?;
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
    Ok((Arc::new(config), validity))
}

/// Where files are handed out by an orchestrator their modes are not the operator's, so this is no reason
/// not to start.
fn warn_of_readers(key: &Path) {
    const OTHERS: u32 = 0o007;
    let mode = std::fs::metadata(key).map(|seen| seen.permissions().mode());
    if mode.is_ok_and(|mode| mode & OTHERS != 0) {
        let key = key.display();
        tracing::warn!(
            "{key}: every user of this machine can reach the private key: set its mode to 0600"
        );
    }
}

fn roots(file: &Path) -> Result<RootCertStore, Unusable> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        let added = roots.add(certificate);
        added.map_err(|error| unusable(file, error))?;
    }
    Ok(roots)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Unusable> {
    let what = |error| {
        unusable(
            file,
            told(error, "certificate", "-----BEGIN CERTIFICATE-----"),
        )
    };
    let found = CertificateDer::pem_file_iter(file).map_err(what)?;
    let found: Vec<_> = found.collect::<Result<_, _>>().map_err(what)?;
    match found.is_empty() {
        true => Err(what(pem::Error::NoItemsFound)),
        false => Ok(found),
    }
}

fn unusable(file: &Path, problem: impl ToString) -> Unusable {
    Unusable {
        file: file.to_owned(),
        problem: problem.to_string(),
    }
}

fn told(error: pem::Error, what: &str, begins: &str) -> String {
    match error {
        pem::Error::Io(error) => error.to_string(),
        pem::Error::NoItemsFound => {
            format!("it holds no {what}: one in PEM begins with {begins}")
        }
        error => format!("it is no PEM file: {error}"),
    }
}
