//! Watching the health of one driver in one role.
//!
//! - A lost socket is reported when the system closes it; one that is back, within a second.
//! - A driver that hangs holds up its own watcher and no other.
//! - What a driver once said about itself is kept while it fails: an error is reported, capabilities
//!   are not taken back.
//! - Descriptions are Nomad's five texts.

use super::{
    Connection, Fingerprint, FingerprintError, Process, Role, backoff::Backoff, fingerprint,
};
use std::{future::pending, sync::Arc, time::Duration};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep},
};
use tokio_util::task::AbortOnDropHandle;

/// While nobody listens, the socket is tried again after such pauses: a try costs next to nothing.
const CONNECT: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(500));

/// A connection that lasted this long was a good one: after it the pauses begin anew.
const STEADY: Duration = Duration::from_secs(1);

/// A driver that listens but is not well is asked again after such pauses.
const RETRY: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

/// How a driver was, the last time it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// It answered as CSI wants, and that it is ready.
    pub healthy: bool,
    /// Nomad's HealthDescription.
    pub description: String,
    /// What it said about itself the last time it said so; `None` until it did.
    pub fingerprint: Option<Fingerprint>,
}

/// How often a driver is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Between the end of one good pass and the next. Default 30 s.
    pub interval: Duration,
    /// How long a driver's name, version, own capabilities and node information are believed before
    /// they are asked for anew. Default 5 min.
    pub refresh: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(30),
            refresh: Duration::from_secs(300),
        }
    }
}

/// A task that watches a driver until this is dropped.
#[derive(Debug)]
pub struct Watcher {
    observed: watch::Receiver<Observation>,
    refresh: Arc<Notify>,
    _task: AbortOnDropHandle<()>,
}

impl Watcher {
    /// The newest observation. Before the first pass has ended: `initial fingerprint not completed`.
    pub fn latest(&self) -> Observation {
        self.observed.borrow().clone()
    }

    /// Waits for an observation that differs from the last one returned here. Of several quick changes
    /// only the newest is seen.
    pub async fn changed(&mut self) -> Observation {
        if self.observed.changed().await.is_err() {
            // The task ends only with `self`.
            pending::<()>().await;
        }
        self.observed.borrow_and_update().clone()
    }

    /// The observations, for somebody else to follow. They end with the watcher.
    pub fn observations(&self) -> watch::Receiver<Observation> {
        self.observed.clone()
    }

    /// Asks the driver everything anew, at once: for when it behaves unlike its fingerprint, such as
    /// a node that is full before its limit.
    pub fn refresh(&self) {
        self.refresh.notify_one();
    }
}

/// Watches the driver at this connection. Of a driver that we started, `process` says how its process
/// is, and so why nobody listens.
pub fn watch(
    driver: Connection,
    role: Role,
    pace: Pace,
    process: Option<watch::Receiver<Process>>,
) -> Watcher {
    let (report, observed) = watch::channel(Observation {
        healthy: false,
        description: "initial fingerprint not completed".to_owned(),
        fingerprint: None,
    });
    let refresh = Arc::new(Notify::new());
    let watching = Watching {
        driver,
        role,
        pace,
        process,
        report,
        refresh: refresh.clone(),
        known: None,
        believed_until: Instant::now(),
    };
    Watcher {
        observed,
        refresh,
        _task: AbortOnDropHandle::new(tokio::spawn(watching.run())),
    }
}

/// Why a watcher asks again.
enum Wake {
    Time,
    Refresh,
    Lost,
    Process,
}

struct Watching {
    driver: Connection,
    role: Role,
    pace: Pace,
    process: Option<watch::Receiver<Process>>,
    report: watch::Sender<Observation>,
    refresh: Arc<Notify>,
    /// The last good fingerprint.
    known: Option<Fingerprint>,
    /// Until when its slow part needs no asking.
    believed_until: Instant,
}

impl Watching {
    async fn run(mut self) {
        let mut connect = Backoff::new(CONNECT.0, CONNECT.1);
        let mut retry = Backoff::new(RETRY.0, RETRY.1.min(self.pace.interval));
        let mut connected_since = None;
        loop {
            let well = self.pass().await;
            let connected = self.driver.is_connected();
            if connected {
                connected_since.get_or_insert_with(Instant::now);
            }
            let pause = match (well, connected) {
                (true, _) => {
                    retry.reset();
                    self.pace.interval
                }
                (false, true) => retry.pause(),
                (false, false) => connect.pause(),
            };
            match self.wait(pause, well || connected).await {
                Wake::Time => {}
                Wake::Refresh => self.disbelieve(),
                Wake::Process => connect.reset(),
                Wake::Lost => {
                    self.disbelieve();
                    self.failed(&format!("{}: connection lost", self.driver.endpoint()));
                    let lasted = connected_since.take().map(|since: Instant| since.elapsed());
                    if lasted.is_some_and(|lasted| lasted >= STEADY) {
                        connect.reset();
                    }
                    sleep(connect.pause()).await;
                }
            }
        }
    }

    /// Asks the driver once, and says whether it is well.
    async fn pass(&mut self) -> bool {
        let believed = Instant::now() < self.believed_until;
        let known = self.known.as_ref().filter(|_| believed);
        match fingerprint(&self.driver, self.role, known).await {
            Ok(found) => {
                if known.is_none() {
                    self.believed_until = Instant::now() + self.pace.refresh;
                }
                self.known = Some(found);
                self.observe(true, "healthy".to_owned());
                true
            }
            Err(FingerprintError::NotReady) => {
                self.observe(false, "unhealthy".to_owned());
                false
            }
            Err(error) => {
                self.failed(&error.to_string());
                false
            }
        }
    }

    /// Waits until there is a reason to ask again.
    async fn wait(&mut self, pause: Duration, connected: bool) -> Wake {
        tokio::select! {
            () = self.driver.lost(), if connected => Wake::Lost,
            () = changed(self.process.as_mut()) => Wake::Process,
            () = self.refresh.notified() => Wake::Refresh,
            () = sleep(pause) => Wake::Time,
        }
    }

    fn disbelieve(&mut self) {
        self.believed_until = Instant::now();
    }

    /// Reports a failure: that of the process, if there is none to ask.
    fn failed(&self, error: &str) {
        let process = self
            .process
            .as_ref()
            .map(|process| process.borrow().clone());
        let error = match process {
            Some(down @ (Process::Down { .. } | Process::Stopped)) => down.to_string(),
            Some(Process::Running { .. }) | None => error.to_owned(),
        };
        let description = match &self.known {
            Some(_) => format!("failed fingerprinting with error: {error}"),
            None => format!("failed initial fingerprint with err: {error}"),
        };
        self.observe(false, description);
    }

    fn observe(&self, healthy: bool, description: String) {
        let observation = Observation {
            healthy,
            description,
            fingerprint: self.known.clone(),
        };
        self.report.send_if_modified(|last| {
            let changed = *last != observation;
            *last = observation;
            changed
        });
    }
}

/// Waits for a change of the process; for ever if there is none, or none any more.
async fn changed(process: Option<&mut watch::Receiver<Process>>) {
    match process {
        Some(process) => {
            if process.changed().await.is_err() {
                pending().await
            }
        }
        None => pending().await,
    }
}
