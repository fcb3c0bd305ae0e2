//! The built-in CSI driver: directories and raw files below one root, on one node.
//!
//! It is a complete CSI v1.13 driver (identity, controller and node over one unix socket) that
//! any orchestrator can use; `saddlebag driver` runs it alone, `saddlebag dev` inside. What may be
//! relied on:
//!
//! * **Durable when answered.** What was answered OK is on disk and survives `kill -9` and power
//!   loss at any point; what was not is either complete or gone without a trace after the next
//!   start (`root.rs` says how).
//! * **Strict.** Controller-publish, stage, publish, and back in the opposite order; a volume in
//!   use is not deleted. Every call may be repeated.
//! * **Nothing hangs on another.** A call on a volume that has one under way is `ABORTED`. All file
//!   work runs off the async threads and goes on when the caller leaves.
//! * **Paths are ours.** Ids are made here; nothing that was sent becomes part of a path below the
//!   root. Staging and target paths are the orchestrator's, absolute and outside the root.
//! * **Capacity is kept account of.** A raw file has exactly its size. A directory is not stopped
//!   from outgrowing its own; its health then says so.
//! * With the right to mount, volumes are published by bind mount; without, by symbolic link, and
//!   the log and `GetPluginInfo` say so.
//!
//! Parameters are kept and compared but mean nothing, but for `mode` (octal, also a mutable
//! parameter): the permissions of a volume's topmost directory or raw file.

mod capability;
mod capacity;
mod controller;
mod copy;
mod erase;
mod health;
mod identity;
mod inventory;
mod mounting;
mod node;
mod options;
mod page;
mod parameters;
mod pending;
mod record;
mod refusal;
mod root;
mod topology;
mod usage;

pub use erase::erase;
pub use options::Options;

use crate::csi::v1::{
    controller_server::ControllerServer, identity_server::IdentityServer, node_server::NodeServer,
};
use inventory::Inventory;
use mounting::Mounting;
use pending::Pending;
use refusal::Refusal;
use root::Root;
use std::{future::Future, io, path::PathBuf, sync::Arc};
use tokio::net::UnixListener;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::{Request, Response, Status};

/// Why a driver did not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An option has a value that CSI forbids.
    #[error("driver option {option}: {problem}")]
    Option {
        /// The field of [`Options`].
        option: &'static str,
        /// What is wrong with its value.
        problem: String,
    },
    /// The root, or what lies in it, cannot be used.
    #[error("cannot use {}: {source}", path.display())]
    Root {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Another driver runs on this root.
    #[error("another driver uses {}", .0.display())]
    InUse(PathBuf),
    /// A record is damaged or of a newer format. Nothing was changed.
    #[error("cannot read the record {}: {problem}", path.display())]
    Record {
        /// The record's file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The socket failed.
    #[error("cannot serve: {0}")]
    Serve(#[from] tonic::transport::Error),
}

/// Opens the root and answers CSI calls on a socket until told to stop; calls under way are then
/// finished first, however long they take. Dropped before that, it leaves the same as a kill would.
///
/// # Errors
///
/// Before the first call is answered: what [`Error`] lists. The root is then as it was.
pub async fn serve(
    listener: UnixListener,
    options: Options,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    let options = options.checked()?;
    let path = options.root.clone();
    let opened = tokio::task::spawn_blocking(|| Driver::open(options)).await;
    let driver = opened.map_err(|stopped| Error::Root {
        path,
        source: stopped.into(),
    })??;
    let driver = Handle(Arc::new(driver));
    tonic::transport::Server::builder()
        .add_service(IdentityServer::new(driver.clone()))
        .add_service(ControllerServer::new(driver.clone()))
        .add_service(NodeServer::new(driver))
        .serve_with_incoming_shutdown(UnixListenerStream::new(listener), shutdown)
        .await?;
    Ok(())
}

/// One driver at work on one root. Its methods are the CSI calls, and may block.
struct Driver {
    options: Options,
    root: Root,
    inventory: Inventory,
    pending: Pending,
    mounting: Mounting,
}

impl Driver {
    fn open(options: Options) -> Result<Self, Error> {
        let root = Root::open(&options.root)?;
        let inventory = Inventory::default();
        {
            let mut tables = inventory.tables();
            for volume in root.load()? {
                tables.put_volume(volume);
            }
            for snapshot in root.load()? {
                tables.snapshots.put(snapshot);
            }
        }
        let leftovers = root.leftovers()?;
        if !leftovers.is_empty() {
            tokio::task::spawn_blocking(move || {
                leftovers.iter().for_each(|left| root::erase(left))
            });
        }
        let mounting = Mounting::permitted(root.path());
        tracing::info!(
            driver = options.name,
            root = %root.path().display(),
            publishes_by = mounting.describe(),
            "built-in driver opened"
        );
        Ok(Self {
            options,
            root,
            inventory,
            pending: Pending::default(),
            mounting,
        })
    }
}

/// The driver as the generated services share it.
#[derive(Clone)]
struct Handle(Arc<Driver>);

impl Handle {
    /// Answers a call that touches files: off the async threads, and to its end even if the caller
    /// leaves.
    async fn work<Q: Send + 'static, A: Send + 'static>(
        &self,
        request: Request<Q>,
        call: fn(&Arc<Driver>, Q) -> Result<A, Refusal>,
    ) -> Result<Response<A>, Status> {
        let driver = self.0.clone();
        tokio::task::spawn_blocking(move || call(&driver, request.into_inner()))
            .await
            .map_err(|_| Status::internal("the call ended without an answer; see the log"))?
            .map(Response::new)
            .map_err(Status::from)
    }

    /// Answers a call from memory.
    fn tell<Q, A>(
        &self,
        request: Request<Q>,
        call: fn(&Arc<Driver>, Q) -> Result<A, Refusal>,
    ) -> Result<Response<A>, Status> {
        call(&self.0, request.into_inner())
            .map(Response::new)
            .map_err(Status::from)
    }
}
