//! A disk with no room left, as the kernel tells it: here by a limit on the size of files, and for
//! who is root by a small file system.

use crate::process::{Dev, Folders, SADDLEBAG, saddlebag, soon, text, volume};
use rustix::mount::{MountFlags, UnmountFlags, mount, mount_remount, unmount};
use rustix::process::{Resource, Rlimit, prlimit};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Leaves rows of 100 kB in the store until it cannot grow; what is said then. Work that was intended
/// before but whose outcome cannot be stored any more waits, and its request with it.
async fn fill(dev: &Dev) -> Value {
    for n in 0..1_000 {
        let id = format!("large-{n}");
        let mut body = volume(&id, "local");
        body["Volumes"][0]["Parameters"] = json!({"padding": "x".repeat(100_000)});
        let path = format!("/v1/volume/csi/{id}/create?wait=2s");
        let (status, answer) = dev.ask(reqwest::Method::PUT, &path, Some(body)).await;
        if status == 503 {
            return answer;
        }
    }
    panic!("there was room for all of it");
}

/// It is refused until there is room, and reads go on; then it works, and all is there.
async fn is_full_until(dev: &Dev, because: &str, there_is_room: impl FnOnce()) {
    let refused = fill(dev).await;
    assert_eq!(refused["code"], "store_unavailable");
    let message = refused["message"].as_str().unwrap();
    for part in [because, "store.redb", "it is not stored"] {
        assert!(message.contains(part), "{part:?} is not in {message}");
    }
    assert_eq!(dev.get("/v1/volume/csi/first").await.0, 200);
    assert_eq!(dev.get("/v1/volumes?type=csi").await.0, 200);
    there_is_room();
    let (status, created) = dev.create("second", "local").await;
    assert_eq!(status, 200, "{created}");
}

#[tokio::test]
async fn a_file_that_may_not_grow_is_told_and_works_again_when_it_may() {
    let folders = Folders::new();
    let data = folders.own("data");
    // the signal that comes with the error ends whoever does not ignore it
    let mut command = saddlebag(folders.temporary.path(), &[]);
    let environment: Vec<_> = command.as_std().get_envs().map(own).collect();
    command = tokio::process::Command::new("sh");
    command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\"", SADDLEBAG]);
    for (name, value) in environment {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let pipe = std::process::Stdio::piped;
    command
        .stdin(std::process::Stdio::null())
        .stdout(pipe())
        .stderr(pipe());
    command.kill_on_drop(true);
    let args = ["--data-dir", text(&data)];
    let dev = Dev::start_as(folders.temporary.path(), command, &args).await;
    assert_eq!(dev.create("first", "local").await.0, 200);

    let size = std::fs::metadata(data.join("store.redb")).unwrap().len();
    let limit = |bytes| {
        let limit = Rlimit {
            current: bytes,
            maximum: None,
        };
        prlimit(Some(dev.pid()), Resource::Fsize, limit).unwrap();
    };
    limit(Some(size));
    is_full_until(&dev, "File too large", || limit(None)).await;
    dev.stop().await;
    let dev = Dev::start(folders.temporary.path(), &args).await;
    for id in ["first", "second"] {
        assert_eq!(dev.get(&format!("/v1/volume/csi/{id}")).await.0, 200);
    }
    dev.stop().await;
}

type Variable<T> = (T, Option<T>);

fn own((name, value): Variable<&std::ffi::OsStr>) -> Variable<std::ffi::OsString> {
    (name.to_owned(), value.map(ToOwned::to_owned))
}

/// A small file system, unmounted with this.
struct Small(PathBuf);

impl Small {
    fn mount(at: PathBuf) -> Self {
        std::fs::create_dir(&at).unwrap();
        let options = c"size=8m,mode=0700";
        mount("tmpfs", &at, "tmpfs", MountFlags::empty(), options).unwrap();
        Self(at)
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = unmount(&self.0, UnmountFlags::DETACH);
    }
}

#[tokio::test]
#[ignore = "needs root to mount"]
async fn a_full_file_system_is_told_and_works_again_when_there_is_room() {
    let folders = Folders::new();
    let small = Small::mount(folders.own("small"));
    let ballast = small.0.join("ballast");
    std::fs::write(&ballast, vec![1; 4_000_000]).unwrap();
    let args = ["--data-dir", text(&small.0)];
    let dev = Dev::start(folders.temporary.path(), &args).await;
    assert_eq!(dev.create("first", "local").await.0, 200);
    is_full_until(&dev, "No space left on device", || {
        std::fs::remove_file(&ballast).unwrap();
    })
    .await;
    dev.stop().await;
}

#[tokio::test]
#[ignore = "needs root to mount"]
async fn a_read_only_file_system_is_refused_by_name_and_can_still_be_backed_up_elsewhere() {
    let folders = Folders::new();
    let small = Small::mount(folders.own("small"));
    let args = ["--data-dir", text(&small.0)];
    let dev = Dev::start(folders.temporary.path(), &args).await;
    assert_eq!(dev.create("first", "local").await.0, 200);
    dev.stop().await;
    read_only(&small.0);
    let dev = Dev::start_unready(folders.temporary.path(), &args).await;
    let ended = dev.ended().await;
    assert_eq!(ended.code, Some(1));
    for part in ["store.redb", "Read-only file system"] {
        assert!(ended.stderr.contains(part), "{}", ended.stderr);
    }
    let backup = folders.own("backup");
    let args = [
        "store",
        "backup",
        "--data-dir",
        text(&small.0),
        text(&backup),
    ];
    let mut command = saddlebag(folders.temporary.path(), &args);
    let output = soon("the backup", command.output()).await.unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(backup.is_file());
}

fn read_only(folder: &Path) {
    mount_remount(folder, MountFlags::RDONLY, "").unwrap();
}
