//! Compression as Nomad negotiates it (`nomad-http.md` §1.7).

use axum::http::{HeaderMap, header};
use bytes::Bytes;
use flate2::{
    Compression,
    write::{DeflateEncoder, GzEncoder},
};
use std::io::{self, Write as _};

/// How a body is compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Encoding {
    #[default]
    Identity,
    Gzip,
    /// Raw DEFLATE, without zlib's header.
    Deflate,
}

/// What Go writes for an empty body: an empty last block, stored.
const EMPTY_DEFLATE: &[u8] = &[1, 0, 0, 0xff, 0xff];
/// The same in gzip's header (no time, unknown system) and trailer (no bytes, checksum 0).
const EMPTY_GZIP: &[u8] = &[
    0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff, 1, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0,
];

impl Encoding {
    /// The first item of `Accept-Encoding` that is exactly `gzip` or `deflate`; `gzip;q=1.0` is not.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let accepted = headers.get(header::ACCEPT_ENCODING);
        let items = accepted.and_then(|items| items.to_str().ok());
        items
            .unwrap_or_default()
            .split(',')
            .find_map(|item| match item.trim() {
                "gzip" => Some(Encoding::Gzip),
                "deflate" => Some(Encoding::Deflate),
                _ => None,
            })
            .unwrap_or_default()
    }

    /// The value of `Content-Encoding`, if it needs one.
    pub(super) const fn name(self) -> Option<&'static str> {
        match self {
            Encoding::Identity => None,
            Encoding::Gzip => Some("gzip"),
            Encoding::Deflate => Some("deflate"),
        }
    }

    pub(super) fn encode(self, body: Bytes) -> Bytes {
        match (self, body.is_empty()) {
            (Encoding::Identity, _) => body,
            (Encoding::Gzip, true) => Bytes::from_static(EMPTY_GZIP),
            (Encoding::Deflate, true) => Bytes::from_static(EMPTY_DEFLATE),
            (Encoding::Gzip, false) => compressed(gzip(&body)),
            (Encoding::Deflate, false) => compressed(deflate(&body)),
        }
    }
}

fn gzip(body: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    encoder.write_all(body)?;
    encoder.finish()
}

fn deflate(body: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = DeflateEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    encoder.write_all(body)?;
    encoder.finish()
}

/// Writing to memory has no error to return.
fn compressed(written: io::Result<Vec<u8>>) -> Bytes {
    written.unwrap_or_default().into()
}
