//! A driver on a socket in a directory of its own, and short ways to call it.

use super::folder::Folder;
use super::requests::{attaching, staging_at};
use saddlebag::{
    csi::v1::{
        controller_client::ControllerClient, identity_client::IdentityClient,
        node_client::NodeClient, *,
    },
    driver::{self, Options},
};
use std::{
    fs,
    path::{Path, PathBuf},
};
use tokio::{
    net::UnixListener,
    sync::oneshot,
    task::JoinHandle,
    time::{Duration, Instant, sleep},
};
use tonic::{
    Code, Status,
    transport::{Channel, Endpoint},
};

pub const NODE: &str = "node-1";
pub const MIB: i64 = 1 << 20;

/// Where a driver and its volumes are.
pub struct Workdir(Folder);

impl Workdir {
    pub fn new() -> Self {
        Self(Folder::new())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// An empty directory in it.
    pub fn directory(&self, name: &str) -> String {
        let path = self.path().join(name);
        fs::create_dir_all(&path).unwrap();
        path.to_str().unwrap().into()
    }
}

/// Connections to one driver.
#[derive(Clone)]
pub struct Clients {
    pub identity: IdentityClient<Channel>,
    pub controller: ControllerClient<Channel>,
    pub node: NodeClient<Channel>,
}

impl Clients {
    pub async fn connect(socket: &Path) -> Result<Self, tonic::transport::Error> {
        let endpoint = Endpoint::try_from(format!("unix://{}", socket.display()))?;
        let channel = endpoint.connect().await?;
        Ok(Self {
            identity: IdentityClient::new(channel.clone()),
            controller: ControllerClient::new(channel.clone()),
            node: NodeClient::new(channel),
        })
    }

    /// Connects to a process that is just starting.
    pub async fn of_process(socket: &Path) -> Self {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            match Self::connect(socket).await {
                Ok(clients) => return clients,
                Err(error) => assert!(Instant::now() < deadline, "{error:?}"),
            }
            sleep(Duration::from_millis(2)).await;
        }
    }

    pub async fn create(&mut self, request: CreateVolumeRequest) -> Result<Volume, Status> {
        let answer = self.controller.create_volume(request).await?;
        Ok(answer.into_inner().volume.unwrap())
    }

    pub async fn delete(&mut self, volume_id: &str) -> Result<(), Status> {
        let request = DeleteVolumeRequest {
            volume_id: volume_id.into(),
            ..Default::default()
        };
        self.controller.delete_volume(request).await.map(drop)
    }

    pub async fn snapshot(&mut self, volume_id: &str, name: &str) -> Result<Snapshot, Status> {
        let request = CreateSnapshotRequest {
            source_volume_id: volume_id.into(),
            name: name.into(),
            ..Default::default()
        };
        let answer = self.controller.create_snapshot(request).await?;
        Ok(answer.into_inner().snapshot.unwrap())
    }

    pub async fn expand(&mut self, volume_id: &str, range: CapacityRange) -> Result<i64, Status> {
        let request = ControllerExpandVolumeRequest {
            volume_id: volume_id.into(),
            capacity_range: Some(range),
            ..Default::default()
        };
        let answer = self.controller.controller_expand_volume(request).await?;
        Ok(answer.into_inner().capacity_bytes)
    }

    pub async fn attach(&mut self, request: ControllerPublishVolumeRequest) -> Result<(), Status> {
        self.controller
            .controller_publish_volume(request)
            .await
            .map(drop)
    }

    pub async fn detach(&mut self, volume_id: &str) -> Result<(), Status> {
        let request = ControllerUnpublishVolumeRequest {
            volume_id: volume_id.into(),
            node_id: NODE.into(),
            ..Default::default()
        };
        self.controller
            .controller_unpublish_volume(request)
            .await
            .map(drop)
    }

    pub async fn stage(&mut self, request: NodeStageVolumeRequest) -> Result<(), Status> {
        self.node.node_stage_volume(request).await.map(drop)
    }

    pub async fn unstage(&mut self, volume_id: &str, path: &str) -> Result<(), Status> {
        let request = NodeUnstageVolumeRequest {
            volume_id: volume_id.into(),
            staging_target_path: path.into(),
        };
        self.node.node_unstage_volume(request).await.map(drop)
    }

    pub async fn publish(&mut self, request: NodePublishVolumeRequest) -> Result<(), Status> {
        self.node.node_publish_volume(request).await.map(drop)
    }

    pub async fn unpublish(&mut self, volume_id: &str, path: &str) -> Result<(), Status> {
        let request = NodeUnpublishVolumeRequest {
            volume_id: volume_id.into(),
            target_path: path.into(),
        };
        self.node.node_unpublish_volume(request).await.map(drop)
    }

    /// Attaches and stages a volume, ready to be published.
    pub async fn bring(&mut self, volume_id: &str, staging: &str, capability: VolumeCapability) {
        self.attach(attaching(volume_id, capability.clone()))
            .await
            .unwrap();
        self.stage(staging_at(volume_id, staging, capability))
            .await
            .unwrap();
    }

    pub async fn volume_ids(&mut self) -> Vec<String> {
        let answer = self
            .controller
            .list_volumes(ListVolumesRequest::default())
            .await
            .unwrap();
        let entries = answer.into_inner().entries;
        entries
            .into_iter()
            .map(|entry| entry.volume.unwrap().volume_id)
            .collect()
    }

    pub async fn snapshot_ids(&mut self, request: ListSnapshotsRequest) -> Vec<String> {
        let answer = self.controller.list_snapshots(request).await.unwrap();
        let entries = answer.into_inner().entries;
        entries
            .into_iter()
            .map(|entry| entry.snapshot.unwrap().snapshot_id)
            .collect()
    }

    pub async fn health(&mut self, volume_id: &str) -> Vec<String> {
        let request = ControllerGetVolumeHealthRequest {
            volume_id: volume_id.into(),
            ..Default::default()
        };
        let answer = self
            .controller
            .controller_get_volume_health(request)
            .await
            .unwrap();
        reasons(answer.into_inner().volume_health.unwrap())
    }

    pub async fn node_health(&mut self, volume_id: &str) -> Vec<String> {
        let request = NodeGetVolumeHealthRequest {
            volume_id: volume_id.into(),
            ..Default::default()
        };
        let answer = self.node.node_get_volume_health(request).await.unwrap();
        reasons(answer.into_inner().volume_health.unwrap())
    }
}

fn reasons(health: VolumeHealth) -> Vec<String> {
    health
        .health_statuses
        .into_iter()
        .map(|entry| entry.reason)
        .collect()
}

/// A driver in this process.
pub struct Rig {
    pub clients: Clients,
    pub work: Workdir,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Result<(), driver::Error>>,
}

impl Rig {
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Options)) -> Self {
        Self::on(Workdir::new(), change).await
    }

    /// A driver on what an earlier one left.
    pub async fn on(work: Workdir, change: impl FnOnce(&mut Options)) -> Self {
        let socket = work.path().join("csi.sock");
        let _ = fs::remove_file(&socket);
        let listener = UnixListener::bind(&socket).unwrap();
        let mut options = options(&work);
        change(&mut options);
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(driver::serve(listener, options, async {
            let _ = stopped.await;
        }));
        let mut clients = Clients::connect(&socket).await.unwrap();
        clients.identity.probe(ProbeRequest {}).await.unwrap();
        Self {
            clients,
            work,
            stop,
            served,
        }
    }

    /// Ends the driver and hands over what it leaves.
    pub async fn stop(self) -> Workdir {
        self.stop.send(()).unwrap();
        drop(self.clients);
        self.served.await.unwrap().unwrap();
        self.work
    }

    pub fn root(&self) -> PathBuf {
        self.work.path().join("root")
    }

    /// Where the driver keeps a volume's files.
    pub fn directory_of(&self, volume_id: &str) -> PathBuf {
        self.root()
            .join("volumes")
            .join(volume_id)
            .join("directory")
    }

    /// Where the driver keeps a volume's raw data.
    pub fn file_of(&self, volume_id: &str) -> PathBuf {
        self.root().join("volumes").join(volume_id).join("block")
    }
}

pub fn options(work: &Workdir) -> Options {
    Options::new(work.path().join("root"), NODE)
}

/// Asserts that a call was refused with a code.
#[track_caller]
pub fn refused<T>(result: Result<T, Status>, code: Code) -> String {
    match result {
        Ok(_) => panic!("the call was not refused"),
        Err(status) => {
            assert_eq!(status.code(), code, "{}", status.message());
            assert!(!status.message().is_empty());
            status.message().into()
        }
    }
}
