//! What is wrong between a client's certificates and a server's, and which option helps.

use rustls::{AlertDescription, CertificateError, Error};
use std::fmt;
use std::io;

/// Why no request can be made over TLS. Its text says what to do, by the variable of the environment and by the flag of the
/// command line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsProblem {
    /// Nobody who is trusted has signed the server's certificate.
    UnknownAuthority,
    /// The server's certificate stands for other names than the server was asked for.
    WrongName(String),
    /// The server's certificate is not good any more, or not yet.
    WrongTime,
    /// The server wants a certificate, and none was shown.
    CertificateWanted,
    /// The server does not take the certificate that was shown.
    CertificateRefused(String),
    /// The server does not speak TLS.
    PlainHttp,
    /// Anything else.
    Other(String),
}

impl TlsProblem {
    /// What TLS has to say of why a request failed, if that is why.
    pub fn of(error: &(dyn std::error::Error + 'static)) -> Option<Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(error) = error.downcast_ref::<Error>() {
                return Some(Self::from(error));
            }
            // What such an error holds is not among its sources.
            next = match error
                .downcast_ref::<io::Error>()
                .and_then(io::Error::get_ref)
            {
                Some(inner) => Some(inner),
                None => error.source(),
            };
        }
        None
    }
}

impl From<&Error> for TlsProblem {
    fn from(error: &Error) -> Self {
        use AlertDescription as Alert;
        match error {
            Error::InvalidCertificate(error) => match error {
                // Another authority of the same name has another key.
                CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                    Self::UnknownAuthority
                }
                CertificateError::NotValidForName
                | CertificateError::NotValidForNameContext { .. } => {
                    Self::WrongName(error.to_string())
                }
                CertificateError::Expired
                | CertificateError::ExpiredContext { .. }
                | CertificateError::NotValidYet
                | CertificateError::NotValidYetContext { .. } => Self::WrongTime,
                error => Self::Other(format!("the server's certificate is refused: {error}")),
            },
            Error::InvalidMessage(_) => Self::PlainHttp,
            Error::AlertReceived(Alert::CertificateRequired) => Self::CertificateWanted,
            Error::AlertReceived(
                alert @ (Alert::UnknownCA
                | Alert::BadCertificate
                | Alert::UnsupportedCertificate
                | Alert::CertificateRevoked
                | Alert::CertificateExpired
                | Alert::CertificateUnknown
                | Alert::AccessDenied
                | Alert::DecryptError),
            ) => Self::CertificateRefused(format!("{alert:?}")),
            error => Self::Other(error.to_string()),
        }
    }
}

impl fmt::Display for TlsProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownAuthority => f.write_str(
                "the server's certificate is signed by an authority that is not trusted here: give that authority's certificate with SADDLEBAG_CACERT or --ca-cert",
            ),
            Self::WrongName(why) => write!(
                f,
                "the server's certificate is of another host ({why}): use its name in the address, or give the name with SADDLEBAG_TLS_SERVER_NAME or --tls-server-name"
            ),
            Self::WrongTime => f.write_str(
                "the server's certificate has expired, or is not good yet: the server needs a new one, or a clock is wrong",
            ),
            Self::CertificateWanted => f.write_str(
                "the server lets in only clients with a certificate: give one with SADDLEBAG_CLIENT_CERT and SADDLEBAG_CLIENT_KEY, or --client-cert and --client-key",
            ),
            Self::CertificateRefused(alert) => write!(
                f,
                "the server does not take the client certificate ({alert}): it has to be signed by the authority in the server's tls.ca_file, and be good now; give another with SADDLEBAG_CLIENT_CERT or --client-cert"
            ),
            Self::PlainHttp => f.write_str(
                "the server does not speak TLS there: use http:// in the address, or switch TLS on at the server (tls.http)",
            ),
            Self::Other(error) => write!(f, "TLS: {error}"),
        }
    }
}

impl std::error::Error for TlsProblem {}
