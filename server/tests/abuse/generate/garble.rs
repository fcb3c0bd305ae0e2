//! Requests that are broken as HTTP.

use super::Making;
use crate::wire::{Framing, Request};
use rand::RngExt;
use rand::seq::IndexedRandom;

impl Making<'_> {
    /// Breaks the request as HTTP.
    pub(super) fn garble(&mut self, request: &mut Request) {
        let framings = [
            Framing::Chunked,
            Framing::Chunked,
            Framing::TooLong,
            Framing::TooShort,
            Framing::BadChunks,
        ];
        if self.random.random_bool(0.6) {
            if !request.body.is_empty() {
                request.framing = framings
                    .choose(&mut self.random)
                    .copied()
                    .unwrap_or(Framing::Length);
            }
            return;
        }
        request.is_garbled = true;
        let odd: [(&[u8], &[u8]); 8] = [
            (b"Content-Length", b"5, 6"),
            (b"Content-Length", b"-1"),
            (b"Content-Length", b"99999999999999999999999"),
            (b"Transfer-Encoding", b"gzip"),
            (b"With Space", b"x"),
            (b"X-Control", b"a\x01b"),
            (b"X-Nul", b"\x00"),
            (b"", b"nameless"),
        ];
        match self.random.random_range(0..10) {
            0 => request.target.extend_from_slice(b" with space"),
            1 => request.target = b"no-slash".to_vec(),
            2 => request.target = b"http://evil.example/v1/volumes".to_vec(),
            3 => request.target = [b"/".as_slice(), &vec![b'a'; 70_000]].concat(),
            4 => request.method = "BAD METHOD".to_owned(),
            _ => {
                let header = odd.choose(&mut self.random);
                let header = header.map(|(name, value)| (name.to_vec(), value.to_vec()));
                request.headers.extend(header);
            }
        }
    }
}
