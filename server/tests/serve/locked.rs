//! A site whose server answers over TLS, with certificates that our own commands made.

use crate::process::{Running, saddlebag, soon};
use crate::site::Site;
use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use saddlebag_client::{Client, Environment};
use std::io;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

pub const AUTHORITY: &str = "saddlebag-agent-ca.pem";
pub const CERTIFICATE: &str = "global-server-saddlebag.pem";
pub const KEY: &str = "global-server-saddlebag-key.pem";

pub struct Locked(pub Site);

impl Locked {
    /// With an authority, and the server's and a client's certificates.
    pub async fn new() -> Self {
        let locked = Self(Site::new());
        locked.make(&["ca", "create"]).await;
        locked.make(&["cert", "create", "-server"]).await;
        locked.make(&["cert", "create", "-cli"]).await;
        locked.configure("");
        locked
    }

    /// `saddlebag tls …`, which has to do it; what it says.
    pub async fn make(&self, args: &[&str]) -> String {
        let args = [&["tls"], args].concat();
        let (code, said) = self.command(&args).await;
        assert_eq!(code, Some(0), "{said}");
        said
    }

    /// A command in the site's folder: how it ended, and what it said.
    pub async fn command(&self, args: &[&str]) -> (Option<i32>, String) {
        let mut command = saddlebag(self.0.path(), args);
        let output = soon("a command", command.output()).await.unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    }

    /// Runs a command that is refused until it has read why: in TLS 1.3 a client may send its request first, and
    /// then find the connection closed.
    pub async fn refused(&self, args: &[&str]) -> (Option<i32>, String) {
        let told = async {
            loop {
                let (code, said) = self.command(args).await;
                assert_ne!(code, Some(0), "{said}");
                if !said.contains("ended before the answer") {
                    break (code, said);
                }
            }
        };
        soon("a command to be told why it is refused", told).await
    }

    /// The configuration: TLS, and these more keys of it.
    pub fn configure(&self, more: &str) {
        self.0.configure(&format!(
            "builtin_driver = true\n[tls]\nhttp = true\ncert_file = \"{CERTIFICATE}\"\nkey_file = \"{KEY}\"\n{more}\n"
        ));
    }

    pub async fn start(&self) -> Running {
        let running = self.0.start(&[]).await;
        assert!(
            running.url.starts_with("https://127.0.0.1:"),
            "{}",
            running.url
        );
        running
    }

    /// The Rust client, as these variables of the environment make it; files are of this site.
    pub fn client(&self, running: &Running, variables: &[(&str, &str)]) -> Client {
        let given = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, file)| self.0.at(file).to_str().unwrap().to_owned())
        };
        let variable = |name: &str| match name {
            "SADDLEBAG_ADDR" => Some(running.url.clone()),
            name => given(name),
        };
        Environment::from_variables(variable).client().unwrap()
    }

    /// A connection that trusts the authority, offers this protocol, and shows no certificate.
    pub async fn connect(
        &self,
        running: &Running,
        protocol: &str,
    ) -> io::Result<TlsStream<TcpStream>> {
        let mut config = self.trusting(rustls::ALL_VERSIONS);
        config.alpn_protocols = vec![protocol.into()];
        connect(running, config).await
    }

    /// What trusts the authority alone.
    pub fn trusting(&self, versions: &[&'static rustls::SupportedProtocolVersion]) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        let authority = CertificateDer::from_pem_file(self.0.at(AUTHORITY)).unwrap();
        roots.add(authority).unwrap();
        ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth()
    }
}

/// A connection with TLS around it.
pub async fn connect(running: &Running, config: ClientConfig) -> io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address(running)).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let connecting = TlsConnector::from(Arc::new(config)).connect(name, stream);
    soon("a handshake", connecting).await
}

/// `127.0.0.1:PORT`.
pub fn address(running: &Running) -> &str {
    running.url.strip_prefix("https://").unwrap()
}
