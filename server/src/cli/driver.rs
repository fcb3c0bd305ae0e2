//! `saddlebag driver`: the built-in CSI driver alone, for any orchestrator.

use crate::cli::say;
use crate::driver::{self, Options};
use std::{
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::ExitCode,
};
use tokio::{
    net::{UnixListener, UnixStream},
    signal::unix::{SignalKind, signal},
};

/// Runs the built-in CSI driver: directories and raw files below one root as volumes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The socket to serve on: `unix:///PATH`, or a plain path.
    #[arg(long, env = "CSI_ENDPOINT", value_name = "ENDPOINT", value_parser = socket_path)]
    endpoint: PathBuf,

    /// The directory that holds volumes, snapshots and what is known of them. Made if missing.
    #[arg(long, value_name = "DIR")]
    root: PathBuf,

    /// The driver's CSI name.
    #[arg(long, default_value = "local.saddlebag.dev")]
    name: String,

    /// The id of this node. The host's name unless given.
    #[arg(long, value_name = "ID")]
    node_id: Option<String>,

    /// Bytes that volumes and snapshots may take up in all. What the file system has unless given.
    #[arg(long, value_name = "BYTES")]
    capacity: Option<u64>,

    /// The largest volume that may be made, in bytes.
    #[arg(long, value_name = "BYTES")]
    max_volume_bytes: Option<u64>,

    /// How many volumes may be attached to this node at once.
    #[arg(long, value_name = "N")]
    max_volumes_per_node: Option<u32>,

    /// A segment of this node's topology; may be repeated. `NAME/node=ID` unless given.
    #[arg(long, value_name = "KEY=VALUE", value_parser = segment)]
    topology: Vec<(String, String)>,
}

/// Serves until SIGTERM or SIGINT. Failures are told on standard error.
pub async fn run(args: Args) -> ExitCode {
    match serve(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(io::stderr(), &format!("saddlebag driver: {error}\n"));
            ExitCode::FAILURE
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("something else listens on {}", .0.display())]
    Taken(PathBuf),
    #[error("cannot listen on {}: {source}", path.display())]
    Listen { path: PathBuf, source: io::Error },
    #[error("cannot wait for signals: {0}")]
    Signals(io::Error),
    #[error(transparent)]
    Driver(#[from] driver::Error),
}

async fn serve(args: Args) -> Result<(), Error> {
    let endpoint = args.endpoint.clone();
    let mut terminate = signal(SignalKind::terminate()).map_err(Error::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::Signals)?;
    let listener = listen(&endpoint).await?;
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    driver::serve(listener, args.into_options(), stop).await?;
    let _ = std::fs::remove_file(&endpoint);
    Ok(())
}

impl Args {
    fn into_options(self) -> Options {
        let node_id = self.node_id.unwrap_or_else(|| {
            let host = rustix::system::uname();
            host.nodename().to_string_lossy().into_owned()
        });
        Options {
            name: self.name,
            capacity: self.capacity,
            max_volume_bytes: self.max_volume_bytes,
            max_volumes_per_node: self.max_volumes_per_node,
            topology: self.topology.into_iter().collect(),
            ..Options::new(self.root, node_id)
        }
    }
}

/// Listens on a path that only this user may connect to, in place of a socket that nobody serves
/// any more.
async fn listen(path: &Path) -> Result<UnixListener, Error> {
    let failed = |source| Error::Listen {
        path: path.to_owned(),
        source,
    };
    match UnixStream::connect(path).await {
        Ok(_) => return Err(Error::Taken(path.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path).map_err(failed)?;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    let listener = UnixListener::bind(path).map_err(failed)?;
    let owner_only = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(path, owner_only).map_err(failed)?;
    Ok(listener)
}

fn socket_path(endpoint: &str) -> Result<PathBuf, String> {
    let path = endpoint.strip_prefix("unix://").unwrap_or(endpoint);
    if path.is_empty() || path.contains("://") {
        return Err("must be unix:///PATH".into());
    }
    Ok(path.into())
}

fn segment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.into(), value.into())),
        _ => Err("must be KEY=VALUE".into()),
    }
}
