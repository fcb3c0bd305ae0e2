//! Bodies from their schemas: right ones, and ones that are broken in one place or in all.

use crate::pool::{self, Pool, Row, SECRET};
use rand::RngExt;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use saddlebag::http::contract::document::Document;
use serde_json::Value;

/// What most requests that make sense have, so that some succeed.
const USUAL: [&str; 10] = [
    "Volumes",
    "Snapshots",
    "ID",
    "Name",
    "PluginID",
    "RequestedCapabilities",
    "RequestedCapacityMin",
    "AccessMode",
    "AttachmentMode",
    "Segments",
];

/// JSON texts that are a value of another type, out of every bound, or no JSON at all.
const BROKEN: [&[u8]; 44] = [
    b"null",
    b"true",
    b"false",
    b"0",
    b"-0",
    b"-1",
    b"1.5",
    b"1e400",
    b"-1e400",
    b"1e-400",
    b"9007199254740993",
    b"9223372036854775807",
    b"9223372036854775808",
    b"-9223372036854775808",
    b"-9223372036854775809",
    b"18446744073709551616",
    b"99999999999999999999999999999999999999",
    b"\"\"",
    b"\"text\"",
    b"\"\\ud800\"",
    b"\"\\udc00\\ud800\"",
    b"\"\\ud83d\\ude00\"",
    b"\"\\u0000\"",
    b"\"\x00\"",
    b"\"\x01\x1f\"",
    b"\"\xff\xfe\"",
    b"\"\xed\xa0\x80\"",
    b"\"\xc0\xaf\"",
    b"\"\\x\"",
    b"\"open",
    b"[]",
    b"{}",
    b"[null]",
    b"[[]]",
    b"{\"\":null}",
    b"[1,]",
    b"{,}",
    b"NaN",
    b"Infinity",
    b"tru",
    b"'single'",
    b"01",
    b"+1",
    b"",
];

/// Writes one body.
pub struct Writer<'a> {
    pub document: &'a Document,
    pub pool: &'a Pool,
    pub random: &'a mut SmallRng,
    /// How probably each value is broken.
    pub breakage: f64,
    /// Whether what is sent names backing stores that are there.
    pub registers: bool,
    /// Whether what is sent claims a volume.
    pub claims: bool,
    /// Whether the path names the volume already.
    pub is_in_path: bool,
    /// The volume that is described at the moment, if it is one that was there.
    pub row: Option<Row>,
}

impl Writer<'_> {
    /// A body of this schema, and what may be wrong with all of it.
    pub fn body(mut self, schema: &Value) -> Vec<u8> {
        let mut out = Vec::new();
        self.value(schema, "", 0, &mut out);
        if self.random.random_bool((self.breakage * 2.0).min(0.5)) {
            self.break_all(&mut out);
        }
        if self.random.random_bool(0.004) {
            // Larger than is read: in one value, or in what stands around it.
            let size = self.random.random_range((1 << 20) - 200..3 << 20);
            match self.random.random_bool(0.5) {
                true => out
                    .splice(0..0, std::iter::repeat_n(b' ', size))
                    .for_each(drop),
                false => out = [b"{\"Volumes\":\"", vec![b'x'; size].as_slice(), b"\"}"].concat(),
            }
        }
        out
    }

    fn break_all(&mut self, out: &mut Vec<u8>) {
        let place = self.random.random_range(0..=out.len());
        match self.random.random_range(0..9) {
            0 => out.truncate(place),
            1 => out.extend_from_slice(b"}]trailing"),
            2 => out.extend_from_within(..),
            3 => out.splice(0..0, *b"\xef\xbb\xbf").for_each(drop),
            4 => out.splice(0..0, *b" \t\r\n").for_each(drop),
            5 => out.clear(),
            6 => *out = out.iter().flat_map(|byte| [*byte, 0]).collect(),
            7 if place < out.len() => out[place] = self.random.random(),
            _ => out.insert(place, self.random.random()),
        }
    }

    fn value(&mut self, schema: &Value, name: &str, depth: usize, out: &mut Vec<u8>) {
        if self.random.random_bool(self.breakage) {
            return self.broken(out);
        }
        let schema = self.document.resolve(schema);
        let parts = ["allOf", "oneOf", "anyOf"];
        let part = parts
            .iter()
            .find_map(|keyword| schema[*keyword].as_array()?.choose(self.random));
        if schema["nullable"] == true && self.random.random_bool(0.03) {
            return out.extend_from_slice(b"null");
        }
        if let Some(part) = part {
            return self.value(part, name, depth, out);
        }
        match schema["type"].as_str() {
            Some("object") => self.object(schema, name, depth, out),
            Some("array") => self.array(schema, name, depth, out),
            Some("integer" | "number") => {
                let number = self.integer(name);
                out.extend_from_slice(number.to_string().as_bytes());
            }
            Some("boolean") => {
                let word = pool::pick(&["true", "false"], self.random);
                out.extend_from_slice(word.as_bytes());
            }
            Some(_) => self.text(schema, name, out),
            None => self.broken_or_null(out),
        }
    }

    /// A value for what takes any.
    fn broken_or_null(&mut self, out: &mut Vec<u8>) {
        let any: [&[u8]; 6] = [
            b"null",
            b"0",
            b"\"x\"",
            b"{}",
            b"[1]",
            b"{\"a\":{\"b\":[null]}}",
        ];
        out.extend_from_slice(any.choose(self.random).copied().unwrap_or(b"null"));
    }

    fn object(&mut self, schema: &Value, name: &str, depth: usize, out: &mut Vec<u8>) {
        out.push(b'{');
        let start = out.len();
        if let Some(properties) = schema["properties"].as_object() {
            if properties.contains_key("ExternalID") {
                let known = self.registers && self.random.random_bool(0.7);
                self.row = known.then(|| self.pool.row(self.random)).flatten();
            }
            for (key, property) in properties {
                let chance = self.chance(key, property);
                if !self.random.random_bool(chance) {
                    continue;
                }
                let key = self.key(key);
                self.member(&key, property, depth, start, out);
                if self.random.random_bool(self.breakage / 4.0) {
                    self.member(&key, property, depth, start, out);
                }
            }
            if self.random.random_bool(self.breakage / 2.0) {
                let key = pool::odd(self.random);
                self.member(&key, &Value::Null, depth, start, out);
            }
        }
        if let Some(others) = schema.get("additionalProperties") {
            for _ in 0..self.random.random_range(0..3) {
                let key = pool::pick(&["mode", "zone", "rack", "k", ""], self.random);
                let secret = name.eq_ignore_ascii_case("secrets");
                if secret && self.random.random_bool(0.8) {
                    self.separate(start, out);
                    write_text(&key, out);
                    out.push(b':');
                    write_text(SECRET, out);
                } else {
                    self.member(&key, others, depth, start, out);
                }
            }
        }
        out.push(b'}');
    }

    /// How probably a request has this property.
    fn chance(&self, key: &str, property: &Value) -> f64 {
        let takes_anything = property["type"].is_null() && property["allOf"].is_null();
        match key {
            "AccessMode" | "AttachmentMode" if self.claims => 0.4,
            "NodeID" if self.claims => 0.95,
            "AllocationID" if self.claims => 0.3,
            key if USUAL.contains(&key) => 0.98,
            "ExternalID" if self.registers => 0.95,
            "ExternalID" => 0.02,
            "SourceVolumeID" if self.is_in_path => 0.1,
            "SourceVolumeID" => 0.98,
            "SnapshotID" | "CloneID" => 0.08,
            "Namespace" | "RequestedCapacityMax" => 0.2,
            _ if takes_anything => 0.02,
            _ => 0.06,
        }
    }

    fn member(&mut self, key: &str, schema: &Value, depth: usize, start: usize, out: &mut Vec<u8>) {
        self.separate(start, out);
        write_text(key, out);
        out.push(b':');
        self.value(schema, key, depth + 1, out);
    }

    fn separate(&self, start: usize, out: &mut Vec<u8>) {
        if out.len() > start {
            out.push(b',');
        }
    }

    /// A key, now and then in another case.
    fn key(&mut self, key: &str) -> String {
        match self.random.random_range(0..24) {
            0 => key.to_lowercase(),
            1 => key.to_uppercase(),
            2 => {
                let flip = |c: char| match self.random.random_bool(0.5) {
                    true => c.to_ascii_uppercase(),
                    false => c.to_ascii_lowercase(),
                };
                key.chars().map(flip).collect()
            }
            _ => key.to_owned(),
        }
    }

    fn array(&mut self, schema: &Value, name: &str, depth: usize, out: &mut Vec<u8>) {
        let count = match self.random.random_range(0..40) {
            0 => 0,
            1..=5 => 2,
            6 => 3,
            7 if depth < 3 => 33,
            _ => 1,
        };
        out.push(b'[');
        for at in 0..count {
            if at > 0 {
                out.push(b',');
            }
            self.value(&schema["items"], name, depth + 1, out);
        }
        out.push(b']');
    }

    fn integer(&mut self, name: &str) -> i64 {
        let small = [4096, 4096, 8192, 8192, 16384, 1, 4095];
        let bounds = [0, -1, i64::MAX, i64::MIN, 1 << 60];
        let odd = self.random.random_bool(0.05);
        match name.to_lowercase().contains("capacity") && !odd {
            true => small.choose(self.random).copied().unwrap_or(4096),
            false => bounds.choose(self.random).copied().unwrap_or(0),
        }
    }

    fn text(&mut self, schema: &Value, name: &str, out: &mut Vec<u8>) {
        let listed = schema["enum"]
            .as_array()
            .and_then(|words| words.choose(self.random)?.as_str());
        let text = match listed {
            Some(word) => word.to_owned(),
            None if schema["format"] == "password" => SECRET.to_owned(),
            None if name.eq_ignore_ascii_case("mountflags") => SECRET.to_owned(),
            None => match (&self.row, name.to_lowercase().as_str()) {
                (Some(row), "id") => row.id.clone(),
                (Some(row), "namespace") => row.namespace.clone(),
                (Some(row), "externalid") => row.external_id.clone(),
                _ => self.pool.text(name, self.random),
            },
        };
        write_text(&text, out);
    }

    fn broken(&mut self, out: &mut Vec<u8>) {
        match self.random.random_range(0..30) {
            0 => {
                let levels = self.random.random_range(2..3000);
                out.extend(std::iter::repeat_n(b'[', levels));
                out.extend(std::iter::repeat_n(b']', levels));
            }
            1 => {
                let levels = self.random.random_range(2..600);
                out.extend_from_slice(&b"{\"Volumes\":".repeat(levels));
                out.extend_from_slice(b"0");
                out.extend(std::iter::repeat_n(b'}', levels));
            }
            2..=6 => write_text(&pool::odd(self.random), out),
            _ => out.extend_from_slice(BROKEN.choose(self.random).copied().unwrap_or(b"null")),
        }
    }
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(Value::from(text).to_string().as_bytes());
}
