//! What `dev` says when it is ready, and that it is true.

use crate::process::{Dev, Folders, saddlebag, soon, text};
use serde_json::Value;
use std::path::Path;

/// The words of a command line as a shell splits them: at spaces, but for what is in single quotes.
fn words(command: &str) -> Vec<String> {
    let (mut words, mut word, mut is_quoted) = (Vec::new(), String::new(), false);
    for c in command.chars() {
        match c {
            '\'' => is_quoted = !is_quoted,
            c if c.is_whitespace() && !is_quoted => {
                words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
            }
            c => word.push(c),
        }
    }
    words.extend((!word.is_empty()).then_some(word));
    assert!(!is_quoted, "{command}");
    words
}

/// The commands of a greeting, each of which begins a line and may go on over several.
fn commands(greeting: &str) -> Vec<Vec<String>> {
    let tried = greeting.split_once("Try next:").unwrap().1;
    let tried = tried.split_once("\n\nCtrl-C").unwrap().0;
    tried
        .split("\n\n")
        .filter(|part| !part.is_empty())
        .map(words)
        .collect()
}

/// Does what curl would do with these words.
async fn curl(words: &[String]) -> (u16, Value) {
    assert_eq!(words[0], "curl");
    let (mut method, mut url, mut body) = (None, None, None);
    let mut rest = words[1..].iter();
    while let Some(word) = rest.next() {
        match word.as_str() {
            "-X" => method = rest.next(),
            "-d" => body = rest.next(),
            word => assert_eq!(url.replace(word), None),
        }
    }
    let method = method.map_or("GET", String::as_str).parse().unwrap();
    let mut request = saddlebag_client::http()
        .build()
        .unwrap()
        .request(method, url.unwrap());
    if let Some(body) = body {
        let form = "application/x-www-form-urlencoded";
        request = request.header("Content-Type", form).body(body.clone());
    }
    let request = request.header("Accept", "*/*").send();
    let answer = soon("an answer", request).await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// What stands behind a heading.
fn behind<'g>(greeting: &'g str, heading: &str) -> &'g str {
    let line = greeting
        .lines()
        .find(|line| line.trim().starts_with(heading));
    line.unwrap().trim().strip_prefix(heading).unwrap().trim()
}

#[tokio::test]
async fn everything_that_it_says_is_true_and_its_three_commands_work() {
    let folders = Folders::new();
    let data = folders.own("data");
    let args = ["--data-dir", text(&data)];
    let mut dev = Dev::start(folders.temporary.path(), &args).await;
    let greeting = dev.stdout.until("Ctrl-C stops it.\n").await;
    assert!(greeting.starts_with("saddlebag is ready.\n"), "{greeting}");
    assert_eq!(behind(&greeting, "API"), dev.url);
    let page = behind(&greeting, "Swagger UI");
    let page = saddlebag_client::http()
        .build()
        .unwrap()
        .get(page)
        .send()
        .await
        .unwrap();
    assert_eq!(page.status(), 200);
    assert!(page.text().await.unwrap().contains("swagger-ui"));
    let shown = behind(&greeting, "Data").strip_suffix(" (kept)").unwrap();
    assert_eq!(Path::new(shown), data);
    assert!(behind(&greeting, "Plugins").starts_with("local is healthy ("));

    let commands = commands(&greeting);
    assert_eq!(commands.len(), 3, "{greeting}");
    let (status, plugins) = curl(&commands[0]).await;
    assert_eq!((status, plugins[0]["ID"].as_str()), (200, Some("local")));
    let (status, created) = curl(&commands[1]).await;
    assert_eq!(status, 200, "{created}");
    assert_eq!(created["Volumes"][0]["Capacity"], 1 << 20);
    let (status, read) = curl(&commands[2]).await;
    assert_eq!((status, read["ID"].as_str()), (200, Some("db")));
    dev.stop().await;
}

#[tokio::test]
async fn a_temporary_folder_is_told_as_one_and_nothing_else_is_said() {
    let folders = Folders::new();
    let dev = Dev::start(folders.temporary.path(), &[]).await;
    let ended = dev.stop().await;
    let data = behind(&ended.stdout, "Data");
    assert!(data.ends_with(" (temporary, removed at exit)"), "{data}");
    assert_eq!(ended.stderr, "Stopping. Once more to stop at once.\n");
}

#[tokio::test]
async fn without_a_plugin_it_says_how_to_have_one() {
    let folders = Folders::new();
    let dev = Dev::start(folders.temporary.path(), &["--no-local"]).await;
    let greeting = dev.stop().await.stdout;
    assert_eq!(behind(&greeting, "Plugins"), "none: give one with --plugin");
}

#[tokio::test]
async fn it_serves_on_when_nobody_listens_to_what_it_says() {
    let folders = Folders::new();
    let folder = folders.temporary.path();
    let ready = folder.join("ready");
    let mut command = saddlebag(folder, &["dev", "--port", "0", "--ready-file"]);
    let mut child = command
        .arg(&ready)
        .env("RUST_LOG", "debug")
        .spawn()
        .unwrap();
    drop((child.stdout.take(), child.stderr.take()));
    let url = soon("dev to be ready", async {
        loop {
            match std::fs::read_to_string(&ready) {
                Ok(url) => return url,
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(5)).await,
            }
        }
    })
    .await;
    let created = saddlebag_client::http()
        .build()
        .unwrap()
        .put(format!("{url}/v1/volume/csi/db/create"))
        .json(&crate::process::volume("db", "local"));
    assert_eq!(
        soon("a volume", created.send()).await.unwrap().status(),
        200
    );
    let pid = rustix::process::Pid::from_raw(child.id().unwrap().cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let status = soon("dev to end", child.wait()).await.unwrap();
    assert_eq!(status.code(), Some(0));
}
