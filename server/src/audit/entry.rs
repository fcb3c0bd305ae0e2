//! One line of the audit log.

use jiff::Timestamp;
use serde::Serialize;
use std::net::IpAddr;
use uuid::Uuid;

/// The longest id in a line, in bytes; of a longer one, which is none of anything, the beginning is told.
const LONGEST_ID: usize = 128;

/// When in the life of a request a line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// It is allowed, and about to be begun. Only of changes, while the log is enforced.
    Received,
    /// It is about to be answered, or its client has left.
    Complete,
}

/// What the log says of a request. What it cannot say is `null`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry<'e> {
    /// When the request arrived.
    pub time: Timestamp,
    /// Which of its lines this is.
    pub stage: Stage,
    /// The same in all lines of one request.
    pub request: Uuid,
    /// The address of whoever is at the other end of the connection.
    pub client: Option<IpAddr>,
    /// Who asks: the accessor of a token; `anonymous` without one; `unknown` for what is no token; none while
    /// access control is off.
    pub token: Option<&'e str>,
    /// The HTTP method.
    pub method: &'e str,
    /// The operation of the document; none for what is none of it.
    pub operation: Option<&'static str>,
    /// The namespace that was asked for, if that is one.
    pub namespace: Option<&'e str>,
    /// What it is about.
    pub objects: &'e [Object],
    /// The HTTP status; none before it is known, or if the client left.
    pub status: Option<u16>,
    /// How long it took so far, in microseconds.
    pub duration_us: Option<u64>,
}

/// What a request is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Object {
    /// What it is: `volume`, `snapshot`, `plugin`, `claim`, `node`, `operation`, `job`, `namespace`, `token`,
    /// `policy`, `role` or `key`.
    pub kind: &'static str,
    /// Its namespace, if that is told of this one apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Its id or name.
    pub id: String,
}

impl Object {
    /// Something by its id.
    pub fn new(kind: &'static str, id: &str) -> Self {
        Self {
            kind,
            namespace: None,
            id: beginning(id),
        }
    }

    /// Something by its id, in a namespace.
    pub fn within(namespace: &str, kind: &'static str, id: &str) -> Self {
        Self {
            namespace: Some(beginning(namespace)),
            ..Self::new(kind, id)
        }
    }
}

impl Entry<'_> {
    /// What is written of it.
    pub fn line(&self) -> Line {
        line(self)
    }
}

/// A line, with its end.
#[derive(Debug)]
pub struct Line(pub(super) Vec<u8>);

/// That lines are missing here.
#[derive(Serialize)]
pub(super) struct Gap {
    pub time: Timestamp,
    pub stage: &'static str,
    /// How many.
    pub lost: u64,
}

impl Gap {
    pub fn line(&self) -> Line {
        line(self)
    }
}

fn line(told: &impl Serialize) -> Line {
    let mut line = crate::picture::encode(told).to_vec();
    line.push(b'\n');
    Line(line)
}

fn beginning(id: &str) -> String {
    id[..id.floor_char_boundary(LONGEST_ID)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_whatever_an_id_holds_and_tells_no_more_of_it_than_an_id_can_be() {
        let long = "ä".repeat(100);
        let objects = [
            Object::within("n", "volume", "a\n\"b\u{7}"),
            Object::new("plugin", &long),
        ];
        let entry = Entry {
            time: "2026-01-01T00:00:00.5Z".parse().unwrap(),
            stage: Stage::Complete,
            request: Uuid::nil(),
            client: Some([127, 0, 0, 1].into()),
            token: None,
            method: "PUT",
            operation: Some("create_volume"),
            namespace: Some("n"),
            objects: &objects,
            status: Some(200),
            duration_us: Some(1234),
        };
        let line = String::from_utf8(entry.line().0).unwrap();
        assert_eq!(
            line,
            format!(
                "{{\"time\":\"2026-01-01T00:00:00.5Z\",\"stage\":\"complete\",\
                 \"request\":\"00000000-0000-0000-0000-000000000000\",\"client\":\"127.0.0.1\",\
                 \"token\":null,\"method\":\"PUT\",\"operation\":\"create_volume\",\"namespace\":\"n\",\
                 \"objects\":[{{\"kind\":\"volume\",\"namespace\":\"n\",\"id\":\"a\\n\\\"b\\u0007\"}},\
                 {{\"kind\":\"plugin\",\"id\":\"{}\"}}],\"status\":200,\"duration_us\":1234}}\n",
                "ä".repeat(64)
            )
        );
    }
}
