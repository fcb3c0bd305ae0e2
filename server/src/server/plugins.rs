//! The plugins of a server that serves, as its configuration file comes to have them.

use super::StartError;
use super::launch::{Changed, Launched};
use crate::config::PluginConfig;
use crate::id::Namespace;
use std::sync::Weak;
use tokio::sync::Mutex;

/// Changes the plugins of a server while it serves.
#[derive(Clone)]
pub struct Plugins(pub(super) Weak<Mutex<Launched>>);

impl Plugins {
    /// Has these plugins besides the built-in one from now on, and these namespaces besides those that
    /// are there. A plugin job that stays as it was is left alone, its driver included; of one that is
    /// gone nothing is left. On an error nothing was changed.
    pub async fn change(
        &self,
        plugins: &[PluginConfig],
        namespaces: &[Namespace],
    ) -> Result<Changed, StartError> {
        match self.0.upgrade() {
            Some(launched) => launched.lock().await.change(plugins, namespaces).await,
            None => Err(StartError::Setup("the server has stopped".to_owned())),
        }
    }
}
