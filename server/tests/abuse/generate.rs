//! Requests out of the document: any operation, every parameter and body, right and wrong.

use crate::body::Writer;
use crate::pool::{self, Pool, SECRET};
use crate::wire::{Framing, Request};
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use saddlebag::http::contract::document::{Document, Operation, Parameter};
use serde_json::Value;

/// Makes requests. The same seed and number make the same request, but for the names that the server
/// gave meanwhile.
pub struct Generator<'d> {
    document: &'d Document,
    operations: Vec<Operation<'d>>,
    host: String,
    seed: u64,
}

/// One request in the making.
struct Making<'a> {
    document: &'a Document,
    pool: &'a Pool,
    random: SmallRng,
    /// How probably each part is broken.
    breakage: f64,
}

impl<'d> Generator<'d> {
    pub fn new(document: &'d Document, host: &str, seed: u64) -> Self {
        Self {
            document,
            // a stream of events ends when its client leaves, and this one waits for ends
            operations: document
                .operations()
                .filter(|operation| operation.id != "stream_events")
                .collect(),
            host: host.to_owned(),
            seed,
        }
    }

    /// The request of this number.
    pub fn request(&self, number: u64, pool: &Pool) -> Request {
        let seed = self
            .seed
            .wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut random = SmallRng::seed_from_u64(seed);
        let breakage = match random.random_range(0..20) {
            0..12 => 0.0,
            12..16 => 0.02,
            16..19 => 0.12,
            _ => 0.6,
        };
        let at = random.random_range(0..self.operations.len());
        let making = Making {
            document: self.document,
            pool,
            random,
            breakage,
        };
        making.request(&self.operations[at], &self.host)
    }
}

impl Making<'_> {
    fn request(mut self, operation: &Operation<'_>, host: &str) -> Request {
        let mut target = self.path(operation);
        target.extend(self.query(operation));
        let mut headers = vec![(b"Host".to_vec(), host.as_bytes().to_vec())];
        self.headers(operation, &mut headers);
        let mut request = Request {
            operation: operation.id.to_owned(),
            method: self.method(operation),
            target,
            headers,
            body: self.body(operation),
            framing: Framing::Length,
            is_garbled: false,
        };
        if self.breaks(0.5) {
            self.garble(&mut request);
        }
        request
    }

    /// Whether to break this part, which is broken so much more or less often than others.
    fn breaks(&mut self, weight: f64) -> bool {
        let chance = (self.breakage * weight).min(1.0);
        self.random.random_bool(chance)
    }

    fn method(&mut self, operation: &Operation<'_>) -> String {
        match self.breaks(0.5) {
            false => operation.method.clone(),
            true => pool::pick(
                &[
                    "GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "get",
                    "QUERY",
                ],
                &mut self.random,
            ),
        }
    }

    fn path(&mut self, operation: &Operation<'_>) -> Vec<u8> {
        let mut path = Vec::new();
        for segment in operation.path.split('/').skip(1) {
            path.push(b'/');
            match segment
                .strip_prefix('{')
                .and_then(|name| name.strip_suffix('}'))
            {
                Some(name) => {
                    // To fence a node that lives is to say what is not so: what its driver then
                    // refuses is no failure of ours.
                    let name = match operation.id {
                        "fence_node" => "reason",
                        _ => name,
                    };
                    let row = self.pool.row(&mut self.random);
                    let text = match row {
                        Some(row) if name == "volume_id" && self.random.random_bool(0.4) => row.id,
                        _ => self.pool.text(name, &mut self.random),
                    };
                    path.extend(escaped(text.as_bytes()));
                }
                None => path.extend_from_slice(segment.as_bytes()),
            }
        }
        if self.breaks(0.7) {
            let ends: [&[u8]; 14] = [
                b"/",
                b"//",
                b"/..",
                b"/./x",
                b"%2F",
                b"%2f..%2f",
                b"%00",
                b"%ff",
                b"%",
                b"%g1",
                b"/x/y/z",
                b"\xff\xfe",
                b";a=b",
                b"#x",
            ];
            let end = ends.choose(&mut self.random).copied().unwrap_or_default();
            let place = match self.random.random_bool(0.7) {
                true => path.len(),
                false => self.random.random_range(1..=path.len()),
            };
            path.splice(place..place, end.iter().copied())
                .for_each(drop);
        }
        path
    }

    fn query(&mut self, operation: &Operation<'_>) -> Vec<u8> {
        let mut pairs: Vec<Vec<u8>> = Vec::new();
        let mut waits = false;
        for parameter in &operation.parameters {
            if parameter.location != "query" || parameter.name == "wait" {
                continue;
            }
            // Thousands of ended operations, again and again, would be most of the time of a run.
            let narrows = operation.id == "list_operations" && parameter.name == "volume_id";
            let usual = parameter.required || parameter.name == "type" || narrows;
            if self.random.random_bool(if usual { 0.95 } else { 0.12 }) {
                waits |= parameter.name == "index";
                pairs.push(self.pair(parameter));
            }
        }
        if self.breaks(1.0) {
            let odd: [&[u8]; 10] = [
                b"=",
                b"&",
                b"%zz=1",
                b"a;b",
                b"unknown=1",
                b"namespace=%ff",
                b"namespace=%00",
                b"pretty",
                b"prefix=%f0%9f%98%80",
                b"type=csi&type=host",
            ];
            pairs.push(
                odd.choose(&mut self.random)
                    .copied()
                    .unwrap_or_default()
                    .to_vec(),
            );
        }
        // Whoever waits says for how long, and says it first: a minute for nothing tells nothing.
        if operation.parameter("query", "wait").is_some() && (waits || self.random.random_bool(0.2))
        {
            pairs.insert(0, self.wait(waits));
        }
        match pairs.is_empty() {
            true => Vec::new(),
            false => [b"?", pairs.join(&b'&').as_slice()].concat(),
        }
    }

    fn wait(&mut self, for_index: bool) -> Vec<u8> {
        let short = [
            "wait=1ms",
            "wait=5ms",
            "wait=3us",
            "wait=1ns",
            "wait=.5ms",
            "wait=0.1ms",
            "wait=x",
        ];
        let any = [
            "wait=0",
            "wait=0s",
            "wait=10s",
            "wait=-1s",
            "wait=",
            "wait=1h2m3s",
            "wait=10s",
            "wait=20s",
            "wait=30s",
            "wait=10",
            "wait=1e3s",
        ];
        let all: Vec<_> = match for_index {
            true => short.to_vec(),
            false => [&short[..], &any[..]].concat(),
        };
        pool::pick(&all, &mut self.random).into_bytes()
    }

    fn pair(&mut self, parameter: &Parameter<'_>) -> Vec<u8> {
        let schema = self.document.resolve(parameter.schema);
        let text = match self.breaks(1.0) {
            true => pool::odd(&mut self.random),
            false => self.scalar(schema, parameter.name),
        };
        let mut pair = [parameter.name.as_bytes(), b"=", &escaped(text.as_bytes())].concat();
        if text.is_empty() && self.random.random_bool(0.5) {
            pair.pop();
        }
        pair
    }

    /// A text for a parameter: right, or on the edge of it.
    fn scalar(&mut self, schema: &Value, name: &str) -> String {
        let random = &mut self.random;
        let listed = schema["enum"]
            .as_array()
            .and_then(|words| words.choose(random)?.as_str());
        match schema["type"].as_str() {
            _ if listed.is_some() => listed.unwrap_or_default().to_owned(),
            Some("integer") => pool::pick(
                &[
                    "0",
                    "1",
                    "2",
                    "5",
                    "5",
                    "-1",
                    "+1",
                    "01",
                    "1.0",
                    "1e3",
                    "0x10",
                    "2147483647",
                    "2147483648",
                    "-2147483648",
                    "9223372036854775807",
                    "18446744073709551615",
                    "18446744073709551616",
                    "",
                ],
                random,
            ),
            Some("boolean") => pool::pick(
                &[
                    "true", "false", "1", "0", "t", "F", "TRUE", "tRUE", "yes", "",
                ],
                random,
            ),
            _ => self.pool.text(name, random),
        }
    }

    fn headers(&mut self, operation: &Operation<'_>, headers: &mut Vec<(Vec<u8>, Vec<u8>)>) {
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

    fn body(&mut self, operation: &Operation<'_>) -> Vec<u8> {
        let schema = operation
            .body
            .as_ref()
            .and_then(|body| body.content.get("application/json"));
        let Some(media) = schema else {
            return match self.breaks(0.3) {
                true => b"{\"unasked\":1}".to_vec(),
                false => Vec::new(),
            };
        };
        let writer = Writer {
            document: self.document,
            pool: self.pool,
            random: &mut self.random,
            breakage: self.breakage,
            registers: operation.id.starts_with("register"),
            is_in_path: operation.path.contains('{'),
            row: None,
        };
        writer.body(media.schema)
    }

    /// Breaks the request as HTTP.
    fn garble(&mut self, request: &mut Request) {
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

fn escaped(text: &[u8]) -> Vec<u8> {
    percent_encode(text, NON_ALPHANUMERIC)
        .to_string()
        .into_bytes()
}
