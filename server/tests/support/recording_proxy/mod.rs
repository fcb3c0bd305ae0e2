//! A CSI driver that hands every call on to another one, and keeps what was asked and answered.
//!
//! - It holds its caller to the order of CSI ([`order`]): [`Record::in_order`] tells every step out of it.
//! - A driver whose services have a socket each gets a proxy in front of each, with one record.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod order;
mod services;

use hyper_util::rt::TokioIo;
use order::Order;
use saddlebag::csi::{Call, v1};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use tempfile::TempDir;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Status};
use v1::{
    controller_client::ControllerClient, controller_server::ControllerServer,
    identity_client::IdentityClient, identity_server::IdentityServer, node_client::NodeClient,
    node_server::NodeServer,
};

/// What was asked about volumes, by everybody whose proxies share it. Cheap to clone.
#[derive(Clone, Default)]
pub struct Record(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    order: Order,
    ended: Vec<(Call, Code)>,
}

impl Record {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap()
    }

    /// The calls about volumes that were answered, in the order of their answers, with gRPC's codes.
    pub fn ended(&self) -> Vec<(Call, Code)> {
        self.kept().ended.clone()
    }

    /// The calls about volumes that the driver did, in the order of its answers.
    pub fn done(&self) -> Vec<Call> {
        let ended = self.ended().into_iter();
        ended
            .filter(|(_, code)| *code == Code::Ok)
            .map(|(call, _)| call)
            .collect()
    }

    /// Forgets the calls so far, but not what they left behind.
    pub fn forget(&self) {
        self.kept().ended.clear();
    }

    /// Every step was in the order of CSI.
    #[track_caller]
    pub fn in_order(&self) {
        let kept = self.kept();
        let broken = kept.order.broken();
        assert!(broken.is_empty(), "{broken:#?}\nafter {:#?}", kept.ended);
    }

    /// Every step was in the order of CSI, and nothing is attached, staged or published, nor may be.
    #[track_caller]
    pub fn at_rest(&self) {
        self.in_order();
        let left = self.kept().order.left();
        assert!(left.is_empty(), "{left:#?}");
    }

    fn begin(&self, step: &order::Step) {
        self.kept().order.begin(step);
    }

    fn end(&self, call: Call, step: Option<&order::Step>, answered: Result<(), &Status>) {
        let code = answered.err().map_or(Code::Ok, Status::code);
        let mut kept = self.kept();
        if let Some(step) = step {
            kept.order.end(step, code);
        }
        if !call.is_discovery() {
            kept.ended.push((call, code));
        }
    }
}

/// One proxy, until it is dropped.
pub struct Proxy {
    folder: TempDir,
    serving: JoinHandle<()>,
}

/// What a proxy answers with.
#[derive(Clone)]
struct Forward {
    record: Record,
    identity: IdentityClient<Channel>,
    controller: ControllerClient<Channel>,
    node: NodeClient<Channel>,
}

impl Proxy {
    /// A proxy in front of the driver at this socket.
    pub fn before(socket: PathBuf, record: &Record) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let channel = channel(socket);
        let forward = Forward {
            record: record.clone(),
            identity: IdentityClient::new(channel.clone()),
            controller: ControllerClient::new(channel.clone()),
            node: NodeClient::new(channel),
        };
        let listener = UnixListener::bind(folder.path().join("csi.sock")).unwrap();
        let serving = Server::builder()
            .add_service(IdentityServer::new(forward.clone()))
            .add_service(ControllerServer::new(forward.clone()))
            .add_service(NodeServer::new(forward))
            .serve_with_incoming(UnixListenerStream::new(listener));
        let serving = tokio::spawn(async move { serving.await.unwrap() });
        Self { folder, serving }
    }

    /// The path of its socket.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("csi.sock")
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn channel(socket: PathBuf) -> Channel {
    let connect = tower::service_fn(move |_| {
        let socket = socket.clone();
        async move { UnixStream::connect(socket).await.map(TokioIo::new) }
    });
    Endpoint::from_static("http://localhost").connect_with_connector_lazy(connect)
}
