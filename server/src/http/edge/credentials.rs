//! What a request carries to prove itself to us (a token) or to a driver (secrets).

use crate::csi::{Secret, Secrets};
use axum::http::{HeaderMap, header};
use std::fmt;
use zeroize::Zeroizing;

/// A token as a client sent it; not judged yet, and never printed.
#[derive(Clone)]
pub struct ClientToken(Secret);

impl ClientToken {
    /// The token of a request: `X-Nomad-Token`, else `Authorization: Bearer`. Other schemes, and
    /// empty tokens, count as none.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let token = match text(headers, "x-nomad-token").filter(|sent| !sent.is_empty()) {
            Some(sent) => sent.trim().to_owned(),
            None => {
                let sent = text(headers, header::AUTHORIZATION.as_str())?;
                let (scheme, rest) = sent.split_once(' ')?;
                let is_bearer = scheme.eq_ignore_ascii_case("bearer");
                is_bearer
                    .then(|| rest.split_whitespace().next())??
                    .to_owned()
            }
        };
        Self::new(token)
    }

    /// A token that came another way; `None` if it is empty.
    pub fn new(token: String) -> Option<Self> {
        (!token.is_empty()).then(|| Self(Secret::new(token)))
    }

    /// The token itself, to be compared and nothing else.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl fmt::Debug for ClientToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}

/// The secrets of `X-Nomad-CSI-Secrets`: reads `k1=v1,k2=v2` from the first such header as Nomad does:
/// split at each `,`, then at the first `=`; nothing is trimmed or unescaped; items without `=` are
/// dropped; the last of two equal keys counts.
pub fn header_secrets(headers: &HeaderMap) -> Secrets {
    let sent = text(headers, "x-nomad-csi-secrets").unwrap_or_default();
    let pairs = sent.split(',').filter_map(|item| item.split_once('='));
    pairs
        .map(|(key, value)| (key.to_owned(), Secret::new(value)))
        .collect()
}

/// The first header of this name, as text; bytes that are no UTF-8 become U+FFFD.
fn text(headers: &HeaderMap, name: &str) -> Option<Zeroizing<String>> {
    let value = headers.get(name)?;
    let text = String::from_utf8_lossy(value.as_bytes());
    Some(Zeroizing::new(text.into_owned()))
}
