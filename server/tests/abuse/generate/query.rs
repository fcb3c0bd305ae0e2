//! Query parameters: some or all, right and wrong, and ones that nobody knows.

use super::{Making, escaped};
use crate::pool;
use rand::RngExt;
use rand::seq::IndexedRandom;
use saddlebag::http::contract::document::{Operation, Parameter};
use serde_json::Value;

impl Making<'_> {
    pub(super) fn query(&mut self, operation: &Operation<'_>) -> Vec<u8> {
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
}
