//! What `dev`'s other flags do to requests, and what is never written anywhere.

use crate::process::{Dev, Folders, SADDLEBAG, saddlebag, soon};
use reqwest::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test]
async fn namespaces_are_those_that_were_given() {
    let folders = Folders::new();
    let args = ["--namespace", "team", "--namespace", "other"];
    let dev = Dev::start(folders.temporary.path(), &args).await;
    for (namespace, status) in [
        ("default", 200),
        ("team", 200),
        ("other", 200),
        ("nope", 404),
    ] {
        let path = format!("/v1/volume/csi/db/create?namespace={namespace}");
        let body = crate::process::volume("db", "local");
        let (answered, answer) = dev.ask(Method::PUT, &path, Some(body)).await;
        assert_eq!(answered == 200, status == 200, "{namespace}: {answer}");
        assert!(answered < 500, "{namespace}: {answer}");
    }
    let (_, all) = dev.get("/v1/volumes?type=csi&namespace=*").await;
    assert_eq!(all.as_array().unwrap().len(), 3);
    dev.stop().await;
}

#[tokio::test]
async fn statuses_are_true_ones_or_nomads() {
    for (style, status) in [("true", 404), ("nomad", 500)] {
        let folders = Folders::new();
        let dev = Dev::start(folders.temporary.path(), &["--status", style]).await;
        let path = "/v1/volume/csi/nope/delete";
        let (answered, answer) = dev.ask(Method::DELETE, path, None).await;
        assert_eq!(answered, status, "{answer}");
        assert_eq!(answer["code"], "volume_not_found");
        let ended = dev.stop().await;
        assert_eq!(ended.stderr, "Stopping. Once more to stop at once.\n");
    }
}

#[tokio::test]
async fn header_names_are_spelt_as_nomads() {
    let folders = Folders::new();
    let dev = Dev::start(folders.temporary.path(), &[]).await;
    let address = dev.url.trim_start_matches("http://");
    let mut socket = TcpStream::connect(address).await.unwrap();
    let request =
        "GET /v1/volumes?type=csi HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    soon("an answer", socket.read_to_string(&mut answer))
        .await
        .unwrap();
    for name in [
        "X-Nomad-Index",
        "X-Nomad-Lastcontact",
        "X-Nomad-Knownleader",
        "Content-Type",
        "Vary",
        "Content-Length",
        "Date",
    ] {
        assert!(
            answer.contains(&format!("\r\n{name}: ")),
            "{name}: {answer}"
        );
    }
    dev.stop().await;
}

#[tokio::test]
async fn no_secret_is_in_any_log() {
    const SECRET: &str = "never-to-be-logged";
    let folders = Folders::new();
    let folder = folders.temporary.path();
    let mut command = saddlebag(folder, &[]);
    command.env("RUST_LOG", "debug");
    let dev = Dev::start_as(folder, command, &[]).await;
    assert_eq!(dev.create("db", "local").await.0, 200);
    assert_eq!(dev.create("bad", "nope").await.0, 404);
    let http = saddlebag_client::http().build().unwrap();
    for path in [
        "volume/csi/db/delete",
        "volumes/snapshot?plugin_id=local&snapshot_id=x",
    ] {
        let delete = http
            .delete(format!("{}/v1/{path}", dev.url))
            .header("X-Nomad-CSI-Secrets", format!("password={SECRET}"))
            .header("X-Nomad-Token", SECRET);
        assert_eq!(delete.send().await.unwrap().status(), 200);
    }
    let ended = dev.stop().await;
    assert!(ended.stderr.contains("DEBUG"), "it logs at this level");
    assert!(!ended.stderr.contains(SECRET), "{}", ended.stderr);
    assert!(!ended.stdout.contains(SECRET));
}

#[tokio::test]
async fn a_lack_of_file_descriptors_passes() {
    let folders = Folders::new();
    let folder = folders.temporary.path();
    let mut command = tokio::process::Command::new("/bin/sh");
    command
        .args(["-c", "ulimit -n 60; exec \"$0\" \"$@\"", SADDLEBAG])
        .current_dir(folder)
        .env("TMPDIR", folder)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .kill_on_drop(true);
    let mut dev = Dev::start_as(folder, command, &[]).await;
    let address = dev.url.trim_start_matches("http://").to_owned();
    let mut idle = Vec::new();
    for _ in 0..80 {
        idle.push(TcpStream::connect(&address).await.unwrap());
    }
    dev.stderr
        .until("connections cannot be accepted for now")
        .await;
    drop(idle);
    assert_eq!(dev.create("db", "local").await.0, 200);
    // It does not spin: one line for each pause, and a pause ends early only when a connection ends.
    let ended = dev.stop().await;
    let told = ended.stderr.matches("cannot be accepted").count();
    assert!(told < 200, "{told} times");
}
