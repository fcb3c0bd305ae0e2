//! Who may ask while there is no access control: no web page of another origin.
//!
//! A browser sends what a page tells it to, with the user's reach. So a request is answered only if
//!
//! - its `Host` is an IP address, `localhost` or a name of this server: a page that rebinds its own name
//!   to our address still sends its own name;
//! - its `Origin`, if any, is the very origin that it asks: a page can neither leave it out of a request
//!   that changes something nor make it up;
//! - its `Sec-Fetch-Site`, if any, is `same-origin` or `none` (typed, or a bookmark).
//!
//! What is no browser sends neither `Origin` nor `Sec-Fetch-Site` and is not hindered.

use super::{Reason, Refusal, refuse::quoted};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Turns away what web pages of other origins ask.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    names: Vec<Host>,
}

/// A host as it stands in `Host` and `Origin`; addresses by value, names in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    Address(IpAddr),
    Name(String),
}

/// `host[:port]`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Authority {
    host: Host,
    port: Option<u16>,
}

impl Guard {
    /// A guard that knows these names beside `localhost`; what is no host name is left out.
    pub fn new<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let names = names.into_iter().filter_map(Host::parse).collect();
        Self { names }
    }

    /// Whether this request may be answered.
    ///
    /// # Errors
    ///
    /// [`Reason::ForeignOrigin`], saying which header is why.
    pub fn admit(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
        let asked = match asked_authority(uri, headers)? {
            Some(text) => match Authority::parse(text) {
                Some(authority) if self.knows(&authority.host) => Some(authority),
                _ => return Err(foreign("Host", text)),
            },
            None => None,
        };
        if let Some(origin) = only(headers, header::ORIGIN)?
            && !asked.is_some_and(|asked| is_same_origin(origin, &asked))
        {
            return Err(foreign("Origin", origin));
        }
        match only(headers, HeaderName::from_static("sec-fetch-site"))? {
            None | Some("same-origin" | "none") => Ok(()),
            Some(site) => Err(foreign("Sec-Fetch-Site", site)),
        }
    }

    fn knows(&self, host: &Host) -> bool {
        match host {
            Host::Address(_) => true,
            Host::Name(name) => name == "localhost" || self.names.contains(host),
        }
    }
}

impl Host {
    fn parse(text: &str) -> Option<Self> {
        if let Some(inner) = text.strip_prefix('[') {
            let address: Ipv6Addr = inner.strip_suffix(']')?.parse().ok()?;
            return Some(Host::Address(address.into()));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        let is_name = name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
        if name.is_empty() || !is_name {
            return None;
        }
        Some(match name.parse::<Ipv4Addr>() {
            Ok(address) => Host::Address(address.into()),
            Err(_) => Host::Name(name.to_ascii_lowercase()),
        })
    }
}

impl Authority {
    fn parse(text: &str) -> Option<Self> {
        let end_of_host = match text.starts_with('[') {
            true => text.find(']')? + 1,
            false => text.find(':').unwrap_or(text.len()),
        };
        let (host, port) = text.split_at(end_of_host);
        let port = match port {
            "" | ":" => None,
            port => Some(parse_port(port.strip_prefix(':')?)?),
        };
        let host = Host::parse(host)?;
        Some(Self { host, port })
    }
}

fn parse_port(digits: &str) -> Option<u16> {
    digits
        .bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| digits.parse().ok())?
}

/// Whether an origin is what a request asks, a missing port being the usual one of the origin's scheme.
fn is_same_origin(origin: &str, asked: &Authority) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else {
        return false;
    };
    let usual = match scheme.to_ascii_lowercase().as_str() {
        "http" => 80,
        "https" => 443,
        _ => return false,
    };
    Authority::parse(authority).is_some_and(|origin| {
        origin.host == asked.host && origin.port.unwrap_or(usual) == asked.port.unwrap_or(usual)
    })
}

/// Which server a request means: that of its target if it names one, else its `Host`. HTTP/1.0 may
/// leave it out, or empty.
fn asked_authority<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Result<Option<&'a str>, Refusal> {
    Ok(match uri.authority() {
        Some(authority) => Some(authority.as_str()),
        None => only(headers, header::HOST)?.filter(|host| !host.is_empty()),
    })
}

/// The one value of a header, if it is there.
fn only(headers: &HeaderMap, name: HeaderName) -> Result<Option<&str>, Refusal> {
    let mut values = headers.get_all(&name).iter();
    match (values.next().map(HeaderValue::to_str), values.next()) {
        (None, _) => Ok(None),
        (Some(Ok(value)), None) => Ok(Some(value)),
        _ => Err(foreign(name.as_str(), "not one plain value")),
    }
}

fn foreign(header: &str, value: &str) -> Refusal {
    let value = quoted(value);
    Refusal::new(
        Reason::ForeignOrigin,
        format!("web pages of other origins may not use this server: {header} is {value}"),
    )
}
