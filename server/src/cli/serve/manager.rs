//! Telling the service manager how the server is: systemd's protocol of datagrams (`sd_notify(3)`).
//!
//! Nothing is told unless `NOTIFY_SOCKET` names a socket, by a path or, after `@`, by an abstract name.

use crate::server::Watcher;
use rustix::time::{ClockId, clock_gettime};
use std::ffi::OsStr;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// Whoever started this process and wants to hear of it. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Manager {
    socket: Option<SocketAddr>,
    /// How long it may hear nothing before it takes the server for dead.
    watchdog: Option<Duration>,
}

impl Manager {
    /// The one that the environment names.
    pub fn from_environment() -> Result<Self, String> {
        let given = std::env::var_os("NOTIFY_SOCKET");
        let socket = given.as_deref().map(address_of).transpose();
        Ok(Self {
            socket: socket.map_err(|error| format!("NOTIFY_SOCKET {given:?}: {error}"))?,
            watchdog: watchdog(),
        })
    }

    /// The server is ready, for the first time or again.
    pub fn ready(&self, status: &str) {
        self.tell(&format!("READY=1\nSTATUS={status}"));
    }

    /// The server is as this says.
    pub fn status(&self, status: &str) {
        self.tell(&format!("STATUS={status}"));
    }

    /// The server reads its configuration again, from this moment on.
    pub fn reloading(&self) {
        let now = clock_gettime(ClockId::Monotonic);
        let micros = i128::from(now.tv_sec) * 1_000_000 + i128::from(now.tv_nsec) / 1_000;
        self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={micros}"));
    }

    /// The server is stopping.
    pub fn stopping(&self) {
        self.tell("STOPPING=1\nSTATUS=stopping");
    }

    /// Says that the server is alive, as often as the manager wants to hear it, and each time only after
    /// its store and its state have answered; until the task is dropped.
    pub async fn watchdog(self, watcher: Watcher) {
        let Some(patience) = self.watchdog else {
            return;
        };
        loop {
            watcher.round_trip().await;
            self.tell("WATCHDOG=1");
            tokio::time::sleep(patience / 2).await;
        }
    }

    fn tell(&self, text: &str) {
        let Some(socket) = &self.socket else {
            return;
        };
        // One socket for each message: the manager may have been restarted in between.
        let told = UnixDatagram::unbound().and_then(|from| {
            from.set_write_timeout(Some(Duration::from_secs(1)))?;
            from.send_to_addr(text.as_bytes(), socket)
        });
        if let Err(error) = told {
            tracing::warn!("the service manager cannot be told {text:?}: {error}");
        }
    }
}

fn address_of(name: &OsStr) -> std::io::Result<SocketAddr> {
    match name.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(name),
    }
}

/// What `WATCHDOG_USEC` says, if it is meant for this process.
fn watchdog() -> Option<Duration> {
    let number = |name| std::env::var(name).ok()?.parse::<u64>().ok();
    let is_ours = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
    let micros = number("WATCHDOG_USEC").filter(|micros| *micros > 0);
    micros.filter(|_| is_ours).map(Duration::from_micros)
}
