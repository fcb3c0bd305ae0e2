//! Where an operator runs one server: a folder with a configuration file, data, and drivers' volumes.

use crate::process::folder::Folder;
use crate::process::{Running, SADDLEBAG, saddlebag, soon, text};
use rustix::process::Signal;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::process::Command;

pub struct Site(Folder);

impl Site {
    pub fn new() -> Self {
        Self(Folder::new())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Writes the configuration: data here, a free port, and this.
    pub fn configure(&self, more: &str) {
        let config = format!("data_dir = \"data\"\nport = 0\n{more}");
        std::fs::write(self.at("saddlebag.toml"), config).unwrap();
    }

    /// What starts a server here.
    pub fn serve(&self, args: &[&str]) -> Command {
        let mut command = saddlebag(self.path(), &["serve", "-c", "saddlebag.toml"]);
        command.args(args);
        command
    }

    /// A server that is ready.
    pub async fn start(&self, args: &[&str]) -> Running {
        Running::begin_ready(self.path(), self.serve(args)).await
    }

    /// A server that does not start: its exit code and what it says.
    pub async fn refused(&self, args: &[&str]) -> (Option<i32>, String) {
        let output = soon("a refusal", self.serve(args).output()).await.unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        (output.status.code(), told)
    }

    /// A plugin of this id, whose driver the server starts, and whose volumes are in a folder of its own.
    pub fn started(&self, id: &str) -> String {
        let root = self.at(id);
        format!(
            "[[plugin]]\nid = \"{id}\"\ncommand = [{SADDLEBAG:?}, \"driver\", \"--root\", {:?}]\n",
            text(&root)
        )
    }
}

/// Has the configuration read again, and waits until the log has this.
pub async fn reload(running: &mut Running, heard: &str) -> String {
    running.signal(Signal::HUP);
    running.stderr.until(heard).await
}

/// Waits until a plugin is healthy, and gives it.
pub async fn healthy(running: &Running, plugin: &str) -> serde_json::Value {
    soon(&format!("{plugin} to be healthy"), async {
        loop {
            let (status, found) = running.get(&format!("/v1/plugin/csi/{plugin}")).await;
            let is_healthy = found["ControllersHealthy"] == 1 && found["NodesHealthy"] == 1;
            if status == 200 && is_healthy {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
}
