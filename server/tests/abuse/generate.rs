//! Requests out of the document: any operation, every parameter and body, right and wrong.

mod garble;
mod headers;
mod path;
mod query;

use crate::body::Writer;
use crate::pool::{self, Pool};
use crate::wire::{Framing, Request};
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use saddlebag::http::contract::document::{Document, Operation};

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
            // a stream of events ends when its client leaves, and this one waits for ends; what only a
            // server for tests has is not here
            operations: document
                .operations()
                .filter(|operation| operation.id != "stream_events")
                .filter(|operation| operation.object["tags"][0] != "testing")
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
            claims: operation.id == "claim_volume",
            registers: operation.id.starts_with("register"),
            is_in_path: operation.path.contains('{'),
            row: None,
        };
        writer.body(media.schema)
    }
}

fn escaped(text: &[u8]) -> Vec<u8> {
    percent_encode(text, NON_ALPHANUMERIC)
        .to_string()
        .into_bytes()
}
