//! A stock driver for one test, and the requests that every test makes.

use crate::server::{TestServer, volume};
use saddlebag::config::PluginConfig;
use saddlebag_client::types;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// The name that the driver has unless it is told another; also its node's id.
pub const NAME: &str = "io.kubernetes.storage.mock";

/// The path of the driver.
pub fn program() -> PathBuf {
    let path = std::env::var_os("MOCK_DRIVER").expect("MOCK_DRIVER is the path of mock-driver");
    path.into()
}

/// A driver, killed with the test.
pub struct Driver {
    process: Child,
    folder: TempDir,
    is_split: bool,
}

impl Driver {
    /// Starts one on one socket.
    pub fn start(flags: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), flags, false)
    }

    /// Starts one with its controller service on a socket of its own.
    pub fn start_split() -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), &[], true)
    }

    /// Starts one that runs these scripts: YAML, JavaScript by the name of the moment. A script
    /// gives the gRPC code to answer with; one that throws ends the driver.
    pub fn start_with_hooks(hooks: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hooks.yaml");
        std::fs::write(&file, hooks).unwrap();
        let flag = format!("-hooks-file={}", file.display());
        Self::start_in(folder, &[&flag], false)
    }

    fn start_in(folder: TempDir, flags: &[&str], is_split: bool) -> Self {
        Self {
            process: launch(folder.path(), flags, is_split),
            folder,
            is_split,
        }
    }

    /// Ends it with no chance to tidy up, and waits until it is gone.
    pub async fn kill(&mut self) {
        self.process.kill().await.unwrap();
    }

    /// Waits until it ends by itself.
    pub async fn ended(&mut self) {
        let ended = tokio::time::timeout(crate::server::PATIENCE, self.process.wait());
        ended.await.expect("the driver goes on").unwrap();
    }

    /// Starts it again on the same socket, which a killed one leaves behind.
    pub fn start_again(&mut self) {
        self.process = launch(self.folder.path(), &[], self.is_split);
    }

    /// The plugin that it is.
    pub fn plugin(&self) -> PluginConfig {
        plugin(&format!(
            "id=mock,endpoint=unix://{}",
            self.socket().display()
        ))
    }

    /// The plugin's half that only controls.
    pub fn controller(&self) -> PluginConfig {
        let socket = controller_socket(self.folder.path());
        plugin(&format!(
            "id=mock,type=controller,endpoint=unix://{}",
            socket.display()
        ))
    }

    /// The plugin's half on the node.
    pub fn node(&self) -> PluginConfig {
        plugin(&format!(
            "id=mock,type=node,endpoint=unix://{}",
            self.socket().display()
        ))
    }

    /// Its sockets: one, or that of its controller and that of the rest.
    pub fn sockets(&self) -> Vec<PathBuf> {
        match self.is_split {
            false => vec![self.socket()],
            true => vec![controller_socket(self.folder.path()), self.socket()],
        }
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("csi.sock")
    }
}

fn controller_socket(folder: &Path) -> PathBuf {
    folder.join("controller.sock")
}

fn launch(folder: &Path, flags: &[&str], is_split: bool) -> Child {
    let mut command = Command::new(program());
    command
        .args(flags)
        .env("CSI_ENDPOINT", folder.join("csi.sock"))
        .env_remove("CSI_CONTROLLER_ENDPOINT")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    if is_split {
        command.env("CSI_CONTROLLER_ENDPOINT", controller_socket(folder));
    }
    command.spawn().unwrap()
}

/// A plugin as the command line describes it.
pub fn plugin(described: &str) -> PluginConfig {
    described.parse().unwrap()
}

/// A server that has just this driver, as plugin `mock`, healthy.
pub async fn serve(driver: &Driver) -> TestServer {
    TestServer::start_with(|config| config.plugins = vec![driver.plugin()]).await
}

/// A volume of 1 MiB at plugin `mock`.
pub fn mocked(id: &str) -> types::VolumeRequest {
    types::VolumeRequest {
        plugin_id: Some("mock".to_owned()),
        ..volume(id)
    }
}

/// Creates a volume of 1 MiB at plugin `mock`.
pub async fn create(server: &TestServer, id: &str) -> types::Volume {
    let mut created = crate::server::create(&server.client, mocked(id))
        .await
        .unwrap();
    created.volumes.remove(0)
}

/// Deletes a volume.
pub async fn delete(server: &TestServer, id: &str) {
    let deleted = server.client.delete_volume().volume_id(id).send().await;
    deleted.unwrap();
}

/// What the driver has: every page, pages of 100.
pub async fn external(server: &TestServer) -> Vec<types::ExternalVolume> {
    pages(server, 100).await.concat()
}

/// What the driver has, page by page.
pub async fn pages(server: &TestServer, per_page: i32) -> Vec<Vec<types::ExternalVolume>> {
    let mut pages = Vec::new();
    let mut next = String::new();
    loop {
        let request = server.client.list_external_volumes();
        let request = request.plugin_id("mock").per_page(per_page);
        let request = match next.as_str() {
            "" => request,
            token => request.next_token(token),
        };
        let page = request.send().await.unwrap().into_inner();
        pages.push(page.volumes.unwrap_or_default());
        if page.next_token.is_empty() {
            return pages;
        }
        next = page.next_token;
    }
}

/// The plugin as it is read.
pub async fn read_plugin(server: &TestServer) -> types::Plugin {
    let read = server.client.read_plugin().plugin_id("mock").send().await;
    read.unwrap().into_inner()
}
