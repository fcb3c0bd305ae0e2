//! Backups of the store while a server has it: on a socket in the data folder, for its owner.
//!
//! Whoever connects is sent `ok` and a line end and then a [`backup`], or a line
//! that says why not, and then the end. It is no route of the HTTP API because it holds every secret
//! there is, if sealed: only the user that the server runs as, and root, may connect.

use super::{StartError, make_private_folder};
use crate::control::ControlPlane;
use crate::csi::MOST_SOCKET_PATH_BYTES;
use crate::store::backup;
use bytes::Bytes;
use rustix::process::geteuid;
use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// How long whoever takes a backup may leave a piece of it lying.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many pieces of a backup may lie ready.
const READY: usize = 4;

/// The line before a backup.
pub const OK: &str = "ok\n";

/// The socket of the server that has this data folder.
pub fn socket(data_dir: &Path) -> PathBuf {
    data_dir.join("run").join(NAME)
}

const NAME: &str = "store.sock";

/// Connects to the server that has this data folder.
pub fn connect(data_dir: &Path) -> io::Result<std::os::unix::net::UnixStream> {
    reachable(&socket(data_dir), |path| {
        std::os::unix::net::UnixStream::connect(path)
    })
}

/// Uses the socket by a path that is short enough to be one.
fn reachable<T>(socket: &Path, by: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    if socket.as_os_str().len() <= MOST_SOCKET_PATH_BYTES {
        return by(socket);
    }
    let folder = File::open(socket.parent().unwrap_or(Path::new("/")))?;
    by(Path::new(&format!(
        "/proc/self/fd/{}/{NAME}",
        folder.as_raw_fd()
    )))
}

/// Gives backups to who asks, until it is dropped.
pub(super) async fn give(cp: ControlPlane, listening: Listening) {
    let mut giving = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listening.listener.accept() => match accepted {
                Ok((socket, _)) if is_owner(&socket) => {
                    giving.spawn(give_one(cp.clone(), socket));
                }
                Ok(_) => {} // closed
                Err(error) => {
                    tracing::warn!("a backup could not be asked for: {error}");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            },
            Some(_) = giving.join_next() => {}
        }
    }
}

/// The socket, which is removed when this is dropped.
pub(super) struct Listening {
    listener: UnixListener,
    socket: PathBuf,
}

impl Listening {
    /// Listens in the data folder, in place of whoever had it before.
    pub(super) fn in_folder(data_dir: &Path) -> Result<Self, StartError> {
        let socket = socket(data_dir);
        let failed = |error| StartError::Path {
            path: socket.clone(),
            error,
        };
        make_private_folder(&data_dir.join("run"))?;
        match std::fs::remove_file(&socket) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let listener = reachable(&socket, |path| UnixListener::bind(path)).map_err(failed)?;
        std::fs::set_permissions(&socket, Permissions::from_mode(0o600)).map_err(failed)?;
        Ok(Self { listener, socket })
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.socket);
    }
}

fn is_owner(socket: &UnixStream) -> bool {
    let peer = socket.peer_cred().map(|peer| peer.uid());
    peer.is_ok_and(|peer| peer == 0 || peer == geteuid().as_raw())
}

async fn give_one(cp: ControlPlane, mut socket: UnixStream) {
    if let Err(error) = send(&cp, &mut socket).await {
        tracing::warn!("a backup was broken off: {error}");
    }
}

async fn send(cp: &ControlPlane, socket: &mut UnixStream) -> Result<(), backup::WriteError> {
    let reading = match cp.store.read().await {
        Ok(reading) => reading,
        Err(error) => {
            socket.write_all(format!("{error}\n").as_bytes()).await?;
            return Err(error.into());
        }
    };
    socket.write_all(OK.as_bytes()).await?;
    let (pieces, mut ready) = mpsc::channel(READY);
    let taken_at = cp.clock.now();
    let written =
        tokio::task::spawn_blocking(move || backup::write(reading, taken_at, Pieces(pieces)));
    while let Some(piece) = ready.recv().await {
        let sent = timeout(PATIENCE, socket.write_all(&piece)).await;
        sent.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    }
    written.await.map_err(io::Error::other)?
}

/// What is written to it is sent on in pieces, as fast as they are taken.
struct Pieces(mpsc::Sender<Bytes>);

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = Bytes::copy_from_slice(bytes);
        let sent = self.0.blocking_send(piece);
        sent.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
