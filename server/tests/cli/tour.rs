//! The README's tour, typed as it is printed.

use crate::process::folder::Folder;
use crate::process::{Gathered, SADDLEBAG, soon};
use crate::story::masked;
use regex::Regex;
use std::path::Path;
use std::process::Stdio;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::process::Command;

/// A block of the tour: commands, and the lines that are shown below them, if any are.
struct Step {
    commands: String,
    shown: Vec<String>,
}

fn tour() -> Vec<Step> {
    let readme = include_str!("../../../README.md");
    let (_, tour) = readme.split_once("\n## A tour\n").unwrap();
    let (tour, _) = tour.split_once("\n## ").unwrap();
    let blocks = Regex::new("(?ms)^```(sh|text)\n(.*?)^```$").unwrap();
    let mut steps: Vec<Step> = Vec::new();
    for block in blocks.captures_iter(tour) {
        match &block[1] {
            "sh" => steps.push(Step {
                commands: block[2].to_owned(),
                shown: Vec::new(),
            }),
            _ => {
                let shown = block[2].lines().map(str::to_owned);
                let step = steps
                    .last_mut()
                    .expect("commands come before what they say");
                step.shown.extend(shown);
            }
        }
    }
    steps
}

/// A line without what is another at every run, and without what lines it up.
fn plain(line: &str) -> String {
    let mut line = masked(line);
    for (pattern, mask) in [
        (r"[^ =]*/tour\b", "TOUR"),
        (r"\b[0-9a-f]{32}\b", "HEX"),
        (r#"(Index|Time)": \d+"#, "$1\": N"),
        (r"\s+", " "),
    ] {
        let pattern = Regex::new(pattern).unwrap();
        line = pattern.replace_all(&line, mask).into_owned();
    }
    line.trim().trim_end_matches(',').to_owned()
}

async fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

#[tokio::test]
#[ignore = "needs bash and curl"]
async fn the_tour_of_the_readme_does_what_the_readme_shows() {
    let folder = Folder::new();
    let port = free_port().await.to_string();
    let programs = Path::new(SADDLEBAG).parent().unwrap().display();
    let path = format!("{programs}:{}", std::env::var("PATH").unwrap());
    let mut shell = Command::new("bash")
        .args(["-e", "-o", "pipefail"])
        .current_dir(folder.path())
        .env("PATH", path)
        .env("SADDLEBAG_ADDR", format!("http://127.0.0.1:{port}"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut typed = shell.stdin.take().unwrap();
    let complaints = Gathered::from(shell.stderr.take());
    // However it ends, no server stays behind.
    typed
        .write_all(b"trap 'kill -9 $(jobs -p) || true' EXIT\n")
        .await
        .unwrap();
    let mut said = Gathered::from(shell.stdout.take());
    let steps = tour();
    assert!(steps.len() > 10, "{}", steps.len());
    for (at, step) in steps.iter().enumerate() {
        let commands = step.commands.replace("4646", &port).replace(
            "saddlebag dev",
            &format!("saddlebag dev --port {port} --ready-file ready"),
        );
        // Who types reads that it is ready.
        let ready = match commands.contains("--ready-file") {
            true => "until [ -e ready ]; do kill -0 $server; sleep 0.05; done; rm ready\n",
            false => "",
        };
        let ended = format!("[step {at} is done]");
        let line = format!("{commands}{ready}printf '\\n{ended}\\n'\n");
        typed.write_all(line.as_bytes()).await.unwrap();
        let all = said.until(&ended).await;
        let (_, new) = all
            .rsplit_once(&format!("[step {} is done]", at.wrapping_sub(1)))
            .unwrap_or(("", &all));
        let new: Vec<String> = new.replace(&port, "4646").lines().map(plain).collect();
        for line in &step.shown {
            let line = plain(line);
            assert!(
                line.is_empty() || new.contains(&line),
                "{}\ndoes not say {line:?} but\n{}",
                step.commands,
                new.join("\n")
            );
        }
    }
    drop(typed);
    let status = soon("the shell to end", shell.wait()).await.unwrap();
    let complaints = complaints.whole().await;
    assert_eq!(status.code(), Some(0), "{complaints}");
}
