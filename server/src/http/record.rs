//! What the audit log is told of one request, gathered while it is answered.
//!
//! Nothing is gathered while there is no audit log. A request whose client leaves before it is answered is told
//! when it is dropped.

use super::edge::ClientAddress;
use super::edge::options::DEFAULT_NAMESPACE;
use super::front::Request;
use crate::acl::{ANONYMOUS, Caller, Who};

use crate::audit::{Audit, Entry, Line, Object, Stage, Unusable};
use crate::control::ControlPlane;
use crate::error::Fault;
use crate::id::Namespace;
use axum::http::Method;
use axum::http::request::Parts;
use jiff::Timestamp;
use saddlebag_client::operations::{Checked, Operation};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::time::Instant;
use uuid::Uuid;

/// What stands for a token that is none.
const UNKNOWN: &str = "unknown";

/// The tag of the operations that change nothing, whatever their method.
const SEARCH: &str = "search";

/// The record of one request; of nothing, while there is no audit log.
pub(super) struct Record(Option<Recording>);

struct Recording {
    audit: Audit,
    request: Uuid,
    time: Timestamp,
    began: Instant,
    client: Option<IpAddr>,
    method: Method,
    told: Mutex<Told>,
}

/// What is known so far.
#[derive(Default)]
struct Told {
    operation: Option<Operation>,
    token: Option<String>,
    namespace: Option<String>,
    objects: Vec<Object>,
    /// Whether it was allowed, and went on from there.
    is_begun: bool,
}

impl Record {
    /// Begins with the request.
    pub fn begin(cp: &ControlPlane, request: &Parts) -> Self {
        Self(cp.audit.clone().map(|audit| {
            Recording {
                audit,
                request: Uuid::new_v4(),
                time: cp.clock.now(),
                began: Instant::now(),
                client: request
                    .extensions
                    .get()
                    .map(|ClientAddress(address)| *address),
                method: request.method.clone(),
                told: Mutex::default(),
            }
        }))
    }

    /// It asks for this.
    pub fn asked(&self, cp: &ControlPlane, request: &Request<'_>) {
        self.tell(|told| {
            told.operation = Some(request.operation);
            told.namespace = namespace(request);
            told.objects = objects(cp, request);
        });
    }

    /// This one asks.
    pub fn asked_by(&self, caller: &Caller) {
        self.tell(|told| {
            told.token = match &caller.who {
                Who::Anybody => None,
                Who::Anonymous => Some(ANONYMOUS.to_owned()),
                Who::Token(token) => Some(token.row.accessor.clone()),
            };
        });
    }

    /// Somebody asks who is not known.
    pub fn asked_by_nobody_known(&self) {
        self.tell(|told| told.token = Some(UNKNOWN.to_owned()));
    }

    /// It is about this, too.
    pub fn concerns(&self, kind: &'static str, id: &str) {
        self.tell(|told| {
            let object = Object::new(kind, id);
            if !id.is_empty() && !told.objects.contains(&object) {
                told.objects.push(object);
            }
        });
    }

    /// It is about these volumes, whatever its path and query say, each in its namespace.
    pub fn concerns_volumes<'v>(&self, volumes: impl Iterator<Item = (&'v str, &'v str)>) {
        self.tell(|told| {
            told.namespace = None;
            let volume = |(namespace, id)| Object::within(namespace, "volume", id);
            told.objects = volumes.map(volume).collect();
        });
    }

    /// It is about to be begun. Of a change that waits for its lines the first is written now.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn received(&self) -> Result<(), Fault> {
        let Some(recording) = self.0.as_ref().filter(|it| it.is_awaited()) else {
            return Ok(());
        };
        let line = recording.line(Stage::Received, None);
        recording.audit.record(line).await.map_err(not_begun)?;
        self.tell(|told| told.is_begun = true);
        Ok(())
    }

    /// It is about to be answered with this status. Of a change that waits for its lines the second is
    /// written now.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn complete(mut self, status: u16) -> Result<(), Fault> {
        let Some(recording) = self.0.take() else {
            return Ok(());
        };
        let line = recording.line(Stage::Complete, Some(status));
        if !recording.is_awaited() {
            recording.audit.tell(line);
            return Ok(());
        }
        let written = recording.audit.record(line).await;
        written.map_err(|error| match recording.told().is_begun {
            true => not_told(error),
            false => not_begun(error),
        })
    }

    fn tell(&self, change: impl FnOnce(&mut Told)) {
        if let Some(recording) = &self.0 {
            change(&mut recording.told());
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if let Some(recording) = self.0.take() {
            let left = recording.line(Stage::Complete, None);
            recording.audit.tell(left);
        }
    }
}

impl Recording {
    /// Whether it is a change that waits for its lines.
    fn is_awaited(&self) -> bool {
        let changes = |asked: Operation| asked.method() != "GET" && asked.tag() != SEARCH;
        self.audit.is_enforced() && self.told().operation.is_some_and(changes)
    }

    fn line(&self, stage: Stage, status: Option<u16>) -> Line {
        let told = self.told();
        let took = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let entry = Entry {
            time: self.time,
            stage,
            request: self.request,
            client: self.client,
            token: told.token.as_deref(),
            method: self.method.as_str(),
            operation: told.operation.map(Operation::id),
            namespace: told.namespace.as_deref(),
            objects: &told.objects,
            status,
            duration_us: (stage == Stage::Complete).then_some(took),
        };
        entry.line()
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn not_begun(error: Unusable) -> Fault {
    Fault::NotRecorded(format!(
        "the audit log cannot be written, so nothing was begun: {error}"
    ))
}

fn not_told(error: Unusable) -> Fault {
    Fault::NotRecorded(format!(
        "the audit log cannot be written, so what came of this is not told; it may be done: {error}"
    ))
}

/// The namespace that a request asks for, if that can be one.
fn namespace(request: &Request<'_>) -> Option<String> {
    let asked = match request.operation.capability().checked? {
        Checked::Path => request.param("namespace_name"),
        Checked::Request | Checked::Volume => request
            .query
            .filled("namespace")
            .unwrap_or(DEFAULT_NAMESPACE),
    };
    let is_one = asked == "*" || Namespace::parse(asked).is_ok();
    is_one.then(|| asked.to_owned())
}

/// What path and query name.
fn objects(cp: &ControlPlane, request: &Request<'_>) -> Vec<Object> {
    let named = |(name, id)| Some((kind(name)?, id));
    let of_path = request.params.iter().filter_map(named);
    let of_query = NAMED_IN_QUERIES
        .iter()
        .filter_map(|(name, kind)| Some((*kind, request.query.filled(name)?)));
    let all = of_path.chain(of_query).filter(|(kind, id)| {
        // Who mistakes a token's secret for its accessor does not want to read it here.
        !id.is_empty() && (*kind != "token" || cp.state().token(id).is_some())
    });
    all.map(|(kind, id)| Object::new(kind, id)).collect()
}

/// What parameters of queries name.
const NAMED_IN_QUERIES: [(&str, &str); 3] = [
    ("plugin_id", "plugin"),
    ("snapshot_id", "snapshot"),
    ("node", "node"),
];

/// What a parameter of a path names.
fn kind(parameter: &str) -> Option<&'static str> {
    Some(match parameter {
        "volume_id" => "volume",
        "plugin_id" => "plugin",
        "alloc_id" => "claim",
        "node_id" => "node",
        "operation_id" => "operation",
        "job_id" => "job",
        "namespace_name" => "namespace",
        "accessor_id" => "token",
        "policy_name" => "policy",
        "role_id" | "role_name" => "role",
        "key_id" => "key",
        _ => return None,
    })
}
