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

#[cfg(test)]
mod tests {
    use super::header_secrets;
    use crate::mangled::{assert_linear, texts};
    use axum::http::{HeaderMap, HeaderValue};

    fn header(text: &str) -> Option<HeaderMap> {
        let value = HeaderValue::from_bytes(text.as_bytes()).ok()?;
        Some(HeaderMap::from_iter([(
            "x-nomad-csi-secrets".parse().ok()?,
            value,
        )]))
    }

    #[test]
    fn a_hundred_thousand_mangled_headers_of_secrets_are_read_as_far_as_they_hold_pairs() {
        let whole = [
            "user=admin,password=hush",
            "a=b=c,,=d,e",
            "k= v ,k=w",
            "p\u{e9}=\u{e9}",
        ];
        let mut held = 0;
        for text in texts(&whole, 80) {
            let Some(headers) = header(&text) else {
                continue;
            };
            let read = header_secrets(&headers);
            for (key, value) in read.iter() {
                let pair = format!("{key}={}", value.expose());
                assert!(
                    text.split(',').any(|item| item == pair),
                    "{text:?}: {pair:?}"
                );
                held += 1;
            }
            let named = text.split(',').any(|item| item.contains('='));
            assert_eq!(read.is_empty(), !named, "{text:?}");
        }
        assert!(held > 10_000, "{held}");
    }

    #[test]
    fn a_long_header_of_secrets_costs_no_more_than_its_length() {
        for shape in [
            ("", "a=b,", ""),
            ("", "=", ""),
            ("", ",", ""),
            ("k", "v", "="),
        ] {
            assert_linear(1_000, shape, |text| {
                header_secrets(&header(text).unwrap_or_default());
            });
        }
    }
}
