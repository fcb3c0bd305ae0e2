//! Where a server is and how to speak to it, as the environment says.

use crate::{Client, Tls};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use std::fmt;
use std::time::Duration;

/// The address of a server that says nothing else: where `saddlebag dev` and a Nomad agent listen.
pub const DEFAULT_ADDRESS: &str = "http://127.0.0.1:4646";

/// Where a server is, how to be sure that it is that one, and what every request to it carries.
///
/// | field | variable | else |
/// |---|---|---|
/// | address | `SADDLEBAG_ADDR` | `NOMAD_ADDR`, then [`DEFAULT_ADDRESS`] |
/// | token | `SADDLEBAG_TOKEN` | `NOMAD_TOKEN`, then none |
/// | namespace | `SADDLEBAG_NAMESPACE` | `NOMAD_NAMESPACE`, then none |
/// | region | `SADDLEBAG_REGION` | `NOMAD_REGION`, then none |
/// | tls | `SADDLEBAG_CACERT`, `_CAPATH`, `_CLIENT_CERT`, `_CLIENT_KEY`, `_TLS_SERVER_NAME`, `_SKIP_VERIFY` | `NOMAD_…` |
///
/// A variable that is empty counts as absent, and so does a `SKIP_VERIFY` that is neither true nor false, as Nomad has it.
///
/// ```
/// use saddlebag_client::Environment;
///
/// let variables = |name: &str| (name == "NOMAD_ADDR").then(|| "10.0.0.7:4646".to_owned());
/// let environment = Environment::from_variables(variables);
/// assert_eq!(environment.address, "10.0.0.7:4646");
/// let client = environment.client()?;
/// # Ok::<(), saddlebag_client::EnvironmentError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Environment {
    /// The server's URL, `http` or `https`. `host:port` alone is understood as `http://host:port`.
    pub address: String,
    /// The secret of a token, sent as `X-Nomad-Token`.
    pub token: Option<String>,
    /// The namespace to ask for. Requests do not carry it by themselves: it is a parameter of most operations.
    pub namespace: Option<String>,
    /// The region to ask for; as with the namespace, a parameter of operations.
    pub region: Option<String>,
    /// Whose certificates are trusted, and which one is shown.
    pub tls: Tls,
}

impl Environment {
    /// What the variables of this process say.
    pub fn read() -> Self {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// What these variables say.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let read = |name: &str| {
            ["SADDLEBAG", "NOMAD"]
                .iter()
                .filter_map(|program| variable(&format!("{program}_{name}")))
                .find(|value| !value.is_empty())
        };
        Self {
            address: read("ADDR").unwrap_or_else(|| DEFAULT_ADDRESS.to_owned()),
            token: read("TOKEN"),
            namespace: read("NAMESPACE"),
            region: read("REGION"),
            tls: Tls {
                ca_cert: read("CACERT").map(Into::into),
                ca_path: read("CAPATH").map(Into::into),
                client_cert: read("CLIENT_CERT").map(Into::into),
                client_key: read("CLIENT_KEY").map(Into::into),
                server_name: read("TLS_SERVER_NAME"),
                skip_verify: read("SKIP_VERIFY").is_some_and(|value| is_true(&value)),
            },
        }
    }

    /// The server's URL, whole and without a slash at its end.
    ///
    /// # Errors
    /// The address is no URL, or one of a scheme that this client does not speak.
    pub fn url(&self) -> Result<String, EnvironmentError> {
        let address = self.address.trim_end_matches('/');
        let url = match address.contains("://") {
            true => address.to_owned(),
            false => format!("http://{address}"),
        };
        let refuse = |problem: String| EnvironmentError::Address {
            address: self.address.clone(),
            problem,
        };
        let parsed = reqwest::Url::parse(&url).map_err(|error| refuse(error.to_string()))?;
        match parsed.scheme() {
            "http" | "https" => Ok(url),
            other => Err(refuse(format!(
                "`{other}` is not spoken, only `http` and `https`"
            ))),
        }
    }

    /// A client of that server. A request may take as long as the server lets it: changes and blocking queries wait there.
    ///
    /// # Errors
    /// The address is none, the token cannot be sent in a header, a certificate cannot be used, or no connections can be
    /// made at all.
    pub fn client(&self) -> Result<Client, EnvironmentError> {
        const CONNECTING: Duration = Duration::from_secs(10);
        let url = self.url()?;
        let mut http = self
            .tls
            .http()?
            .connect_timeout(CONNECTING)
            .default_headers(self.headers()?);
        if is_this_machine(&url) {
            http = http.no_proxy();
        }
        let http = http.build().map_err(EnvironmentError::Connections)?;
        Ok(Client::new_with_client(&url, http))
    }

    fn headers(&self) -> Result<HeaderMap, EnvironmentError> {
        let mut headers = HeaderMap::new();
        if let Some(token) = &self.token {
            let mut value = HeaderValue::from_str(token).map_err(|_| EnvironmentError::Token)?;
            value.set_sensitive(true);
            headers.insert(HeaderName::from_static("x-nomad-token"), value);
        }
        Ok(headers)
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("address", &self.address)
            .field("token", &self.token.as_ref().map(|_| "[REDACTED]"))
            .field("namespace", &self.namespace)
            .field("region", &self.region)
            .field("tls", &self.tls)
            .finish()
    }
}

/// What Go's programs take for true.
fn is_true(value: &str) -> bool {
    ["1", "t", "T", "true", "True", "TRUE"].contains(&value)
}

/// Whether a URL is of this machine, to which no proxy leads.
fn is_this_machine(url: &str) -> bool {
    let url = reqwest::Url::parse(url).ok();
    let host = url.as_ref().and_then(reqwest::Url::host_str);
    host.is_some_and(|host| {
        let address = host.trim_start_matches('[').trim_end_matches(']');
        let parsed = address.parse::<std::net::IpAddr>();
        host == "localhost" || parsed.is_ok_and(|address| address.is_loopback())
    })
}

/// Why there is no client for an [`Environment`].
#[derive(Debug)]
pub enum EnvironmentError {
    /// The address is no URL, or one of a scheme that this client does not speak.
    Address {
        /// The address, as it was given.
        address: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The token has characters that no header can carry.
    Token,
    /// A certificate or key cannot be used.
    Tls {
        /// Which, and why.
        problem: String,
    },
    /// No connections can be made.
    Connections(reqwest::Error),
}

impl fmt::Display for EnvironmentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address { address, problem } => write!(
                f,
                "{address:?} is not the address of a server ({problem}): it looks like {DEFAULT_ADDRESS}"
            ),
            Self::Token => f.write_str(
                "the token has characters that cannot be sent: it is one line of plain ASCII",
            ),
            Self::Tls { problem } => f.write_str(problem),
            Self::Connections(error) => write!(f, "no connections can be made: {error}"),
        }
    }
}

impl std::error::Error for EnvironmentError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Connections(error) => Some(error),
            Self::Address { .. } | Self::Token | Self::Tls { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment::from_variables(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn our_variables_come_before_nomads_and_empty_ones_are_absent() {
        let nothing = environment(&[]);
        assert_eq!(nothing.address, DEFAULT_ADDRESS);
        assert_eq!(nothing.token, None);
        let nomad = environment(&[("NOMAD_TOKEN", "n"), ("NOMAD_NAMESPACE", "ns")]);
        assert_eq!(nomad.token.as_deref(), Some("n"));
        assert_eq!(nomad.namespace.as_deref(), Some("ns"));
        let both = environment(&[("NOMAD_TOKEN", "n"), ("SADDLEBAG_TOKEN", "s")]);
        assert_eq!(both.token.as_deref(), Some("s"));
        let empty = environment(&[("NOMAD_REGION", "global"), ("SADDLEBAG_REGION", "")]);
        assert_eq!(empty.region.as_deref(), Some("global"));
    }

    #[test]
    fn an_address_becomes_a_url_or_says_what_is_wrong() {
        let url = |address: &str| environment(&[("SADDLEBAG_ADDR", address)]).url();
        assert_eq!(url("10.0.0.7:4646").unwrap(), "http://10.0.0.7:4646");
        assert_eq!(url("http://host:1/").unwrap(), "http://host:1");
        assert_eq!(url("https://host").unwrap(), "https://host");
        for (address, problem) in [
            ("ftp://host", "`ftp` is not spoken"),
            ("unix:///run/nomad.sock", "`unix` is not spoken"),
            ("http://host:x", "invalid port"),
        ] {
            let told = url(address).unwrap_err().to_string();
            assert!(told.contains(address) && told.contains(problem), "{told}");
        }
    }

    #[test]
    fn a_token_is_never_shown() {
        let secret = environment(&[("NOMAD_TOKEN", "hush")]);
        assert!(!format!("{secret:?}").contains("hush"));
        let broken = environment(&[("NOMAD_TOKEN", "hush\nhush")]);
        let told = broken.client().unwrap_err().to_string();
        assert!(!told.contains("hush"), "{told}");
    }

    #[test]
    fn certificates_are_given_by_nomads_names_and_what_is_unusable_is_told_with_its_file() {
        let nomad = environment(&[
            ("NOMAD_CACERT", "/ca"),
            ("SADDLEBAG_CACERT", "/our-ca"),
            ("NOMAD_CAPATH", "/cas"),
            ("NOMAD_TLS_SERVER_NAME", "server.global.nomad"),
            ("NOMAD_SKIP_VERIFY", "1"),
        ]);
        let expected = Tls {
            ca_cert: Some("/our-ca".into()),
            ca_path: Some("/cas".into()),
            server_name: Some("server.global.nomad".to_owned()),
            skip_verify: true,
            ..Tls::default()
        };
        assert_eq!(nomad.tls, expected);
        assert!(
            !environment(&[("NOMAD_SKIP_VERIFY", "perhaps")])
                .tls
                .skip_verify
        );
        for (variables, told) in [
            (
                &[("NOMAD_CACERT", "/none.pem")][..],
                "/none.pem: No such file",
            ),
            (
                &[("NOMAD_CACERT", "/dev/null")],
                "/dev/null: it holds no certificate",
            ),
            (&[("NOMAD_CAPATH", "/none")], "/none: No such file"),
            (
                &[("NOMAD_CLIENT_CERT", "/c.pem")],
                "its key are needed together",
            ),
            (
                &[("NOMAD_TLS_SERVER_NAME", "a b")],
                "\"a b\" is no host name",
            ),
        ] {
            let error = environment(variables).client().unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }

    #[test]
    fn this_machine_is_known_by_name_and_address() {
        for url in ["http://localhost:1", "http://127.0.0.9:1", "http://[::1]:1"] {
            assert!(is_this_machine(url), "{url}");
        }
        assert!(!is_this_machine("http://10.0.0.7:1"));
    }
}
