//! The route of tag `events`: what happens, as it happens.

use super::declared::{Crowded, InNamespace, Json, ReadErrors, Region, Wait};
use super::edge::{Answer, Query, Refusal, WriteOptions};
use super::front::Asking;
use super::reply::Reply;
use super::wire;
use crate::acl::{Access, Caller};
use crate::control::ControlPlane;
use crate::crowd::Place;
use crate::picture::{self, Event, Topic};
use crate::state::Step;
use crate::store::Index;
use axum::body::Body;
use axum::http::{HeaderValue, header};
use bytes::Bytes;
use futures::stream;
use saddlebag_client::operations::{NodePolicy, PluginPolicy};
use serde_json::value::RawValue;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::IpAddr;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

/// How long nothing may be sent.
const HEARTBEAT: Duration = Duration::from_secs(30);
/// What is sent first, and then whenever nothing was for [`HEARTBEAT`].
const NOTHING: &[u8] = b"{}\n";

#[utoipa::path(
    get, path = "/v1/event/stream", tag = "events",
    params(
        ("topic" = Option<String>, Query), ("index" = Option<String>, Query),
        InNamespace, Wait, Region,
    ),
    responses(Json<wire::Events<'static>>, ReadErrors, Crowded),
)]
pub(super) async fn stream_events(cp: &ControlPlane, asking: &Asking<'_>) -> Reply {
    let forever = Duration::ZERO;
    let options = WriteOptions::waiting(asking.query, &asking.settings.region, forever)?;
    let following = Following {
        cp: cp.clone(),
        caller: asking.caller.clone(),
        _place: asking.block()?,
        wanted: Wanted::read(asking.query, options.namespace)?,
        next: from(asking.query)?,
        indexes: cp.live.indexes(),
        ready: VecDeque::from([Bytes::from_static(NOTHING)]),
        until: (options.wait > Duration::ZERO).then(|| Instant::now() + options.wait),
        has_looked: false,
        is_over: false,
    };
    let lines = stream::unfold(following, |mut following| async move {
        let line = following.line().await?;
        Some((Ok::<_, Infallible>(line), following))
    });
    let mut answer = Answer::stream(Body::from_stream(lines));
    let headers = &mut answer.headers;
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(answer)
}

/// The first commit that is asked for; 0 for all that are kept.
fn from(query: &Query<'_>) -> Result<Index, Refusal> {
    let text = query.filled("index").unwrap_or("0");
    match text.parse::<i64>() {
        Ok(index) => Ok(Index(u64::try_from(index).unwrap_or(0))),
        Err(_) => Err(Refusal::malformed(format!(
            "Unable to parse index: strconv.Atoi: parsing {text:?}: invalid syntax"
        ))),
    }
}

/// What somebody wants to hear of.
struct Wanted {
    /// Topic and key; `*` is any.
    topics: Vec<(String, String)>,
    /// `None` for all.
    namespace: Option<String>,
}

impl Wanted {
    fn read(query: &Query<'_>, namespace: Option<String>) -> Result<Self, Refusal> {
        let mut topics = Vec::new();
        for topic in query.all("topic").filter(|topic| !topic.is_empty()) {
            let mut parts = topic.split(':');
            let (name, key) = (parts.next().unwrap_or("*"), parts.next().unwrap_or("*"));
            if parts.next().is_some() {
                return Err(Refusal::malformed(format!(
                    "Invalid topic query: error parsing topics: Invalid key value pair for topic, topic: {topic}"
                )));
            }
            topics.push((name.to_owned(), key.to_owned()));
        }
        if topics.is_empty() {
            topics.push(("*".to_owned(), "*".to_owned()));
        }
        let namespace = namespace.unwrap_or_else(|| "default".to_owned());
        Ok(Self {
            topics,
            namespace: (namespace != "*").then_some(namespace),
        })
    }

    fn holds(&self, event: &Event) -> bool {
        let is_there = event.namespace.is_empty()
            || self
                .namespace
                .as_ref()
                .is_none_or(|it| *it == event.namespace);
        let fits = |(topic, key): &(String, String)| {
            let is_key = || event.key == *key || event.filter_keys.contains(key);
            (topic == "*" || topic == event.topic.as_str()) && (key == "*" || is_key())
        };
        is_there && self.topics.iter().any(fits)
    }
}

/// Somebody who follows what happens.
struct Following {
    cp: ControlPlane,
    caller: Caller,
    _place: Place<IpAddr>,
    wanted: Wanted,
    /// The first commit that was not looked at yet.
    next: Index,
    indexes: watch::Receiver<Index>,
    /// Lines to be sent.
    ready: VecDeque<Bytes>,
    until: Option<Instant>,
    has_looked: bool,
    is_over: bool,
}

impl Following {
    /// The next line; `None` at the end: the server stops, the time is over, or the client was so slow
    /// that commits that it did not see are kept no more, or its token is none any more.
    async fn line(&mut self) -> Option<Bytes> {
        let silent_until = Instant::now() + HEARTBEAT;
        loop {
            if let Some(line) = self.ready.pop_front() {
                return Some(line);
            }
            if self.is_over {
                return None;
            }
            self.indexes.borrow_and_update();
            self.look();
            if !self.ready.is_empty() || self.is_over {
                continue;
            }
            let over = async {
                match self.until {
                    Some(until) => sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            let changed = timeout(
                silent_until.saturating_duration_since(Instant::now()),
                self.indexes.changed(),
            );
            tokio::select! {
                () = self.cp.stopping.cancelled() => self.is_over = true,
                () = over => self.is_over = true,
                changed = changed => match changed {
                    Ok(Ok(())) => {}
                    Ok(Err(_)) => self.is_over = true,
                    Err(_) => return Some(Bytes::from_static(NOTHING)),
                },
            }
        }
    }

    /// Takes in the commits since the last look, as far as the caller may see them now.
    fn look(&mut self) {
        match self.caller.again(&self.cp.state(), self.cp.clock.now()) {
            Ok(caller) => self.caller = caller,
            Err(_) => {
                self.is_over = true;
                return;
            }
        }
        let (steps, is_whole) = self.cp.live.steps_from(self.next);
        if !is_whole && self.has_looked {
            self.is_over = true;
            return;
        }
        self.has_looked = true;
        for step in &steps {
            self.ready
                .extend(line(&self.cp, &self.caller.access, &self.wanted, step));
            self.next = Index(step.index.0 + 1);
        }
    }
}

/// Whether what an event is about may be read.
fn may_read(access: &Access, event: &Event) -> bool {
    match event.topic {
        Topic::CSIVolume | Topic::CSIClaim => {
            access.in_namespace(&event.namespace, &["csi-read-volume"])
        }
        Topic::CSIPlugin => access.plugin(PluginPolicy::Read),
        Topic::Node => access.node(NodePolicy::Read),
    }
}

/// What one commit did of what is wanted and may be read; `None` if that is nothing.
fn line(cp: &ControlPlane, access: &Access, wanted: &Wanted, step: &Step) -> Option<Bytes> {
    let mut events = picture::events(cp, step);
    events.retain(|event| wanted.holds(event) && may_read(access, event));
    let shown = events.iter().filter_map(|event| {
        Some(wire::Event {
            filter_keys: event.filter_keys.iter().map(Into::into).collect(),
            index: step.index.0,
            key: event.key.as_str().into(),
            namespace: event.namespace.as_str().into(),
            payload: serde_json::from_str::<&RawValue>(&event.payload).ok()?,
            topic: event.topic.as_str(),
            kind: event.kind,
        })
    });
    let events = wire::Events {
        events: shown.collect(),
        index: step.index.0,
    };
    let line = || [&picture::encode(&events)[..], b"\n"].concat().into();
    (!events.events.is_empty()).then(line)
}
