//! TLS at the server's door: its certificate, and whose certificates it takes.
//!
//! - TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1, with rustls.
//! - Files that change are used from the next handshake on, at most a second later; connections that are
//!   there stay as they are. A pair that cannot be used is told in the log once, and the old one stays.
//! - A certificate that has expired, or expires while it is used, is told in the log, and used all the same:
//!   clients say so themselves.
//! - A key is read from its file and held by rustls; it is never shown.

pub mod authority;
mod load;
mod stamp;
mod validity;

use crate::clock::Clock;
use arc_swap::ArcSwap;
use rustls::ServerConfig;
use stamp::Stamp;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use validity::Validity;

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
    clock: Clock,
    used: ArcSwap<ServerConfig>,
    looked: Mutex<Looked>,
}

/// What was seen of the files last.
#[derive(Debug)]
struct Looked {
    at: Instant,
    stamps: Vec<Stamp>,
    /// When the server's certificate is good.
    validity: Option<Validity>,
    /// What was told of that.
    told: Option<String>,
}

/// How long what was seen of the files is believed.
const BELIEVED: Duration = Duration::from_secs(1);

impl Certificates {
    /// Reads the files.
    ///
    /// # Errors
    /// A file cannot be read, holds none, or key and certificate are no pair.
    pub fn load(files: Files, clock: Clock) -> Result<Self, Unusable> {
        let stamps = files.stamps();
        let (used, validity) = load::config(&files)?;
        let looked = Looked {
            at: Instant::now(),
            stamps,
            validity,
            told: None,
        };
        let loaded = Self {
            files,
            clock,
            used: ArcSwap::new(used),
            looked: Mutex::new(looked),
        };
        loaded.tell_if_not_good();
        Ok(loaded)
    }

    /// Why the server's certificate is not good now, if it is not.
    pub fn problem(&self) -> Option<String> {
        let problem = self.looked().validity?.problem(self.clock.now())?;
        let file = self.files.cert.display();
        Some(format!(
            "{file}: {problem}: clients refuse it; make another"
        ))
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
        let (used, validity) = load::config(&self.files)?;
        self.used.store(used);
        self.looked().validity = validity;
        self.tell_if_not_good();
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
        let is_as_it_was = self.looked().stamps == self.files.stamps();
        if is_as_it_was {
            return self.tell_if_not_good();
        }
        match self.load_again() {
            Ok(()) => tracing::info!("new certificates are used"),
            Err(error) => tracing::error!("the old certificates stay in use: {error}"),
        }
    }

    /// Once for each problem.
    fn tell_if_not_good(&self) {
        let problem = self.problem();
        let told = std::mem::replace(&mut self.looked().told, problem.clone());
        if let Some(problem) = problem.filter(|problem| told.as_ref() != Some(problem)) {
            tracing::error!("{problem}");
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
