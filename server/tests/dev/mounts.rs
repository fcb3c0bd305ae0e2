//! Claims of the built-in driver where it mounts for real: what a user finds at a target path, what a
//! crash leaves there, and what is not ours there.

use crate::process::{Dev, Folders, soon, text};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use serde_json::{Value, json};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

const FIRST: &str = "00000000-0000-4000-8000-000000000001";
const SECOND: &str = "00000000-0000-4000-8000-000000000002";

/// A server on a data folder that outlives it, with a volume that several may use.
async fn start(folders: &Folders, more: &[&str]) -> Dev {
    let data = folders.own("data");
    let args = [&["--data-dir", text(&data)], more].concat();
    Dev::start(folders.temporary.path(), &args).await
}

async fn create(dev: &Dev, id: &str) {
    let mut body = crate::process::volume(id, "local");
    body["Volumes"][0]["RequestedCapabilities"] =
        json!([{"AccessMode": "multi-node-multi-writer", "AttachmentMode": "file-system"}]);
    let path = format!("/v1/volume/csi/{id}/create");
    let (status, created) = dev.ask(reqwest::Method::PUT, &path, Some(body)).await;
    assert_eq!(status, 200, "{created}");
}

async fn claim(dev: &Dev, volume: &str, allocation: &str, mut more: Value) -> (u16, Value) {
    more["AllocationID"] = json!(allocation);
    let path = format!("/v1/volume/csi/{volume}/claim");
    dev.ask(reqwest::Method::PUT, &path, Some(more)).await
}

/// Claims a volume; where it is then.
async fn claimed(dev: &Dev, volume: &str, allocation: &str, more: Value) -> PathBuf {
    let (status, claim) = claim(dev, volume, allocation, more).await;
    assert_eq!(
        (status, &claim["State"]),
        (200, &json!("published")),
        "{claim}"
    );
    let path = PathBuf::from(claim["TargetPath"].as_str().unwrap());
    assert!(
        is_mounted(&path),
        "nothing is mounted at {}",
        path.display()
    );
    path
}

async fn release(dev: &Dev, volume: &str, allocation: &str) {
    let path = format!("/v1/volume/csi/{volume}/claim/{allocation}");
    let (status, claim) = dev.ask(reqwest::Method::DELETE, &path, None).await;
    assert_eq!((status, &claim["State"]), (200, &json!("gone")), "{claim}");
}

/// Whether the mount table has something at a path.
fn is_mounted(path: &Path) -> bool {
    let path = fs::canonicalize(path.parent().unwrap())
        .unwrap()
        .join(path.file_name().unwrap());
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let mut mounts = table.lines().map(|line| line.split(' ').nth(4).unwrap());
    mounts.any(|mounted| Path::new(mounted) == path)
}

/// Nothing is mounted below the data folder, and no folder of a claim or an attachment is left.
fn nothing_is_left(folders: &Folders) {
    let data = fs::canonicalize(folders.own("data")).unwrap();
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(!table.contains(text(&data)), "{table}");
    for folder in ["claims", "staging"] {
        let left = fs::read_dir(data.join(folder)).map_or(0, Iterator::count);
        assert_eq!(left, 0, "{folder}");
    }
}

/// Weakness W15: what was made for a claim is removed with it.
#[tokio::test]
#[ignore = "needs root to mount"]
async fn a_file_written_through_one_mount_is_read_through_the_next_and_nothing_is_left() {
    let folders = Folders::new();
    let dev = start(&folders, &[]).await;
    create(&dev, "data").await;
    let first = claimed(&dev, "data", FIRST, json!({})).await;
    fs::write(first.join("note"), "kept").unwrap();
    let second = claimed(&dev, "data", SECOND, json!({})).await;
    release(&dev, "data", FIRST).await;
    assert!(!first.exists());
    assert_eq!(fs::read_to_string(second.join("note")).unwrap(), "kept");
    release(&dev, "data", SECOND).await;
    nothing_is_left(&folders);

    let third = "00000000-0000-4000-8000-000000000003";
    let again = claimed(&dev, "data", third, json!({})).await;
    assert_eq!(fs::read_to_string(again.join("note")).unwrap(), "kept");
    release(&dev, "data", third).await;
    nothing_is_left(&folders);
    dev.stop().await;
}

#[tokio::test]
#[ignore = "needs root to mount"]
async fn what_is_mounted_outlives_a_killed_server_and_the_next_one_takes_it_away() {
    let folders = Folders::new();
    let dev = start(&folders, &[]).await;
    create(&dev, "data").await;
    let path = claimed(&dev, "data", FIRST, json!({})).await;
    fs::write(path.join("note"), "kept").unwrap();
    dev.kill().await;
    assert!(is_mounted(&path));
    fs::write(path.join("more"), "written without a server").unwrap();

    let dev = start(&folders, &[]).await;
    let read = format!("/v1/volume/csi/data/claim/{FIRST}");
    let (status, claim) = dev.get(&read).await;
    assert_eq!(
        (status, &claim["State"]),
        (200, &json!("published")),
        "{claim}"
    );
    assert_eq!(fs::read_to_string(path.join("note")).unwrap(), "kept");
    release(&dev, "data", FIRST).await;
    assert!(!path.exists());
    nothing_is_left(&folders);

    let again = claimed(&dev, "data", SECOND, json!({})).await;
    let more = fs::read_to_string(again.join("more")).unwrap();
    assert_eq!(more, "written without a server");
    release(&dev, "data", SECOND).await;
    dev.stop().await;
}

#[tokio::test]
#[ignore = "needs root to mount"]
async fn a_claim_that_only_reads_cannot_write_beside_one_that_does() {
    let folders = Folders::new();
    let dev = start(&folders, &[]).await;
    create(&dev, "data").await;
    let writes = claimed(&dev, "data", FIRST, json!({})).await;
    let reads = claimed(&dev, "data", SECOND, json!({"ReadOnly": true})).await;
    let refused = fs::write(reads.join("note"), "no").unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ReadOnlyFilesystem);
    fs::write(writes.join("note"), "yes").unwrap();
    assert_eq!(fs::read_to_string(reads.join("note")).unwrap(), "yes");
    release(&dev, "data", FIRST).await;
    release(&dev, "data", SECOND).await;
    nothing_is_left(&folders);
    dev.stop().await;
}

/// A file system of somebody else, unmounted with this.
struct Foreign(PathBuf);

impl Foreign {
    fn mount(at: PathBuf) -> Self {
        fs::create_dir(&at).unwrap();
        mount("tmpfs", &at, "tmpfs", MountFlags::empty(), c"size=1m").unwrap();
        Self(at)
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let _ = unmount(&self.0, UnmountFlags::DETACH);
    }
}

/// Reads a claim until it is so.
async fn claim_that(dev: &Dev, allocation: &str, is: impl Fn(&Value) -> bool) {
    let path = format!("/v1/volume/csi/data/claim/{allocation}?index=1000000&wait=200ms");
    let until = async {
        loop {
            let (status, claim) = dev.get(&path).await;
            assert_eq!(status, 200, "{claim}");
            if is(&claim) {
                return;
            }
        }
    };
    soon("the claim to be so", until).await;
}

/// A path that is mounted counts as in use: the refused claim stays, and says why, until it is not.
#[tokio::test]
#[ignore = "needs root to mount"]
async fn what_somebody_else_has_mounted_at_a_target_path_is_left_alone() {
    let folders = Folders::new();
    let root = folders.own("root");
    fs::create_dir(&root).unwrap();
    let root = fs::canonicalize(root).unwrap();
    let foreign = Foreign::mount(root.join("taken"));
    fs::write(foreign.0.join("precious"), "not ours").unwrap();
    let dev = start(&folders, &["--target-root", text(&root)]).await;
    create(&dev, "data").await;

    let at = json!({"TargetPath": text(&foreign.0)});
    let (status, refused) = claim(&dev, "data", FIRST, at).await;
    assert!((400..500).contains(&status), "{status}: {refused}");
    let still = format!("something else is mounted at {}", foreign.0.display());
    claim_that(&dev, FIRST, |claim| {
        claim["LastError"].to_string().contains(&still)
    })
    .await;
    let precious = fs::read_to_string(foreign.0.join("precious"));
    assert_eq!(precious.unwrap(), "not ours");

    let free = root.join("free");
    let found = claimed(&dev, "data", SECOND, json!({"TargetPath": text(&free)})).await;
    assert_eq!(found, free);
    release(&dev, "data", SECOND).await;
    assert!(!free.exists() && root.exists());

    drop(foreign);
    let retry = "/v1/volume/csi/data/retry";
    assert_eq!(dev.ask(reqwest::Method::PUT, retry, None).await.0, 200);
    claim_that(&dev, FIRST, |claim| {
        claim["State"] == "failed" && claim["Step"] == ""
    })
    .await;
    nothing_is_left(&folders);
    dev.stop().await;
}
