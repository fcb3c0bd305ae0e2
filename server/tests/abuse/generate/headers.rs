//! Headers: what clients send, and what nobody should.

use super::Making;
use crate::pool::{self, SECRET};
use rand::RngExt;
use rand::seq::IndexedRandom;
use saddlebag::http::contract::document::Operation;

impl Making<'_> {
    pub(super) fn headers(
        &mut self,
        operation: &Operation<'_>,
        headers: &mut Vec<(Vec<u8>, Vec<u8>)>,
    ) {
        let mut add = |name: &str, value: &[u8]| {
            headers.push((name.as_bytes().to_vec(), value.to_vec()));
        };
        let random = &mut self.random;
        match random.random_range(0..10) {
            0..5 => add("Accept", b"application/json"),
            5 => add("Accept", b"*/*"),
            6 => add("Accept", b"text/plain"),
            7 => add("Accept", b"application/json;q=0, text/*;q=x,,;"),
            _ => {}
        }
        match random.random_range(0..12) {
            0 => add("Accept-Encoding", b"gzip"),
            1 => add("accept-encoding", b"deflate, gzip"),
            2 => add("Accept-Encoding", b"br;q=1.0, *;q=0"),
            _ => {}
        }
        if operation
            .parameter("header", "X-Nomad-CSI-Secrets")
            .is_some()
            && random.random_bool(0.4)
        {
            let (a, b) = (
                format!("password={SECRET}"),
                format!("a=b,{SECRET},=,c={SECRET}=,,é"),
            );
            let long = format!("k={}", SECRET.repeat(300));
            let sent = pool::pick(&[&a, &b, &long, "", "=,=,=", "a"], random);
            add("X-Nomad-CSI-Secrets", sent.as_bytes());
        }
        if random.random_bool(0.1) {
            add("X-Nomad-Token", SECRET.as_bytes());
        }
        if random.random_bool(0.05) {
            add("Authorization", format!("Bearer {SECRET}").as_bytes());
        }
        if random.random_bool(0.05) {
            add("Expect", b"100-continue");
        }
        if !self.breaks(0.8) {
            return;
        }
        let long = vec![b'x'; self.random.random_range(1000..100_000)];
        let odd: [(&str, &[u8]); 22] = [
            ("Host", b"evil.example"),
            ("Origin", b"http://evil.example"),
            ("Origin", b"null"),
            ("Origin", b"\xff\xfe"),
            ("Sec-Fetch-Site", b"cross-site"),
            ("Sec-Fetch-Site", b"\x80"),
            ("Content-Type", b"text/xml; charset=utf-16"),
            ("Content-Encoding", b"gzip"),
            ("X-Nomad-CSI-Secrets", b"a=\xff\xfe,\x80=b"),
            ("X-Nomad-CSI-Secrets", &long),
            ("X-Nomad-Token", b"\xff"),
            ("Authorization", b"Basic !!!"),
            ("Authorization", b"Bearer"),
            ("Accept", b"\xff\xff"),
            ("Accept", &long),
            ("Accept-Encoding", b"\xff,gzip"),
            ("Range", b"bytes=0-0"),
            ("If-None-Match", b"*"),
            ("Connection", b"close"),
            ("Upgrade", b"websocket"),
            ("Connection", b"upgrade, X-Nomad-Token"),
            ("X-Forwarded-Host", b"evil.example"),
        ];
        if let Some((name, value)) = odd.choose(&mut self.random) {
            headers.push((name.as_bytes().to_vec(), value.to_vec()));
        }
        if self.random.random_bool(0.05) {
            headers.extend(std::iter::repeat_n(
                (b"X-Many".to_vec(), b"1".to_vec()),
                150,
            ));
        }
    }
}
