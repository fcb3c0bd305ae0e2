//! The built-in driver, in this process.

use super::BUILTIN;
use super::socket::SUFFIX;
use crate::config::Config;
use crate::control::ControlPlane;
use crate::csi::Endpoint;
use crate::driver;
use crate::server::StartError;
use std::path::Path;
use std::time::Duration;
use tokio::net::UnixListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The built-in driver, serving.
pub(super) struct Builtin {
    endpoint: Endpoint,
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

impl Builtin {
    /// Serves it on a socket in this folder.
    pub fn serve(cp: &ControlPlane, config: &Config, folder: &Path) -> Result<Self, StartError> {
        let socket = folder.join(format!("{BUILTIN}{SUFFIX}"));
        let failed = |error| StartError::Path {
            path: socket.clone(),
            error,
        };
        match std::fs::remove_file(&socket) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(failed(error));
            }
            _ => {}
        }
        let listener = UnixListener::bind(&socket).map_err(failed)?;
        let endpoint =
            Endpoint::at(socket).map_err(|error| StartError::Setup(error.to_string()))?;
        let options = driver::Options {
            chance: cp.chance.apart("driver"),
            clock: cp.clock.stands().then(|| cp.clock.clone()),
            ..driver::Options::new(config.data_dir.join(BUILTIN), cp.node.as_str())
        };
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let serving = tokio::spawn(async move {
            if let Err(error) = driver::serve(listener, options, stopped).await {
                tracing::error!(plugin.id = BUILTIN, "the built-in driver ended: {error}");
            }
        });
        Ok(Self {
            endpoint,
            stop,
            serving,
        })
    }

    /// Its socket.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Ends it; calls under way may take this long.
    pub async fn stop(self, patience: Duration) {
        self.stop.cancel();
        if tokio::time::timeout(patience, self.serving).await.is_err() {
            tracing::warn!(
                plugin.id = BUILTIN,
                "the built-in driver did not end in time and is left"
            );
        }
    }
}
