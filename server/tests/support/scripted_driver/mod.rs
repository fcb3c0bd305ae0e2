//! A CSI driver that answers as it is told, over a real unix socket, and remembers what it was asked.
//!
//! - [`ScriptedDriver::script`] queues replies per call; without one it answers as a driver with every
//!   capability would.
//! - [`ScriptedDriver::calls`] are the calls in the order in which they arrived.
//! - [`ScriptedDriver::leave`] ends it as a crash would; [`ScriptedDriver::come_back`] starts it again
//!   at the same socket, with the same script and memory.
//!
//! It lives on a thread of its own, so it answers however busy the test is.
#![allow(dead_code, reason = "each test uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod announced;
mod services;

pub use announced::{controller_capabilities, node_capabilities, plugin_capabilities};

use prost::Message;
use saddlebag::csi::{Call, Connection, Endpoint, Limits, v1};
use std::{
    collections::{HashMap, VecDeque},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    net::UnixListener,
    runtime::Runtime,
    sync::{Notify, watch},
};
use tokio_stream::wrappers::UnixListenerStream;
use tonic::{
    Code, Request, Response, Status,
    codegen::http::{self, HeaderValue},
    transport::Server,
};
use v1::{
    controller_server::ControllerServer, identity_server::IdentityServer, node_server::NodeServer,
};

/// A refusal with this message carries status details that are not base64.
pub const MALFORMED_DETAILS: &str = "with malformed details";

/// What the driver does when it is called.
#[derive(Clone)]
pub enum Reply {
    /// Answers this message, encoded.
    Answer(Vec<u8>),
    /// Refuses.
    Refuse(Code, String),
    /// Never answers.
    Hang,
    /// Does the other thing after a while.
    After(Duration, Box<Reply>),
    /// Does the other thing once it is told to.
    When(Arc<Notify>, Box<Reply>),
    /// Does the other thing as soon as this is true, and from then on.
    Once(watch::Receiver<bool>, Box<Reply>),
    /// Answers as if nothing were scripted.
    Usual,
}

impl Reply {
    /// Answers this message.
    pub fn answer(message: impl Message) -> Self {
        Self::Answer(message.encode_to_vec())
    }

    /// Refuses with this code and message.
    pub fn refuse(code: Code, message: impl Into<String>) -> Self {
        Self::Refuse(code, message.into())
    }
}

/// One call, as it arrived.
#[derive(Clone)]
struct Asked {
    call: Call,
    question: Vec<u8>,
    deadline: Option<String>,
}

#[derive(Default)]
struct Memory {
    asked: Vec<Asked>,
    /// Replies to the next calls.
    next: HashMap<Call, VecDeque<Reply>>,
    /// Replies to all later calls.
    always: HashMap<Call, Reply>,
    /// How many calls are under way, and how many were at most.
    under_way: usize,
    most_under_way: usize,
}

#[derive(Clone)]
struct Driver {
    memory: Arc<Mutex<Memory>>,
    asked: Arc<watch::Sender<usize>>,
}

/// See the module.
pub struct ScriptedDriver {
    directory: TempDir,
    driver: Driver,
    running: Option<Runtime>,
    longest_connection: Option<Duration>,
}

impl ScriptedDriver {
    /// A driver that listens at a socket of its own.
    pub fn start() -> Self {
        let mut driver = Self::absent();
        driver.come_back();
        driver
    }

    /// A driver that does not listen yet.
    pub fn absent() -> Self {
        Self {
            directory: TempDir::new().unwrap(),
            driver: Driver {
                memory: Arc::default(),
                asked: Arc::new(watch::Sender::new(0)),
            },
            running: None,
            longest_connection: None,
        }
    }

    /// A driver that ends every connection after this long.
    pub fn restless(longest_connection: Duration) -> Self {
        let mut driver = Self::absent();
        driver.longest_connection = Some(longest_connection);
        driver.come_back();
        driver
    }

    /// The path of its socket.
    pub fn socket(&self) -> PathBuf {
        self.directory.path().join("csi.sock")
    }

    /// Where it listens.
    pub fn endpoint(&self) -> Endpoint {
        Endpoint::at(self.socket()).unwrap()
    }

    /// A connection to it.
    pub fn connect(&self, limits: Limits) -> Connection {
        Connection::new(self.endpoint(), limits)
    }

    /// Ends it as a crash would: its connections are closed without a word.
    pub fn leave(&mut self) {
        if let Some(running) = self.running.take() {
            running.shutdown_background();
            std::fs::remove_file(self.socket()).unwrap();
        }
    }

    /// Starts it again.
    pub fn come_back(&mut self) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = {
            let _inside = runtime.enter();
            UnixListener::bind(self.socket()).unwrap()
        };
        let driver = self.driver.clone();
        let mut server = Server::builder();
        if let Some(longest) = self.longest_connection {
            server = server.max_connection_age(longest);
        }
        runtime.spawn(
            server
                .layer(tower::util::MapResponseLayer::new(spoil_details))
                .add_service(IdentityServer::new(driver.clone()))
                .add_service(ControllerServer::new(driver.clone()))
                .add_service(NodeServer::new(driver))
                .serve_with_incoming(UnixListenerStream::new(listener)),
        );
        self.running = Some(runtime);
    }

    /// Queues a reply to the next call of this kind.
    pub fn script(&self, call: Call, reply: Reply) {
        let mut memory = self.driver.memory();
        memory.next.entry(call).or_default().push_back(reply);
    }

    /// Replies like this to every call of this kind for which nothing is queued.
    pub fn always(&self, call: Call, reply: Reply) {
        self.driver.memory().always.insert(call, reply);
    }

    /// The calls so far, in the order in which they arrived.
    pub fn calls(&self) -> Vec<Call> {
        let memory = self.driver.memory();
        memory.asked.iter().map(|asked| asked.call).collect()
    }

    /// Forgets the calls so far.
    pub fn forget(&self) {
        self.driver.memory().asked.clear();
    }

    /// What was asked by the last call of this kind.
    pub fn last<Question: Message + Default>(&self, call: Call) -> Question {
        let memory = self.driver.memory();
        let mut newest_first = memory.asked.iter().rev();
        let asked = newest_first.find(|asked| asked.call == call).unwrap();
        Question::decode(asked.question.as_slice()).unwrap()
    }

    /// What was asked by all calls of this kind, in the order in which they arrived.
    pub fn questions<Question: Message + Default>(&self, call: Call) -> Vec<Question> {
        let memory = self.driver.memory();
        let asked = memory.asked.iter().filter(|asked| asked.call == call);
        asked
            .map(|asked| Question::decode(asked.question.as_slice()).unwrap())
            .collect()
    }

    /// Forgets what was scripted for calls of this kind.
    pub fn as_usual(&self, call: Call) {
        let mut memory = self.driver.memory();
        memory.next.remove(&call);
        memory.always.remove(&call);
    }

    /// Waits until no call is under way.
    pub async fn idle(&self) {
        let idle = async {
            while self.driver.memory().under_way > 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), idle)
            .await
            .expect("calls were under way for 10 s");
    }

    /// The deadline that the last call of this kind was sent with, as gRPC writes it.
    pub fn last_deadline(&self, call: Call) -> Option<String> {
        let memory = self.driver.memory();
        let mut newest_first = memory.asked.iter().rev();
        newest_first
            .find(|asked| asked.call == call)?
            .deadline
            .clone()
    }

    /// The most calls that were ever under way at once.
    pub fn most_under_way(&self) -> usize {
        self.driver.memory().most_under_way
    }

    /// Waits until this many calls of this kind have arrived.
    pub async fn asked(&self, call: Call, times: usize) {
        let mut asked = self.driver.asked.subscribe();
        let enough = asked.wait_for(|_| {
            let calls = self.calls();
            calls.into_iter().filter(|asked| *asked == call).count() >= times
        });
        tokio::time::timeout(Duration::from_secs(10), enough)
            .await
            .unwrap_or_else(|_| panic!("{call} was not called {times} times in 10 s"))
            .unwrap();
    }
}

impl Drop for ScriptedDriver {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Makes the status details unreadable where the test wants so.
fn spoil_details<Body>(mut answer: http::Response<Body>) -> http::Response<Body> {
    let message = answer.headers().get(Status::GRPC_MESSAGE);
    let wanted = MALFORMED_DETAILS.replace(' ', "%20");
    if message.is_some_and(|message| message.as_bytes() == wanted.as_bytes()) {
        let details = HeaderValue::from_static("!not base64!");
        answer
            .headers_mut()
            .insert("grpc-status-details-bin", details);
    }
    answer
}

/// Counts a call as under way until it is dropped.
struct UnderWay(Driver);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.memory().under_way -= 1;
    }
}

impl Driver {
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap()
    }

    async fn answer<Question: Message, Answer: Message + Default>(
        &self,
        call: Call,
        request: Request<Question>,
        usual: impl FnOnce(&Question) -> Answer,
    ) -> Result<Response<Answer>, Status> {
        let deadline = request.metadata().get("grpc-timeout");
        let asked = Asked {
            call,
            question: request.get_ref().encode_to_vec(),
            deadline: deadline.map(|text| text.to_str().unwrap().to_owned()),
        };
        let (mut reply, _under_way) = {
            let mut memory = self.memory();
            memory.asked.push(asked);
            memory.under_way += 1;
            memory.most_under_way = memory.most_under_way.max(memory.under_way);
            let next = memory.next.get_mut(&call).and_then(VecDeque::pop_front);
            let reply = next.or_else(|| memory.always.get(&call).cloned());
            (reply.unwrap_or(Reply::Usual), UnderWay(self.clone()))
        };
        self.asked.send_modify(|asked| *asked += 1);
        loop {
            reply = match reply {
                Reply::Answer(bytes) => {
                    return Ok(Response::new(Answer::decode(bytes.as_slice()).unwrap()));
                }
                Reply::Refuse(code, message) => return Err(Status::new(code, message)),
                Reply::Usual => return Ok(Response::new(usual(request.get_ref()))),
                Reply::Hang => std::future::pending().await,
                Reply::After(pause, then) => {
                    tokio::time::sleep(pause).await;
                    *then
                }
                Reply::When(told, then) => {
                    told.notified().await;
                    *then
                }
                Reply::Once(mut is_so, then) => {
                    let _ = is_so.wait_for(|is_so| *is_so).await;
                    *then
                }
            };
        }
    }
}
