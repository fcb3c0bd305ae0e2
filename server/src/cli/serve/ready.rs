//! Saying that the server is ready, and how its plugins are from then on.

use super::manager::Manager;
use crate::cli::running;
use crate::server::Watcher;
use crate::state::State;
use std::path::PathBuf;
use std::time::Duration;

/// A driver that was started just now is not there when it is asked for the first time: so long the
/// server waits for the plugins to be healthy before it is ready without.
const PATIENCE: Duration = Duration::from_secs(3);

/// Once every plugin was asked how it is, and is healthy or was waited for, says that the server is
/// ready; then what changes, until the task is dropped.
pub(super) async fn tell(watcher: Watcher, manager: Manager, url: String, file: Option<PathBuf>) {
    watcher.all_asked().await;
    let _ = tokio::time::timeout(PATIENCE, watcher.all_healthy()).await;
    let mut indexes = watcher.indexes();
    let mut told = status(&url, &watcher.state());
    tracing::info!("ready: {told}");
    manager.ready(&told);
    if let Some(file) = file {
        running::write_ready(&file, &url);
    }
    while indexes.changed().await.is_ok() {
        let status = status(&url, &watcher.state());
        if status != told {
            manager.status(&status);
            told = status;
        }
    }
}

/// Where the server answers, and how many of its plugins are healthy.
pub(super) fn status(url: &str, state: &State) -> String {
    let all = state.plugins().count();
    let healthy = state
        .plugins()
        .filter(|plugin| plugin.health().all_healthy())
        .count();
    match all {
        0 => format!("answering at {url}, no plugins"),
        1 => format!("answering at {url}, {healthy} of 1 plugin healthy"),
        _ => format!("answering at {url}, {healthy} of {all} plugins healthy"),
    }
}
