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
use std::convert::Infallible;
use std::io::{IsTerminal, stderr};
use std::time::Duration;
use tokio::time::{sleep, timeout};
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
    tokio::select! {
        biased;
        answered = answer => match answered {
            Ok(answer) => Ok(answer.into_inner()),
            Err(error) => Err(session.failure(error)),
        },
        left = tokio::signal::ctrl_c() => match left {
            Ok(()) => Err(left_behind(session, &subject).await),
            Err(error) => Err(Failure::new(Exit::Failed, error.to_string(), &[])),
        },
        never = tell(session, &subject), if stderr().is_terminal() => match never {},
    }
}

/// Tells what goes on until it is dropped, which wipes what it told.
async fn tell(session: &Session, subject: &Subject<'_>) -> Infallible {
    /// What is done sooner needs no telling.
    const SOON: Duration = Duration::from_millis(400);
    const FRAME: Duration = Duration::from_millis(100);
    /// After so many frames the server is asked anew.
    const FRAMES_A_LOOK: usize = 5;
    sleep(SOON).await;
    let mut line = Line::default();
    loop {
        let operation = under_way(session, subject).await;
        for _ in 0..FRAMES_A_LOOK {
            line.draw(&match &operation {
                Some(operation) => standing(operation, Clock::default().now()),
                None => "waiting for the server".to_owned(),
            });
            sleep(FRAME).await;
        }
    }
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

/// The line that is drawn again and again, and wiped at its end.
#[derive(Default)]
struct Line {
    drawn: usize,
}

impl Line {
    fn draw(&mut self, text: &str) {
        const FRAMES: [char; 4] = ['|', '/', '-', '\\'];
        const UNKNOWN: u16 = 0;
        let columns = match rustix::termios::tcgetwinsize(stderr()).map(|size| size.ws_col) {
            Err(_) | Ok(UNKNOWN) => 80,
            Ok(columns) => usize::from(columns),
        };
        let text = printable(text).replace('\n', " ");
        let text = cut(&text, columns.saturating_sub(3));
        let frame = FRAMES[self.drawn % FRAMES.len()];
        say(stderr(), &format!("{WIPE}{frame} {text}"));
        self.drawn += 1;
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.drawn > 0 {
            say(stderr(), WIPE);
        }
    }
}

/// Goes to the beginning of the line and clears it.
const WIPE: &str = "\r\u{1b}[K";

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
