//! A server, the commands that are run at it, and what was said.

use crate::process::{Dev, Folders, saddlebag, soon};
use crate::terminal::Terminal;
use regex::Regex;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// What a command said.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// A server with a folder to run commands in.
pub struct Story {
    pub dev: Dev,
    folders: Folders,
}

impl Story {
    /// With the built-in driver.
    pub async fn begin() -> Self {
        Self::begin_with(&[]).await
    }

    /// With these arguments for `dev`.
    pub async fn begin_with(args: &[&str]) -> Self {
        let folders = Folders::new();
        let dev = Dev::start(folders.temporary.path(), args).await;
        std::fs::create_dir_all(folders.own("")).unwrap();
        Self { dev, folders }
    }

    /// A path that commands are run beside.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folders.own(name)
    }

    /// Writes a file for commands to read.
    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// The program with these arguments, and this server in its environment.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = command(&self.path(""), args);
        command.env("SADDLEBAG_ADDR", &self.dev.url);
        command
    }

    /// Runs a command in a pipe.
    pub async fn run(&self, args: &[&str]) -> Said {
        ended(self.command(args)).await
    }

    /// Runs a command in a pipe that has to succeed and to be silent on standard error; what it said.
    pub async fn told(&self, args: &[&str]) -> String {
        let said = self.run(args).await;
        assert_eq!(
            (said.code, said.stderr.as_str()),
            (Some(0), ""),
            "{args:?}: {said:?}"
        );
        said.stdout
    }

    /// Runs a command that reads this.
    pub async fn run_with_input(&self, args: &[&str], input: &str) -> Said {
        let mut command = self.command(args);
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).await.unwrap();
        drop(stdin);
        let output = soon("a command to end", child.wait_with_output())
            .await
            .unwrap();
        Said::from(output)
    }

    /// Runs a command in a terminal.
    pub async fn run_in_terminal(&self, args: &[&str]) -> (Option<i32>, String) {
        Terminal::start(self.command(args)).ended().await
    }

    /// Runs commands in a pipe and writes down what they say, lines on standard error after a `!`.
    pub async fn piped(&self, commands: &[&str]) -> String {
        let mut text = String::new();
        for line in commands {
            let said = self.run(&words(line)).await;
            text += &format!("$ saddlebag {line}\n{}", said.stdout);
            text.extend(said.stderr.lines().map(|line| format!("! {line}\n")));
            text += &format!("(exit {})\n\n", said.code.unwrap());
        }
        masked(&text)
    }

    /// Runs commands in a terminal and writes down what is on it.
    pub async fn in_terminal(&self, commands: &[&str]) -> String {
        let mut text = String::new();
        for line in commands {
            let (code, said) = self.run_in_terminal(&words(line)).await;
            // On a busy machine there was time to tell what goes on; it is wiped before the outcome.
            let stays: String = said
                .split_inclusive('\n')
                .filter_map(|line| line.rsplit(WIPE).next())
                .collect();
            text += &format!("$ saddlebag {line}\n{stays}(exit {})\n\n", code.unwrap());
        }
        // Times from now differ in length, and so does what is padded to them.
        for (pattern, mask) in [
            (r"(?m)\b(now|(\d+m)?\d+s ago)  +", "AGO  "),
            (r"(?m)\b(now|(\d+m)?\d+s ago)$", "AGO"),
            (r"Since  +", "Since  "),
            (r"Created  +Modified", "Created  Modified"),
        ] {
            let pattern = Regex::new(pattern).unwrap();
            text = pattern.replace_all(&text, mask).into_owned();
        }
        masked(&text)
    }
}

/// What wipes the line that tells what goes on.
pub const WIPE: &str = "\r\u{1b}[K";

/// The program with these arguments, and nothing in its environment that names a server.
pub fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = saddlebag(folder, args);
    for program in ["SADDLEBAG", "NOMAD"] {
        for what in ["ADDR", "TOKEN", "NAMESPACE", "REGION"] {
            command.env_remove(format!("{program}_{what}"));
        }
    }
    command
}

/// Runs a command to its end.
pub async fn ended(mut command: Command) -> Said {
    Said::from(soon("a command to end", command.output()).await.unwrap())
}

impl From<std::process::Output> for Said {
    fn from(output: std::process::Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// The words of a line, at spaces; a `*` is in quotes as in a shell.
pub fn words(line: &str) -> Vec<&str> {
    line.split(' ')
        .map(|word| word.trim_matches('\''))
        .collect()
}

/// A text without what is another at every run, in columns that still line up.
pub fn masked(text: &str) -> String {
    let mut text = text.to_owned();
    for (pattern, mask) in [
        (r"http://127\.0\.0\.1:\d+", "http://SERVER"),
        (
            r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
            "UUID................................",
        ),
        (
            r"\b(vol|snap)-[0-9a-f]{32}\b",
            "$1-HEX.............................",
        ),
        (r"\b[0-9a-f]{8}\b", "SHORT..."),
        (
            r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z",
            "YYYY-MM-DDTHH:MM:SSZ",
        ),
    ] {
        text = Regex::new(pattern)
            .unwrap()
            .replace_all(&text, mask)
            .into_owned();
    }
    text
}
