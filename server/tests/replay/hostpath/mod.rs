//! A driver set up as the recorded one was: what csi-driver-host-path v1.18.0 with `-enable-attach` and
//! node id `n1` answers, in its words, over a real unix socket. It keeps books and touches no disk.

mod services;
mod storage;

pub use storage::Storage;

use saddlebag::csi::{Endpoint, v1};
use std::sync::{Arc, Mutex, MutexGuard};
use tempfile::TempDir;
use tokio::net::UnixListener;
use tokio::runtime::Runtime;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::transport::Server;
use v1::{
    controller_server::ControllerServer, identity_server::IdentityServer, node_server::NodeServer,
};

/// Its only node.
const NODE: &str = "n1";

/// A running driver.
pub struct Hostpath {
    folder: TempDir,
    driver: Driver,
    running: Option<Runtime>,
}

#[derive(Clone, Default)]
struct Driver(Arc<Mutex<Storage>>);

impl Hostpath {
    /// Listens at a socket of its own, on a thread of its own.
    pub fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let driver = Driver::default();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = {
            let _inside = runtime.enter();
            UnixListener::bind(folder.path().join("csi.sock")).unwrap()
        };
        let serving = Server::builder()
            .add_service(IdentityServer::new(driver.clone()))
            .add_service(ControllerServer::new(driver.clone()))
            .add_service(NodeServer::new(driver.clone()))
            .serve_with_incoming(UnixListenerStream::new(listener));
        runtime.spawn(serving);
        Self {
            folder,
            driver,
            running: Some(runtime),
        }
    }

    /// Where it listens.
    pub fn endpoint(&self) -> Endpoint {
        Endpoint::at(self.folder.path().join("csi.sock")).unwrap()
    }

    /// What it has.
    pub fn storage(&self) -> MutexGuard<'_, Storage> {
        self.driver.storage()
    }
}

impl Drop for Hostpath {
    fn drop(&mut self) {
        if let Some(runtime) = self.running.take() {
            runtime.shutdown_background();
        }
    }
}

impl Driver {
    fn storage(&self) -> MutexGuard<'_, Storage> {
        self.0.lock().unwrap()
    }
}
