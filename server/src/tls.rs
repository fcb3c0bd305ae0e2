//! TLS at the server's door: its certificate, and whose certificates it takes.
//!
//! - TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1, with rustls.
//! - Files that change are used from the next handshake on, at most a second later; connections that are
//!   there stay as they are. A pair that cannot be used is told in the log once, and the old one stays.
//! - A key is read from its file and held by rustls; it is never shown.

pub mod authority;
mod load;
mod stamp;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use stamp::Stamp;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Where a server's certificates are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The server's certificate, PEM, with those between it and the root.
    pub cert: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
    /// The certificates of the authorities whose clients are let in, PEM. `None`: clients need none.
    pub clients: Option<PathBuf>,
}

/// Why certificates cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {problem}", file.display())]
pub struct Unusable {
    /// The file.
    pub file: PathBuf,
    /// What is wrong with it, and what would be right.
    pub problem: String,
}

/// A server's certificates, as its files are now.
#[derive(Debug)]
pub struct Certificates {
    files: Files,
    used: ArcSwap<ServerConfig>,
    looked: Mutex<Looked>,
}

/// What was seen of the files last.
#[derive(Debug)]
struct Looked {
    at: Instant,
    stamps: Vec<Stamp>,
}

/// How long what was seen of the files is believed.
const BELIEVED: Duration = Duration::from_secs(1);

impl Certificates {
    /// Reads the files.
    ///
    /// # Errors
    /// A file cannot be read, holds none, or key and certificate are no pair.
    pub fn load(files: Files) -> Result<Self, Unusable> {
        let stamps = files.stamps();
        let used = ArcSwap::new(load::config(&files)?);
        let at = Instant::now();
        Ok(Self {
            files,
            used,
            looked: Mutex::new(Looked { at, stamps }),
        })
    }

    /// What a handshake goes by. Looks at the files if that was not done for a second; whoever comes
    /// while they are being looked at goes by the old ones.
    pub async fn current(self: &Arc<Self>) -> Arc<ServerConfig> {
        if self.is_due() {
            let this = Arc::clone(self);
            let looked = tokio::task::spawn_blocking(move || this.look()).await;
            if let Err(error) = looked {
                tracing::error!("certificates cannot be looked at: {error}");
            }
        }
        self.used.load_full()
    }

    /// Reads the files now, whether they look changed or not.
    ///
    /// # Errors
    /// They cannot be used; the old ones stay.
    pub fn load_again(&self) -> Result<(), Unusable> {
        let stamps = self.files.stamps();
        self.looked().stamps = stamps;
        self.used.store(load::config(&self.files)?);
        Ok(())
    }

    fn is_due(&self) -> bool {
        let mut looked = self.looked();
        let is_due = looked.at.elapsed() >= BELIEVED;
        if is_due {
            looked.at = Instant::now();
        }
        is_due
    }

    fn look(&self) {
        if self.looked().stamps == self.files.stamps() {
            return;
        }
        match self.load_again() {
            Ok(()) => tracing::info!("new certificates are used"),
            Err(error) => tracing::error!("the old certificates stay in use: {error}"),
        }
    }

    fn looked(&self) -> std::sync::MutexGuard<'_, Looked> {
        self.looked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Files {
    fn stamps(&self) -> Vec<Stamp> {
        let files = [&self.cert, &self.key].into_iter().chain(&self.clients);
        files.map(|file| Stamp::of(file)).collect()
    }
}
