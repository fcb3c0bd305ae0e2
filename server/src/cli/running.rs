//! What `dev` and `serve` share: listening, serving until told to stop, and the file that says ready.

use super::signals::Signals;
use crate::server::Server;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// How a server's run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It stopped in order.
    Stopped,
    /// It was told twice to stop, and was dropped.
    ToldTwice,
    /// It did not stop in time, and was dropped.
    Overdue,
}

impl End {
    /// The exit code; of who was told twice, that of a shell's command that Ctrl-C ended.
    pub fn code(self) -> u8 {
        match self {
            End::Stopped => 0,
            End::ToldTwice => 130,
            End::Overdue => 1,
        }
    }
}

/// Serves until the first signal, which `told` hears of; a second one ends it at once. With the server
/// drivers that it started are dropped.
pub(super) async fn until_stopped(
    server: Server,
    listener: TcpListener,
    mut signals: Signals,
    told: impl FnOnce(),
) -> Result<End, String> {
    /// Each part of a stop keeps its time; this is for what goes on between them.
    const MORE: Duration = Duration::from_secs(2);
    let patience = server.shutdown_timeout() + MORE;
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = server.serve(listener, async {
        let _ = stopped.await;
    });
    let given_up = async {
        signals.next().await;
        told();
        drop(stop);
        tokio::select! {
            () = signals.next() => End::ToldTwice,
            () = tokio::time::sleep(patience) => End::Overdue,
        }
    };
    tokio::select! {
        served = serving => served.map(|()| End::Stopped).map_err(|error| error.to_string()),
        end = given_up => Ok(end),
    }
}

/// Lets the runtime's threads drop what a server that was dropped left to them, its drivers included.
pub(super) async fn let_drop() {
    const DROPPING: Duration = Duration::from_millis(100);
    tokio::time::sleep(DROPPING).await;
}

/// Listens, or says why not and what to try.
pub(super) async fn listen(address: SocketAddr, advice: &str) -> Result<TcpListener, String> {
    TcpListener::bind(address)
        .await
        .map_err(|error| format!("{address} cannot be listened on: {error}. {advice}"))
}

/// Removes the file of an earlier run, so that whoever waits for it waits for this one.
pub(super) fn remove_old(file: &Path) -> Result<(), String> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("--ready-file {}: {error}", file.display()))
        }
        _ => Ok(()),
    }
}

/// Writes the file that says ready. It is never seen half written.
pub(super) fn write_ready(file: &Path, url: &str) {
    if let Err(error) = write_whole(file, url) {
        tracing::error!("{} cannot be written: {error}", file.display());
    }
}

fn write_whole(file: &Path, text: &str) -> std::io::Result<()> {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut whole = tempfile::NamedTempFile::new_in(folder)?;
    std::io::Write::write_all(&mut whole, text.as_bytes())?;
    whole.persist(file)?;
    Ok(())
}
