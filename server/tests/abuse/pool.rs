//! The names that requests share, so that they meet: few ids, and what the server was heard to call its
//! things.

use rand::RngExt;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};
use uuid::Uuid;

/// What every secret that is sent holds, and no answer may.
pub const SECRET: &str = "Xy-not-to-be-seen-zZ";

/// Texts that are an id or a name nowhere, or should not be.
const ODD: [&str; 28] = [
    "",
    " ",
    ".",
    "..",
    "a/b",
    "é",
    "日本",
    "\u{0}",
    "r1\u{0}",
    "\n",
    "\r\nX-Injected: 1",
    "\u{1b}[31m",
    "'; DROP TABLE volumes; --",
    "%2F",
    "%00",
    "<script>alert(1)</script>",
    "\u{202e}evil",
    "\u{feff}r1",
    "\u{10ffff}",
    "[0]",
    "null",
    "-1",
    "default.r1",
    "R1",
    "r1 ",
    "../../../etc/passwd",
    "${HOME}",
    "r1\u{7f}",
];

/// Volumes that only claims name: others come and go so fast that a claim hardly meets one.
pub const CLAIMED: [&str; 3] = ["claimed-1", "claimed-2", "claimed-3"];

/// A kind of name that only the server gives.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Given {
    ExternalId,
    Snapshot,
    Operation,
    Node,
    Token,
}

/// A volume that the server told of.
#[derive(Clone, PartialEq)]
pub struct Row {
    pub namespace: String,
    pub id: String,
    pub external_id: String,
}

/// The names in use. Shared by all who send.
pub struct Pool {
    given: Mutex<HashMap<Given, Vec<String>>>,
    rows: Mutex<Vec<Row>>,
    /// Volumes of namespace `default` and the allocations that claimed them.
    claims: Mutex<Vec<(String, String)>>,
    spare_node: String,
    /// Never to be named by chance.
    kept: BTreeSet<String>,
}

impl Pool {
    /// A pool that never names what is kept. Nothing lives on the spare node.
    pub fn without(kept: impl IntoIterator<Item = String>, spare_node: String) -> Self {
        let never = kept.into_iter().chain([spare_node.clone()]);
        Self {
            given: Mutex::default(),
            rows: Mutex::default(),
            claims: Mutex::default(),
            kept: never.collect(),
            spare_node,
        }
    }

    /// Takes the names out of an answer.
    pub fn learn(&self, answer: &Value, random: &mut SmallRng) {
        match answer {
            Value::Array(items) => items.iter().for_each(|item| self.learn(item, random)),
            Value::Object(members) => {
                self.add_row(answer, random);
                self.add_claim(answer, random);
                let is_node = members.contains_key("SchedulingEligibility");
                let is_snapshot = members.contains_key("ExternalSourceVolumeID");
                let is_operation = members.contains_key("LastErrorCode");
                for (key, member) in members {
                    let given = match key.as_str() {
                        "ExternalID" => Some(Given::ExternalId),
                        "ID" if is_snapshot => Some(Given::Snapshot),
                        "ID" if is_operation => Some(Given::Operation),
                        "ID" if is_node => Some(Given::Node),
                        "operation" => Some(Given::Operation),
                        "NodeID" => Some(Given::Node),
                        "NextToken" => Some(Given::Token),
                        _ => None,
                    };
                    match (given, member.as_str()) {
                        (Some(given), Some(name)) => self.add(given, name, random),
                        _ => self.learn(member, random),
                    }
                }
            }
            _ => {}
        }
    }

    fn add_row(&self, answer: &Value, random: &mut SmallRng) {
        let text = |key: &str| answer[key].as_str().map(str::to_owned);
        let (Some(namespace), Some(id), Some(external_id)) =
            (text("Namespace"), text("ID"), text("ExternalID"))
        else {
            return;
        };
        if self.kept.contains(&external_id) {
            return;
        }
        let row = Row {
            namespace,
            id,
            external_id,
        };
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        if !rows.contains(&row) {
            put(&mut rows, row, random);
        }
    }

    fn add_claim(&self, answer: &Value, random: &mut SmallRng) {
        let text = |key: &str| answer[key].as_str().map(str::to_owned);
        let named = (text("VolumeID"), text("AllocationID"));
        if let ((Some(volume), Some(allocation)), "default") =
            (named, answer["Namespace"].as_str().unwrap_or_default())
        {
            let mut claims = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
            if !claims.iter().any(|(_, other)| *other == allocation) {
                put(&mut claims, (volume, allocation), random);
            }
        }
    }

    /// A volume and an allocation that claimed it, not long ago.
    pub fn claim(&self, random: &mut SmallRng) -> Option<(String, String)> {
        let claims = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        claims.choose(random).cloned()
    }

    /// The node on which nothing lives.
    pub fn spare_node(&self) -> &str {
        &self.spare_node
    }

    /// A volume that was there not long ago.
    pub fn row(&self, random: &mut SmallRng) -> Option<Row> {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        rows.choose(random).cloned()
    }

    fn add(&self, given: Given, name: &str, random: &mut SmallRng) {
        if name.is_empty() || self.kept.contains(name) {
            return;
        }
        let mut all = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.entry(given).or_default();
        if !known.iter().any(|other| other == name) {
            put(known, name.to_owned(), random);
        }
    }

    fn given(&self, given: Given, random: &mut SmallRng) -> Option<String> {
        let all = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&given)?.choose(random).cloned()
    }

    /// A text that may stand for a thing of this name, in whatever case and spelling; sometimes an odd
    /// one.
    pub fn text(&self, name: &str, random: &mut SmallRng) -> String {
        if random.random_bool(0.015) {
            return odd(random);
        }
        let name = name.to_lowercase().replace('_', "");
        let of = |kind, random: &mut SmallRng| {
            let known = self.given(kind, random);
            known.unwrap_or_else(|| "unheard-of".to_owned())
        };
        match name.as_str() {
            "volumeid" | "id" | "sourcevolumeid" => format!("r{}", random.random_range(0..12)),
            "name" => format!("n{}", random.random_range(0..12)),
            "namespacename" if random.random_bool(0.8) => {
                format!("n{}", random.random_range(0..12))
            }
            "namespace" | "namespacename" => pick(
                &[
                    "default", "default", "default", "default", "default", "default", "prod",
                    "prod", "*", "nope", "",
                ],
                random,
            ),
            "pluginid" | "jobid" => match random.random_range(0..30) {
                0 => "nope",
                1 => "",
                _ => "local",
            }
            .to_owned(),

            "externalid" | "cloneid" => of(Given::ExternalId, random),
            "snapshotid" => of(Given::Snapshot, random),
            "operationid" => match random.random_bool(0.8) {
                true => of(Given::Operation, random),
                false => "5f0c2b1e-8f4e-4c57-9d39-6a1f0c6e7b20".to_owned(),
            },
            "node" | "nodeid" => of(Given::Node, random),
            "allocationid" => match (random.random_bool(0.2), self.claim(random)) {
                (true, Some((_, allocation))) => allocation,
                _ => Uuid::from_u128(random.random()).to_string(),
            },
            "accessmode" => pick(
                &[
                    "single-node-writer",
                    "single-node-writer",
                    "single-node-multi-writer",
                    "multi-node-multi-writer",
                    "multi-node-reader-only",
                ],
                random,
            ),
            "attachmentmode" => pick(&["file-system", "file-system", "block-device"], random),
            "onreboot" => pick(&["release", "republish"], random),
            "nexttoken" => match random.random_bool(0.5) {
                true => of(Given::Token, random),
                false => format!("default.r{}", random.random_range(0..12)),
            },
            "type" => pick(&["csi", "csi", "csi", "csi", "host", "CSI", ""], random),
            "prefix" => pick(&["", "r", "r1", "l", "zz"], random),
            "region" => match random.random_bool(0.03) {
                true => "mars".to_owned(),
                false => pick(&["global", ""], random),
            },
            "pretty" => pick(&["", "0", "1"], random),
            "mode" => pick(&["755", "0", "1777", "99999", "x"], random),
            "fstype" => pick(&["ext4", "xfs", ""], random),
            _ => pick(&["a", "zone", "some text", "", "1"], random),
        }
    }
}

/// Adds to a list, in the place of another once it is long.
fn put<T>(list: &mut Vec<T>, item: T, random: &mut SmallRng) {
    const MOST: usize = 48;
    if list.len() < MOST {
        list.push(item);
    } else {
        list[random.random_range(0..MOST)] = item;
    }
}

/// One of these.
pub fn pick(all: &[&str], random: &mut SmallRng) -> String {
    all.choose(random).copied().unwrap_or_default().to_owned()
}

/// A text that is right nowhere, now and then a long one.
pub fn odd(random: &mut SmallRng) -> String {
    match random.random_range(0..20) {
        0 => "x".repeat(128),
        1 => "x".repeat(129),
        2 => "é".repeat(random.random_range(1..3000)),
        3 => "x".repeat(random.random_range(1..20_000)),
        4 => char::from_u32(random.random_range(0..0x20))
            .unwrap_or(' ')
            .to_string(),
        _ => pick(&ODD, random),
    }
}
