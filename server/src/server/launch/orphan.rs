//! Drivers of ours that outlived us.
//!
//! A server that is killed leaves the drivers that it started running, on their sockets in the data
//! folder. Nobody but the holder of the data uses that folder, so whoever listens there is such a
//! driver. It is ended before another is started in its place: two would share its volumes.

use super::socket::SUFFIX;
use crate::config::{Launch, PluginConfig};
use crate::server::StartError;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::io;
use std::path::{Path, PathBuf};
use tokio::net::UnixStream;

/// How long an orphan may take to end when asked to, and again when killed.
const GRACE: Timespec = Timespec {
    tv_sec: 5,
    tv_nsec: 0,
};

/// Ends whoever listens on a socket in this folder, and removes the sockets. Those that an operator named
/// for drivers of his own are left alone.
pub(super) async fn end_all(folder: &Path, plugins: &[PluginConfig]) -> Result<(), StartError> {
    let is_named = |socket: &&PathBuf| {
        let named = |plugin: &PluginConfig| match &plugin.launch {
            Launch::Listening(endpoint) => endpoint.path() == *socket,
            Launch::Command(_) => false,
        };
        plugins.iter().any(named)
    };
    let sockets = sockets(folder).map_err(at(folder))?;
    let ours = sockets.iter().filter(|socket| !is_named(socket));
    futures::future::try_join_all(ours.map(|socket| clear(socket))).await?;
    Ok(())
}

async fn clear(socket: &Path) -> Result<(), StartError> {
    if let Some(driver) = listener(socket).await {
        tracing::warn!(
            pid = driver.as_raw_nonzero(),
            socket = %socket.display(),
            "a driver that an earlier run started is still there, and is ended"
        );
        end(driver).await.map_err(at(socket))?;
    }
    match std::fs::remove_file(socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(socket)(error)),
        _ => Ok(()),
    }
}

fn sockets(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let paths: io::Result<Vec<PathBuf>> = std::fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect();
    let is_socket = |path: &PathBuf| path.to_string_lossy().ends_with(SUFFIX);
    Ok(paths?.into_iter().filter(is_socket).collect())
}

/// The process that listens there; none if nobody does, or if it is this one.
async fn listener(socket: &Path) -> Option<Pid> {
    let stream = UnixStream::connect(socket).await.ok()?;
    let pid = Pid::from_raw(stream.peer_cred().ok()?.pid()?)?;
    (pid != rustix::process::getpid()).then_some(pid)
}

async fn end(driver: Pid) -> io::Result<()> {
    if tokio::task::spawn_blocking(move || end_blocking(driver)).await?? {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "process {} of an earlier run does not end",
        driver.as_raw_nonzero()
    )))
}

/// Whether it ended in time.
fn end_blocking(driver: Pid) -> io::Result<bool> {
    let process = match pidfd_open(driver, PidfdFlags::empty()) {
        Ok(process) => process,
        Err(Errno::SRCH) => return Ok(true),
        Err(error) => return Err(error.into()),
    };
    for signal in [Signal::TERM, Signal::KILL] {
        match pidfd_send_signal(&process, signal) {
            Ok(()) => {}
            Err(Errno::SRCH) => return Ok(true),
            Err(error) => return Err(error.into()),
        }
        // A process can be read from once it has ended.
        if poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&GRACE))? > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

fn at(path: &Path) -> impl Fn(io::Error) -> StartError + use<> {
    let path = path.to_owned();
    move |error| StartError::Path {
        path: path.clone(),
        error,
    }
}
