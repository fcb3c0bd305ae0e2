//! One process of the driver: a socket on a thread of its own, which dies and comes back as it is told.

use super::Shared;
use super::services::{Beside, Controls};
use saddlebag::csi::v1;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::mpsc::Receiver;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::net::UnixListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::transport::Server;
use v1::{
    controller_server::ControllerServer, identity_server::IdentityServer, node_server::NodeServer,
};

/// What a process is told.
#[derive(Clone, Copy, Debug)]
pub enum Order {
    /// It dies, and another one starts at once.
    Restart,
    /// It dies for good.
    End,
}

pub struct Process {
    orders: mpsc::UnboundedSender<Order>,
    /// Told at the beginning of each life.
    begins: Mutex<Receiver<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Process {
    /// Starts the process beside a node; that of node 0 is the controller's, too. It listens when this
    /// returns.
    pub fn start(socket: PathBuf, node: usize, shared: Shared) -> Self {
        let (orders, mut told) = mpsc::unbounded_channel();
        let again = orders.clone();
        let (begun, begins) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            loop {
                let beside = Beside {
                    shared: shared.clone(),
                    node: super::StrictDriver::node_id(node),
                    process: again.clone(),
                };
                let _ = begun.send(());
                if live(&socket, node == 0, beside, &mut told) {
                    return;
                }
            }
        });
        begins.recv().unwrap();
        Self {
            orders,
            begins: Mutex::new(begins),
            thread: Some(thread),
        }
    }

    pub fn order(&self, order: Order) {
        let _ = self.orders.send(order);
    }

    /// Has it die, and waits for that: who was connected is not any more, and nothing that was sent to it
    /// is heard.
    pub fn die(&self) {
        let begins = self.begins.lock().unwrap();
        while begins.try_recv().is_ok() {}
        self.order(Order::Restart);
        let _ = begins.recv_timeout(Duration::from_secs(10));
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.order(Order::End);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// One life; answers whether it was the last.
fn live(
    socket: &Path,
    is_controller: bool,
    beside: Beside,
    told: &mut mpsc::UnboundedReceiver<Order>,
) -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let order = runtime.block_on(async {
        let listener = UnixListener::bind(socket).unwrap();
        let controller = is_controller.then(|| ControllerServer::new(Controls(beside.clone())));
        let serving = Server::builder()
            .add_service(IdentityServer::new(beside.clone()))
            .add_optional_service(controller)
            .add_service(NodeServer::new(beside))
            .serve_with_incoming(UnixListenerStream::new(listener));
        tokio::select! {
            order = told.recv() => order,
            served = serving => panic!("the driver's socket ended: {served:?}"),
        }
    });
    // Whatever was under way dies with it, done or not.
    drop(runtime);
    let _ = std::fs::remove_file(socket);
    matches!(order, Some(Order::End) | None)
}
