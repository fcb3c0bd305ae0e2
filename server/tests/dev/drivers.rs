//! Drivers that are not built in: other processes, on sockets that they or we chose.

use crate::process::{Dev, Folders, SADDLEBAG, names, saddlebag, soon, text};
use crate::scripted_driver::{Reply, ScriptedDriver};
use rustix::process::{Pid, Signal, kill_process};
use saddlebag::csi::Call;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::process::Child;

/// A driver that never answers a create.
pub struct Hanging {
    /// How `--plugin` names it.
    pub plugin: String,
    driver: ScriptedDriver,
}

impl Hanging {
    pub fn start() -> Self {
        let driver = ScriptedDriver::start();
        driver.always(Call::CreateVolume, Reply::Hang);
        Self {
            plugin: format!("id=hanging,endpoint={}", driver.endpoint()),
            driver,
        }
    }

    /// Waits until it was asked to create.
    pub async fn asked(&self) {
        soon("a create", self.driver.asked(Call::CreateVolume, 1)).await;
    }
}

/// The built-in driver in a process of its own.
struct Driver {
    child: Child,
    socket: PathBuf,
}

impl Driver {
    /// Starts it below `folder` and waits until it listens.
    async fn start(folder: &Path) -> Self {
        let (socket, root) = (folder.join("csi.sock"), folder.join("root"));
        let endpoint = format!("unix://{}", text(&socket));
        let args = ["driver", "--endpoint", &endpoint, "--root", text(&root)];
        let child = saddlebag(folder, &args).spawn().unwrap();
        soon("the driver to listen", async {
            while tokio::net::UnixStream::connect(&socket).await.is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
        Self { child, socket }
    }

    /// Stops it as Ctrl-C does.
    async fn stop(mut self) {
        let pid = Pid::from_raw(self.child.id().unwrap().cast_signed()).unwrap();
        kill_process(pid, Signal::INT).unwrap();
        let status = soon("the driver to end", self.child.wait()).await.unwrap();
        assert_eq!(status.code(), Some(0));
        assert!(!self.socket.exists());
    }
}

#[tokio::test]
async fn a_driver_that_listens_already_is_used_and_left_running() {
    let (folders, of_driver) = (Folders::new(), tempfile::tempdir().unwrap());
    let driver = Driver::start(of_driver.path()).await;
    let plugin = format!("id=other,endpoint=unix://{}", text(&driver.socket));
    let dev = Dev::start(
        folders.temporary.path(),
        &["--no-local", "--plugin", &plugin],
    )
    .await;
    let (_, plugins) = dev.get("/v1/plugins?type=csi").await;
    assert_eq!(plugins.as_array().unwrap().len(), 1);
    assert_eq!(plugins[0]["ID"], "other");
    assert_eq!(
        (
            &plugins[0]["ControllersHealthy"],
            &plugins[0]["NodesHealthy"]
        ),
        (&1.into(), &1.into())
    );
    let (status, created) = dev.create("db", "other").await;
    assert_eq!(status, 200, "{created}");
    dev.stop().await;

    let dev = Dev::start(
        folders.temporary.path(),
        &["--no-local", "--plugin", &plugin],
    )
    .await;
    let (_, external) = dev.get("/v1/volumes/external?plugin_id=other").await;
    assert_eq!(
        external["Volumes"][0]["ExternalID"],
        created["Volumes"][0]["ExternalID"]
    );
    dev.stop().await;
    driver.stop().await;
}

#[tokio::test]
async fn a_controller_and_a_node_may_be_on_two_sockets() {
    let (folders, of_driver) = (Folders::new(), tempfile::tempdir().unwrap());
    let driver = Driver::start(of_driver.path()).await;
    // One process, two addresses: what is asked at one socket must be a controller's, at the other a node's.
    let node = of_driver.path().join("node.sock");
    std::fs::hard_link(&driver.socket, &node).unwrap();
    let controller = format!(
        "id=split,type=controller,endpoint=unix://{}",
        text(&driver.socket)
    );
    let node = format!("id=split,type=node,endpoint=unix://{}", text(&node));
    let args = ["--no-local", "--plugin", &controller, "--plugin", &node];
    let mut dev = Dev::start(folders.temporary.path(), &args).await;
    let greeting = dev.stdout.until("Ctrl-C stops it.").await;
    assert!(greeting.contains("split is healthy"), "{greeting}");
    let (_, plugin) = dev.get("/v1/plugin/csi/split").await;
    assert!(
        plugin["ControllerJobs"]["default"]["split-controller"].is_object(),
        "{plugin}"
    );
    assert!(
        plugin["NodeJobs"]["default"]["split-node"].is_object(),
        "{plugin}"
    );
    assert_eq!(dev.create("db", "split").await.0, 200);
    dev.stop().await;
    driver.stop().await;
}

#[tokio::test]
async fn a_driver_that_is_a_command_is_started_and_ended() {
    let folders = Folders::new();
    let root = folders.own("root");
    let plugin = format!(
        "id=started,command={SADDLEBAG} driver --root {}",
        text(&root)
    );
    let args = ["--no-local", "--plugin", plugin.as_str()];
    for id in ["first", "second"] {
        // The root is one driver's at a time, so the driver of the first round has ended.
        let dev = Dev::start(folders.temporary.path(), &args).await;
        let (status, created) = dev.create(id, "started").await;
        assert_eq!(status, 200, "{created}");
        let ended = dev.stop().await;
        assert!(
            ended.stdout.contains("started is healthy"),
            "{}",
            ended.stdout
        );
    }
    assert_eq!(names(folders.temporary.path()), ["ready"]);
}

/// Conformance case 14, of a driver that does not come.
#[tokio::test]
async fn a_driver_that_is_not_there_is_told_and_awaited() {
    let (folders, of_driver) = (Folders::new(), tempfile::tempdir().unwrap());
    let socket = of_driver.path().join("csi.sock");
    let plugin = format!("id=late,endpoint=unix://{}", text(&socket));
    let mut dev = Dev::start_unready(folders.temporary.path(), &["--plugin", &plugin]).await;
    let greeting = dev.stdout.until("Ctrl-C stops it.").await;
    assert!(
        greeting.contains("\n  Plugins     late is not healthy: "),
        "{greeting}"
    );
    assert!(greeting.contains("local is healthy"), "{greeting}");
    assert!(greeting.contains("\"PluginID\": \"local\""), "{greeting}");
    let driver = Driver::start(of_driver.path()).await;
    dev.stdout.until("Now every plugin is healthy.\n").await;
    dev.stop().await;
    driver.stop().await;
}
