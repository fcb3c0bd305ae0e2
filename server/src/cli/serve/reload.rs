//! Reading the configuration again while the server runs.

use super::manager::Manager;
use super::ready::status;
use crate::audit::Audit;
use crate::cli::config::Source;
use crate::cli::log::Log;
use crate::config::Settings;
use crate::id::JobId;
use crate::server::{Changed, Plugins, Watcher};
use crate::tls::Certificates;
use std::sync::Arc;
use tokio::signal::unix::Signal;

/// What a change of the configuration goes to.
pub(super) struct Reload {
    pub source: Source,
    /// What the server uses.
    pub used: Settings,
    pub plugins: Plugins,
    pub certificates: Option<Arc<Certificates>>,
    pub audit: Option<Audit>,
    pub log: Log,
    pub manager: Manager,
    pub watcher: Watcher,
    /// Where the server answers.
    pub url: String,
}

impl Reload {
    /// Reads the configuration at each of these signals, once the server is ready and until the task is
    /// dropped.
    pub async fn at_each(mut self, mut hangups: Signal) {
        self.watcher.all_asked().await;
        while hangups.recv().await.is_some() {
            self.manager.reloading();
            self.load_certificates();
            self.reopen_audit_log().await;
            match self.reload().await {
                Ok(()) => self
                    .manager
                    .ready(&status(&self.url, &self.watcher.state())),
                Err(error) => {
                    tracing::error!("the old configuration stays in use: {error}");
                    self.manager
                        .ready("the configuration is wrong, the old one stays in use");
                }
            }
        }
    }

    /// The certificates have nothing to do with the rest: what is wrong with one keeps nothing else back.
    fn load_certificates(&self) {
        match self.certificates.as_ref().map(|used| used.load_again()) {
            None => {}
            Some(Ok(())) => tracing::info!("the certificates were read again"),
            Some(Err(error)) => tracing::error!("the old certificates stay in use: {error}"),
        }
    }

    /// Whoever moved the audit log away has the next lines in a new one.
    async fn reopen_audit_log(&self) {
        let Some(audit) = &self.audit else {
            return;
        };
        match audit.reopen().await {
            Ok(()) => tracing::info!("the audit log was opened again"),
            Err(error) => tracing::error!("the audit log that was open stays in use: {error}"),
        }
    }

    /// Uses what can be used at once of the configuration as it is now, and logs what cannot. On an
    /// error everything stays as it was.
    async fn reload(&mut self) -> Result<(), String> {
        let read = self.source.read()?;
        let config = read.config().map_err(|unfit| unfit.to_string())?;
        let changed = self.plugins.change(&config.plugins, &config.namespaces);
        let changed = changed.await.map_err(|error| error.to_string())?;
        if read.log.level != self.used.log.level {
            self.log
                .change(read.log.level.clone().unwrap_or_default().filter());
            self.used.log.level = read.log.level.clone();
        }
        self.used.plugins = read.plugins.clone();
        self.used.namespaces = read.namespaces.clone();
        tracing::info!("the configuration was read again: {}", told(&changed));
        let unused = self.used.differences(&read)?;
        if !unused.is_empty() {
            let keys = unused.join(", ");
            tracing::warn!(keys, "changed, but used from the next start on: {keys}");
        }
        Ok(())
    }
}

fn told(changed: &Changed) -> String {
    let lists = [
        ("added", &changed.added),
        ("changed", &changed.changed),
        ("removed", &changed.removed),
    ];
    let told: Vec<String> = lists
        .into_iter()
        .filter(|(_, ids)| !ids.is_empty())
        .map(|(what, ids)| {
            let ids: Vec<&str> = ids.iter().map(JobId::as_str).collect();
            format!("{what} plugin jobs {}", ids.join(", "))
        })
        .collect();
    match told.is_empty() {
        true => "plugins stay as they are".to_owned(),
        false => told.join("; "),
    }
}
