//! The keys of `[tls]`.

use super::Unfit;
use crate::tls;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The keys of `[tls]`, by Nomad's names.
#[derive(Clone, Debug, Default, PartialEq, clap::Args, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// Answer over TLS alone. [default: false]
    #[arg(long = "tls-http", value_name = "BOOL", env = "SADDLEBAG_TLS_HTTP",
        num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub http: Option<bool>,

    /// The server's certificate, PEM.
    #[arg(
        long = "tls-cert-file",
        value_name = "FILE",
        env = "SADDLEBAG_TLS_CERT_FILE"
    )]
    pub cert_file: Option<PathBuf>,

    /// Its private key, PEM.
    #[arg(
        id = "tls_key_file", // secrets have one, too
        long = "tls-key-file",
        value_name = "FILE",
        env = "SADDLEBAG_TLS_KEY_FILE"
    )]
    pub key_file: Option<PathBuf>,

    /// The certificates of the authorities that clients' certificates are checked with, PEM.
    #[arg(
        long = "tls-ca-file",
        value_name = "FILE",
        env = "SADDLEBAG_TLS_CA_FILE"
    )]
    pub ca_file: Option<PathBuf>,

    /// Let in only clients that have a certificate of such an authority. [default: false]
    #[arg(long = "tls-verify-https-client", value_name = "BOOL", env = "SADDLEBAG_TLS_VERIFY_HTTPS_CLIENT",
        num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub verify_https_client: Option<bool>,
}

impl Tls {
    pub(super) fn defaults() -> Self {
        Self {
            http: Some(false),
            cert_file: Some(PathBuf::new()),
            key_file: Some(PathBuf::new()),
            ca_file: Some(PathBuf::new()),
            verify_https_client: Some(false),
        }
    }

    pub(super) fn or(self, those: Self) -> Self {
        Self {
            http: self.http.or(those.http),
            cert_file: self.cert_file.or(those.cert_file),
            key_file: self.key_file.or(those.key_file),
            ca_file: self.ca_file.or(those.ca_file),
            verify_https_client: self.verify_https_client.or(those.verify_https_client),
        }
    }

    /// Where the certificates are, if requests are answered over TLS. The error: one that is needed is
    /// not given, or what is given would not be used.
    pub(super) fn files(&self) -> Result<Option<tls::Files>, Unfit> {
        let given = |file: &Option<PathBuf>| file.clone().filter(|file| *file != PathBuf::new());
        let needed = |file: &Option<PathBuf>, key, what: &str| {
            given(file).ok_or_else(|| Unfit {
                key,
                problem: format!("{what} is needed; `saddlebag tls cert create` makes one"),
            })
        };
        let verifies = self.verify_https_client == Some(true);
        if self.http != Some(true) {
            return match given(&self.cert_file).is_some() || verifies {
                false => Ok(None),
                true => Err(Unfit {
                    key: "tls.http",
                    problem: "nothing is encrypted, and the other keys of tls are not used, \
                              unless this is true"
                        .to_owned(),
                }),
            };
        }
        Ok(Some(tls::Files {
            cert: needed(&self.cert_file, "tls.cert_file", "the server's certificate")?,
            key: needed(&self.key_file, "tls.key_file", "its private key")?,
            clients: match verifies {
                false => None,
                true => Some(needed(
                    &self.ca_file,
                    "tls.ca_file",
                    "the certificate of the clients' authority",
                )?),
            },
        }))
    }
}
