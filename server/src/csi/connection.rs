//! A driver's socket.
//!
//! - A [`Connection`] connects at the first call and again at the first call after it was lost: there
//!   is nothing to wait for and nothing to restart. While nobody listens, calls fail at once.
//! - All calls of its clones go side by side over one socket.
//! - A lost socket wakes [`Connection::lost`] when the system closes it, not at the next call.
//! - A call that fails is not tried again here: whoever asked knows whether it may be.

use super::{
    Call, CallError, Code, Confided, Deadlines, Endpoint, Secrets, Sources, UnreadableSecret,
    question::{Question, ask},
    socket::{Link, connector},
    wire::Wire,
};
use crate::control::blocking;
use crate::crash::{self, Point};
use crate::id::NodeId;
use crate::testing::{AWAY, CallFaults, Struck};
use bytes::Bytes;
use prost::Message;
use std::{error::Error, fmt, sync::Arc, time::Duration};
use tokio::{
    sync::{Semaphore, SemaphorePermit, watch},
    time::{Instant, timeout},
};
use tonic::{Request, Status, transport::Channel};

/// How many calls at once a plugin gets when nobody says otherwise.
pub const CALLS_AT_ONCE: usize = 16;

/// What a question is told that finds too many others waiting.
const TOO_MANY_WAIT: &str =
    "as many questions wait for their turn at this plugin as may: ask again later";

/// The longest head of an answer, in bytes: it holds the driver's error message.
const MOST_HEADER_BYTES: u32 = 1024 * 1024;

/// A driver that keeps the deadline itself answers `Cancelled` when it is over, as servers made with tonic
/// do, and by its own clock that may be so much before ours: nothing is known then of what it did.
const A_HAIR: Duration = Duration::from_millis(20);

/// How much may be asked of a plugin. Clones share their turns: give one to all controller sockets of
/// a plugin, and one to each of its nodes, so that a node that hangs takes no turn of another.
#[derive(Clone, Debug)]
pub struct Limits {
    turns: Arc<Semaphore>,
    /// Places for questions that wait for a turn.
    places: Arc<Semaphore>,
    deadlines: Deadlines,
}

impl Limits {
    /// At most `calls_at_once` calls (at least 1) under way, discovery not counted; what is more
    /// waits its turn.
    pub fn new(calls_at_once: usize, deadlines: Deadlines) -> Self {
        let semaphore = |permits: usize| Arc::new(Semaphore::new(permits));
        Self {
            turns: semaphore(calls_at_once.clamp(1, Semaphore::MAX_PERMITS)),
            places: semaphore(Semaphore::MAX_PERMITS),
            deadlines,
        }
    }

    /// The same, where at most so many questions, which change nothing, wait for their turn; what is more
    /// fails at once.
    #[must_use]
    pub fn with_queue(self, questions: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(questions.min(Semaphore::MAX_PERMITS))),
            ..self
        }
    }

    /// Waits for a turn. Nothing if there are as many questions that wait as may.
    async fn turn(&self, call: Call) -> Option<Option<SemaphorePermit<'_>>> {
        if call.is_discovery() {
            return Some(None);
        }
        if let Ok(turn) = self.turns.try_acquire() {
            return Some(Some(turn));
        }
        let _place = match call.is_question() {
            true => Some(self.places.try_acquire().ok()?),
            false => None,
        };
        Some(self.turns.acquire().await.ok())
    }

    /// How long calls may take.
    pub fn deadlines(&self) -> &Deadlines {
        &self.deadlines
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::new(CALLS_AT_ONCE, Deadlines::default())
    }
}

/// A way to one driver. Clones are cheap and share the socket.
#[derive(Clone)]
pub struct Connection {
    endpoint: Arc<Endpoint>,
    limits: Limits,
    channel: Channel,
    link: watch::Receiver<Link>,
    secrets: Arc<Secrets>,
    faults: Option<CallFaults>,
    sources: Arc<Sources>,
    confided: Option<Confided>,
}

impl Connection {
    /// A way to the driver at this socket, which need not exist yet. Must be called inside a tokio
    /// runtime.
    pub fn new(endpoint: Endpoint, limits: Limits) -> Self {
        let endpoint = Arc::new(endpoint);
        let (connector, link) = connector(endpoint.clone());
        let channel = tonic::transport::Endpoint::from_static("http://localhost")
            .http2_max_header_list_size(MOST_HEADER_BYTES)
            .connect_with_connector_lazy(connector);
        Self {
            endpoint,
            limits,
            channel,
            link,
            secrets: Arc::default(),
            faults: None,
            sources: Arc::default(),
            confided: None,
        }
    }

    /// The same way, with secrets that every call about a volume or snapshot carries.
    #[must_use]
    pub fn with_secrets(self, secrets: Secrets) -> Self {
        Self {
            secrets: Arc::new(secrets),
            ..self
        }
    }

    /// The same way, on which calls meet these faults.
    #[must_use]
    pub fn with_faults(self, faults: Option<CallFaults>) -> Self {
        Self { faults, ..self }
    }

    /// The same way to the service of a node, which may be away.
    #[must_use]
    pub fn to_node(self, node: &NodeId) -> Self {
        let faults = self.faults.map(|faults| faults.on_node(node));
        Self { faults, ..self }
    }

    /// The same way, where secrets may be read from these.
    #[must_use]
    pub fn with_sources(self, sources: Arc<Sources>) -> Self {
        Self { sources, ..self }
    }

    /// The same way, which remembers there what the driver is told.
    #[must_use]
    pub fn confiding(self, confided: Option<Confided>) -> Self {
        Self { confided, ..self }
    }

    /// The same way, with turns and deadlines of its own.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// What a call carries: the secrets of the plugin with those of its volume or request on top, each
    /// reference read now.
    pub async fn secrets_with(&self, own: &Secrets) -> Result<Secrets, UnreadableSecret> {
        let secrets = self.secrets.merged_with(own);
        if secrets.references().is_empty() {
            return Ok(secrets);
        }
        let sources = Arc::clone(&self.sources);
        blocking(move || sources.read(&secrets)).await
    }

    /// Where secrets may be read from.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// The driver's socket.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Whether the socket is open.
    pub fn is_connected(&self) -> bool {
        self.link.borrow().is_some()
    }

    /// Waits until the socket that is open now is lost; returns at once if none is.
    pub async fn lost(&self) {
        let mut link = self.link.clone();
        let now = *link.borrow();
        if now.is_some() {
            // The other end lives in the channel, which outlives `self`.
            let _ = link.wait_for(|link| *link != now).await;
        }
    }

    /// Makes a call: waits its turn, tells the driver the deadline, keeps it, and says of an error
    /// who made it.
    pub(super) async fn call<Asked: Question>(
        &self,
        call: Call,
        secrets: &Secrets,
        question: Asked,
    ) -> Result<Asked::Answer, CallError> {
        let question = question.encode_to_vec().into();
        let answer = self.exchange(call, secrets, Asked::PATH, question).await?;
        Asked::Answer::decode(answer)
            .map_err(|error| self.unreachable(call, &error.to_string(), secrets))
    }

    /// The same for every call, which is why it knows no messages: it is compiled once.
    async fn exchange(
        &self,
        call: Call,
        secrets: &Secrets,
        path: &'static str,
        question: Bytes,
    ) -> Result<Bytes, CallError> {
        let allowed = self.limits.deadlines.of(call);
        let started = Instant::now();
        let answer = async {
            let Some(_turn) = self.limits.turn(call).await else {
                return Err((None, Status::unavailable(TOO_MANY_WAIT)));
            };
            let wire = Wire::new(self.channel.clone());
            let heard = wire.heard();
            let mut request = Request::new(question);
            request.set_timeout(allowed.saturating_sub(started.elapsed()));
            let struck = self.meet(call)?;
            if let Some(struck) = struck.as_ref().filter(|struck| !struck.after_work) {
                come_of(struck).await?;
            }
            if let Some(confided) = &self.confided {
                confided.note(secrets);
            }
            crash::pass(Point::BeforeCall(call));
            let asked = ask(wire, path, request).await;
            crash::pass(Point::AfterCall(call));
            if let Some(struck) = struck.as_ref().filter(|struck| struck.after_work) {
                come_of(struck).await?;
            }
            asked.map_err(|status| (heard.code(), status))
        };
        match timeout(allowed, answer).await {
            Err(_elapsed) => Err(CallError::by_deadline(call)),
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err((Some(tonic::Code::Cancelled), _))) if started.elapsed() + A_HAIR >= allowed => {
                Err(CallError::by_deadline(call))
            }
            Ok(Err((Some(code), status))) if code == status.code() => Err(CallError::by_driver(
                call,
                Code::from_grpc(code),
                status.message(),
                secrets,
            )),
            Ok(Err((_, status))) if is_timeout(&status) => Err(CallError::by_deadline(call)),
            Ok(Err((_, status))) => Err(self.unreachable(call, &told(&status), secrets)),
        }
    }

    fn unreachable(&self, call: Call, what: &str, secrets: &Secrets) -> CallError {
        CallError::by_connection(call, &format!("{}: {what}", self.endpoint), secrets)
    }
}

/// A call that failed: the code that was heard from the driver, if any was, and what tonic says.
type Failed = (Option<tonic::Code>, Status);

impl Connection {
    /// The fault that this call meets, if tests asked for one. The error: nobody can be reached.
    fn meet(&self, call: Call) -> Result<Option<Struck<Code>>, Failed> {
        match &self.faults {
            Some(faults) if faults.is_away() => Err((None, Status::unavailable(AWAY))),
            Some(faults) => Ok(faults.strike(call)),
            None => Ok(None),
        }
    }
}

/// Goes through what a call was struck by. The error is what the driver seems to answer.
async fn come_of(struck: &Struck<Code>) -> Result<(), Failed> {
    struck.hold().await;
    match struck.outcome.map(Code::to_grpc) {
        Some(code) => Err((Some(code), Status::new(code, &*struck.message))),
        None => Ok(()),
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("endpoint", &self.endpoint)
            .field("connected", &self.is_connected())
            .finish_non_exhaustive()
    }
}

/// Errors from the outermost to the cause.
fn causes(status: &Status) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(status.source(), |error| (*error).source())
}

/// The channel keeps the deadline too, and may be first by a hair.
fn is_timeout(status: &Status) -> bool {
    causes(status).any(|error| error.is::<tonic::TimeoutExpired>())
}

/// What happened, as the innermost cause says it.
fn told(status: &Status) -> String {
    causes(status)
        .last()
        .map_or_else(|| status.message().to_owned(), ToString::to_string)
}
