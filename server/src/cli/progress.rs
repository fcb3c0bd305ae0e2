//! Waiting for a change, and telling meanwhile what goes on.
//!
//! - On a terminal a line on standard error says what the operation is at, taken from the server's list of operations;
//!   elsewhere nothing is said.
//! - Ctrl-C leaves the work going and says how to look at it.

use crate::cli::connection::{Session, given};
use crate::cli::failure::{Exit, Failure, printable};
use crate::cli::say;
use crate::cli::screen::human_time;
use crate::clock::Clock;
use jiff::Timestamp;
use saddlebag_client::{ResponseValue, types};
use std::io::{IsTerminal, stderr};
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use unicode_width::UnicodeWidthChar;

/// What a command changes.
pub enum Subject<'a> {
    /// These volumes of a namespace.
    Volumes {
        /// Their namespace.
        namespace: &'a str,
        /// Their ids.
        ids: &'a [String],
    },
    /// A snapshot.
    Snapshot {
        /// The plugin that holds it.
        plugin: &'a str,
        /// Its id at the driver.
        id: &'a str,
    },
}

impl Subject<'_> {
    fn is_of(&self, operation: &types::Operation) -> bool {
        match self {
            Self::Volumes { namespace, ids } => {
                operation.namespace == *namespace && ids.contains(&operation.volume_id)
            }
            Self::Snapshot { plugin, id } => {
                operation.plugin_id == *plugin && operation.snapshot_id == *id
            }
        }
    }
}

/// Waits for the answer to a request that changes something.
///
/// # Errors
/// The request failed, or the user left by Ctrl-C.
pub async fn wait<T>(
    session: &Session,
    subject: Subject<'_>,
    answer: impl Future<Output = Result<ResponseValue<T>, saddlebag_client::Error<types::Error>>>,
) -> Result<T, Failure> {
    /// What is done sooner needs no telling.
    const SOON: Duration = Duration::from_millis(400);
    const FRAME: Duration = Duration::from_millis(100);
    /// Every so many frames the server is asked anew.
    const FRAMES_A_LOOK: usize = 5;
    let mut answer = std::pin::pin!(answer);
    let mut line = Line::default();
    let mut ticks = interval_at(Instant::now() + SOON, FRAME);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let is_told = stderr().is_terminal();
    let mut told = None;
    for frame in 0.. {
        tokio::select! {
            biased;
            answered = &mut answer => {
                line.clear();
                let answered = answered.map_err(|error| session.failure(error))?;
                return Ok(answered.into_inner());
            }
            left = tokio::signal::ctrl_c() => {
                line.clear();
                left.map_err(|error| Failure::new(Exit::Failed, error.to_string(), &[]))?;
                return Err(left_behind(session, &subject).await);
            }
            _ = ticks.tick(), if is_told => {}
        }
        if frame % FRAMES_A_LOOK == 0 {
            let look = under_way(session, &subject);
            // The answer itself comes first: a slow look must not hold it up.
            told = tokio::select! {
                biased;
                answered = &mut answer => {
                    line.clear();
                    let answered = answered.map_err(|error| session.failure(error))?;
                    return Ok(answered.into_inner());
                }
                operation = look => operation,
            };
        }
        let text = match &told {
            Some(operation) => standing(operation, Clock::default().now()),
            None => "waiting for the server".to_owned(),
        };
        line.draw(frame, &text);
    }
    unreachable!("there is always one more frame")
}

/// The operation that the subject waits for now.
async fn under_way(session: &Session, subject: &Subject<'_>) -> Option<types::Operation> {
    const PATIENCE: Duration = Duration::from_secs(2);
    let request = given!(session.client.list_operations(), region: session.region.as_deref());
    let request = match subject {
        Subject::Volumes { ids: [id], .. } => request.volume_id(id),
        Subject::Volumes { .. } => request,
        Subject::Snapshot { plugin, .. } => request.plugin_id(*plugin),
    };
    let listed = timeout(PATIENCE, request.send()).await.ok()?.ok()?;
    let mut operations = listed.into_inner().into_iter();
    operations.find(|it| it.end_time.is_none() && subject.is_of(it))
}

async fn left_behind(session: &Session, subject: &Subject<'_>) -> Failure {
    match under_way(session, subject).await {
        Some(types::Operation { kind, id, .. }) => Failure::new(
            Exit::Left,
            format!("left; the {kind} goes on"),
            &[
                &format!("See how it is: saddlebag operation status {id}"),
                "The same command again waits for it",
            ],
        ),
        None => Failure::new(
            Exit::Left,
            "left before the answer; what was asked for may go on",
            &["See what goes on: saddlebag operation list"],
        ),
    }
}

/// What an operation is at, in one line.
pub(super) fn standing(operation: &types::Operation, now: Timestamp) -> String {
    let subject = match operation.volume_id.as_str() {
        "" => format!("snapshot {}", operation.snapshot_id),
        id => format!("volume {id}"),
    };
    let mut text = format!("{} of {subject}: ", operation.kind);
    let plugin = &operation.plugin_id;
    text += &match (operation.attempts, operation.state.as_str()) {
        (0, "running") => format!("plugin {plugin} is at it"),
        (0, _) => "not tried yet".to_owned(),
        (tries, "running") => format!("try {}, plugin {plugin} is at it", tries + 1),
        (tries, _) => format!("try {tries} failed"),
    };
    match (operation.next_try, &operation.waits_for) {
        (Some(next), _) if operation.state == "waiting" => {
            text += &format!(", next try {}", human_time(next, now));
        }
        (_, Some(what)) if operation.state == "waiting" => text += &format!(", waits for {what}"),
        _ => {}
    }
    if let Some(error) = &operation.last_error {
        let code = operation.last_error_code.as_deref().unwrap_or("no answer");
        text += &format!("; plugin {plugin}: {code}: {}", cause(error));
    }
    text
}

/// What the driver itself said, without who said it on the way.
fn cause(error: &str) -> &str {
    match error.rsplit_once(" desc = ") {
        Some((_, cause)) => cause,
        None => error,
    }
}

/// The line that is drawn again and again.
#[derive(Default)]
struct Line {
    is_drawn: bool,
}

impl Line {
    fn draw(&mut self, frame: usize, text: &str) {
        const FRAMES: [char; 4] = ['|', '/', '-', '\\'];
        let columns = rustix::termios::tcgetwinsize(stderr())
            .map_or(80, |size| usize::from(size.ws_col.max(20)));
        let text = printable(text).replace('\n', " ");
        let text = cut(&text, columns - 3);
        say(
            stderr(),
            &format!("\r\u{1b}[K{} {text}", FRAMES[frame % FRAMES.len()]),
        );
        self.is_drawn = true;
    }

    fn clear(&mut self) {
        if std::mem::take(&mut self.is_drawn) {
            say(stderr(), "\r\u{1b}[K");
        }
    }
}

/// As much of a text as fits.
fn cut(text: &str, columns: usize) -> String {
    let mut left = columns;
    let fits = |c: &char| match left.checked_sub(c.width().unwrap_or(0)) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    };
    text.chars().take_while(fits).collect()
}
