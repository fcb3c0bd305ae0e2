//! Drivers that we start ourselves.
//!
//! - The driver finds its socket in `CSI_ENDPOINT`. What an earlier one left there is removed first,
//!   but not a socket that somebody listens on, nor anything that is no socket.
//! - A driver that ends is started again, after pauses that double up to a longest one.
//! - [`Supervisor::stop`] ends it with SIGTERM and, after a grace time, SIGKILL; dropping the
//!   supervisor kills it. It is the driver's process alone that is ended: a file system daemon that it
//!   started goes on serving what is mounted.
//! - What it prints is logged line by line, without its secrets and those that it was told of late.

use super::{Confided, Endpoint, Secrets, backoff::Backoff, output};
use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt, io,
    os::unix::{fs::FileTypeExt, process::ExitStatusExt},
    path::PathBuf,
    process::{ExitStatus, Stdio},
    time::Duration,
};
use tokio::{
    fs,
    net::UnixStream,
    process::{Child, Command},
    sync::watch,
    time::{Instant, sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tracing::{info, warn};

/// A driver to start. Its arguments and environment may hold secrets, so `Debug` does not show them.
#[derive(Clone)]
pub struct DriverCommand {
    /// The plugin it serves, for the log.
    pub plugin_id: String,
    /// The program: a path, or a name to look for in our own PATH.
    pub program: PathBuf,
    /// Its arguments, as they are: no shell reads them.
    pub args: Vec<OsString>,
    /// Its whole environment, `CSI_ENDPOINT` excepted.
    pub environment: BTreeMap<OsString, OsString>,
    /// Where it is to listen.
    pub endpoint: Endpoint,
    /// What is hidden in its output.
    pub secrets: Secrets,
    /// What it was told since, which is hidden there, too.
    pub confided: Confided,
    /// When it is started again.
    pub restart: Restart,
    /// How long it may take to end when asked to.
    pub grace: Duration,
}

impl fmt::Debug for DriverCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DriverCommand")
            .field("plugin_id", &self.plugin_id)
            .field("program", &self.program)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

/// When a driver that ended is started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restart {
    /// The first pause. Default 500 ms.
    pub first: Duration,
    /// The longest pause. Default 30 s.
    pub most: Duration,
    /// A driver that ran this long counts as well: the next pause is the first again. Default 1 min.
    pub settled: Duration,
}

impl Default for Restart {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(500),
            most: Duration::from_secs(30),
            settled: Duration::from_secs(60),
        }
    }
}

/// How a driver's process is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Process {
    /// It runs, or is about to be started.
    Running {
        /// Its number, once it has one.
        pid: Option<u32>,
    },
    /// It ended, or could not be started.
    Down {
        /// What happened: `driver exited with status 1`.
        why: String,
        /// How long after that it is started again.
        restart_in: Duration,
    },
    /// It was stopped and stays so.
    Stopped,
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Running { .. } => f.write_str("driver is running"),
            Self::Down { why, restart_in } if restart_in.as_secs() >= 1 => {
                write!(f, "{why}, restarting in {:.0} s", restart_in.as_secs_f64())
            }
            Self::Down { why, restart_in } => {
                write!(f, "{why}, restarting in {} ms", restart_in.as_millis())
            }
            Self::Stopped => f.write_str("driver was stopped"),
        }
    }
}

/// Keeps a driver running until it is stopped or dropped.
#[derive(Debug)]
pub struct Supervisor {
    process: watch::Receiver<Process>,
    stop: CancellationToken,
    task: AbortOnDropHandle<()>,
}

impl Supervisor {
    /// How the driver's process is; for [`watch()`](super::watch()), too.
    pub fn process(&self) -> watch::Receiver<Process> {
        self.process.clone()
    }

    /// Ends the driver and waits until it has ended.
    pub async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            warn!(%error, "the supervisor of a driver did not end well");
        }
    }
}

/// Starts a driver and keeps it running.
pub fn supervise(command: DriverCommand) -> Supervisor {
    let (report, process) = watch::channel(Process::Running { pid: None });
    let stop = CancellationToken::new();
    let task = tokio::spawn(run(command, report, stop.clone()));
    Supervisor {
        process,
        stop,
        task: AbortOnDropHandle::new(task),
    }
}

async fn run(command: DriverCommand, report: watch::Sender<Process>, stop: CancellationToken) {
    let plugin_id = command.plugin_id.as_str();
    let mut backoff = Backoff::new(command.restart.first, command.restart.most);
    loop {
        let started = Instant::now();
        let why = match start(&command).await {
            Err(error) => format!("driver could not be started: {error}"),
            Ok(mut child) => {
                info!(
                    plugin.id = plugin_id,
                    pid = child.id(),
                    "started the driver"
                );
                report.send_replace(Process::Running { pid: child.id() });
                tokio::select! {
                    ended = child.wait() => told(ended),
                    () = stop.cancelled() => {
                        end(&mut child, &command).await;
                        break;
                    }
                }
            }
        };
        if started.elapsed() >= command.restart.settled {
            backoff.reset();
        }
        let restart_in = backoff.pause();
        let down = Process::Down { why, restart_in };
        warn!(plugin.id = plugin_id, "{down}");
        report.send_replace(down);
        tokio::select! {
            () = sleep(restart_in) => {}
            () = stop.cancelled() => break,
        }
    }
    report.send_replace(Process::Stopped);
}

async fn start(command: &DriverCommand) -> io::Result<Child> {
    clear(&command.endpoint).await?;
    let mut child = Command::new(&command.program)
        .args(&command.args)
        .env_clear()
        .envs(&command.environment)
        .env("CSI_ENDPOINT", command.endpoint.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A Ctrl-C at our terminal is for us: we end the driver when its work is done.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| {
            io::Error::new(
                error.kind(),
                format!("{}: {error}", command.program.display()),
            )
        })?;
    if let Some(stdout) = child.stdout.take() {
        output::log(stdout, command);
    }
    if let Some(stderr) = child.stderr.take() {
        output::log(stderr, command);
    }
    Ok(child)
}

/// Makes room for the driver's socket.
async fn clear(endpoint: &Endpoint) -> io::Result<()> {
    let path = endpoint.path();
    match fs::symlink_metadata(path).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(io::Error::new(error.kind(), format!("{endpoint}: {error}"))),
        Ok(found) if !found.file_type().is_socket() => Err(io::Error::other(format!(
            "{endpoint}: there is something that is not a socket"
        ))),
        Ok(_) if UnixStream::connect(path).await.is_ok() => Err(io::Error::other(format!(
            "{endpoint}: another process listens there"
        ))),
        Ok(_) => fs::remove_file(path).await,
    }
}

/// Ends a driver: it is asked to, and killed if it does not.
async fn end(child: &mut Child, command: &DriverCommand) {
    let plugin_id = command.plugin_id.as_str();
    let pid = child
        .id()
        .and_then(|pid| rustix::process::Pid::from_raw(pid.cast_signed()));
    if let Some(pid) = pid
        && let Err(error) = rustix::process::kill_process(pid, rustix::process::Signal::TERM)
    {
        warn!(plugin.id = plugin_id, %error, "could not ask the driver to end");
    }
    if timeout(command.grace, child.wait()).await.is_err() {
        warn!(
            plugin.id = plugin_id,
            "the driver did not end in time and is killed"
        );
        if let Err(error) = child.kill().await {
            warn!(plugin.id = plugin_id, %error, "could not kill the driver");
        }
    }
}

fn told(ended: io::Result<ExitStatus>) -> String {
    match ended {
        Err(error) => format!("driver was lost: {error}"),
        Ok(status) => match (status.code(), status.signal()) {
            (Some(code), _) => format!("driver exited with status {code}"),
            (None, Some(signal)) => format!("driver was killed by signal {signal}"),
            (None, None) => format!("driver ended: {status}"),
        },
    }
}
