//! One `saddlebag dev`.

pub use crate::running::*;
use std::path::Path;
use tokio::process::Command;

pub type Dev = Running;

impl Running {
    /// Starts it on a free port, with temporary files in `folder`, and waits until it is ready.
    pub async fn start(folder: &Path, args: &[&str]) -> Self {
        Self::start_as(folder, saddlebag(folder, &[]), args).await
    }

    /// Starts `command`, which becomes `saddlebag` once it has the arguments for it.
    pub async fn start_as(folder: &Path, mut command: Command, args: &[&str]) -> Self {
        command.args(["dev", "--port", "0"]).args(args);
        Self::begin_ready(folder, command).await
    }

    /// Starts it on a free port and waits for nothing; its address is not known.
    pub async fn start_unready(folder: &Path, args: &[&str]) -> Self {
        let mut command = saddlebag(folder, &["dev", "--port", "0"]);
        command.args(args);
        Self::begin(command)
    }
}
