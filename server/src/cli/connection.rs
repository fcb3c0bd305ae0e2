//! Which server a command speaks to, and as whom.

use crate::cli::failure::Failure;
use crate::csi::Secret;
use saddlebag_client::{Client, Environment, Tls};
use std::convert::Infallible;
use std::path::PathBuf;

/// The server to speak to.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Server")]
pub struct Connection {
    /// Its address; else SADDLEBAG_ADDR, NOMAD_ADDR, or http://127.0.0.1:4646.
    #[arg(long, global = true, value_name = "URL")]
    address: Option<String>,

    /// The secret of a token; else SADDLEBAG_TOKEN or NOMAD_TOKEN.
    #[arg(long, global = true, value_name = "SECRET", value_parser = secret)]
    token: Option<Secret>,

    /// The namespace; else SADDLEBAG_NAMESPACE, NOMAD_NAMESPACE, or `default`.
    #[arg(long, global = true, value_name = "NAME")]
    namespace: Option<String>,

    /// The region; else SADDLEBAG_REGION or NOMAD_REGION.
    #[arg(long, global = true, value_name = "NAME")]
    region: Option<String>,

    /// An authority to trust, PEM; else SADDLEBAG_CACERT or NOMAD_CACERT.
    #[arg(long, global = true, value_name = "FILE")]
    ca_cert: Option<PathBuf>,

    /// A folder of such files; else SADDLEBAG_CAPATH or NOMAD_CAPATH.
    #[arg(long, global = true, value_name = "DIR")]
    ca_path: Option<PathBuf>,

    /// The certificate to show, PEM; else SADDLEBAG_ or NOMAD_CLIENT_CERT.
    #[arg(long, global = true, value_name = "FILE")]
    client_cert: Option<PathBuf>,

    /// Its key, PEM; else SADDLEBAG_ or NOMAD_CLIENT_KEY.
    #[arg(long, global = true, value_name = "FILE")]
    client_key: Option<PathBuf>,

    /// Whose certificate has to be shown; else SADDLEBAG_ or NOMAD_TLS_SERVER_NAME.
    #[arg(long, global = true, value_name = "NAME")]
    tls_server_name: Option<String>,

    /// Take any certificate, whoever shows it; else SADDLEBAG_ or NOMAD_SKIP_VERIFY.
    #[arg(long, global = true)]
    tls_skip_verify: bool,
}

/// A server that is spoken to.
pub struct Session {
    /// The generated client.
    pub client: Client,
    /// Where the server is.
    pub address: String,
    /// The namespace that was asked for, if one was.
    pub namespace: Option<String>,
    /// The region that was asked for, if one was.
    pub region: Option<String>,
    /// Whether requests carry a token.
    pub has_token: bool,
}

impl Connection {
    /// The same with the server at this address, if one is given.
    #[must_use]
    pub fn at(self, address: Option<String>) -> Self {
        Self {
            address: address.or(self.address),
            ..self
        }
    }

    /// Gets ready to speak to the server; nothing is sent yet.
    ///
    /// # Errors
    /// The address or the token cannot be right.
    pub fn open(self) -> Result<Session, Failure> {
        let environment = Environment::read();
        let of_environment = environment.tls;
        let environment = Environment {
            address: self.address.unwrap_or(environment.address),
            token: self
                .token
                .map(|token| token.expose().to_owned())
                .or(environment.token),
            namespace: self.namespace.or(environment.namespace),
            region: self.region.or(environment.region),
            tls: Tls {
                ca_cert: self.ca_cert.or(of_environment.ca_cert),
                ca_path: self.ca_path.or(of_environment.ca_path),
                client_cert: self.client_cert.or(of_environment.client_cert),
                client_key: self.client_key.or(of_environment.client_key),
                server_name: self.tls_server_name.or(of_environment.server_name),
                skip_verify: self.tls_skip_verify || of_environment.skip_verify,
            },
        };
        let usage = |error: saddlebag_client::EnvironmentError| Failure::usage(error.to_string());
        Ok(Session {
            client: environment.client().map_err(usage)?,
            address: environment.url().map_err(usage)?,
            has_token: environment.token.is_some(),
            namespace: environment.namespace,
            region: environment.region,
        })
    }
}

impl Session {
    /// The namespace that requests without one are about.
    pub fn namespace(&self) -> &str {
        self.namespace.as_deref().unwrap_or("default")
    }

    /// A failure of this server.
    pub fn failure(
        &self,
        error: saddlebag_client::Error<saddlebag_client::types::Error>,
    ) -> Failure {
        Failure::of(error, &self.address)
    }
}

/// Sets those parameters of a request that there are values for.
macro_rules! given {
    ($request:expr, $($parameter:ident: $value:expr),+ $(,)?) => {{
        let request = $request;
        $(let request = match $value {
            Some(value) => request.$parameter(value),
            None => request,
        };)+
        request
    }};
}
pub(super) use given;

/// A value that is never shown again.
pub(super) fn secret(text: &str) -> Result<Secret, Infallible> {
    Ok(Secret::new(text))
}
