//! Waiting for a change, and telling meanwhile what goes on.
//!
//! - On a terminal a line on standard error says what is waited for, as the server tells it; elsewhere nothing is said.
//! - Who follows a claim gets a line for each thing that happens to it, wherever standard error goes.
//! - Ctrl-C leaves the work going and says how to look at it.

mod follow;
mod line;
mod standing;
mod under_way;

pub use follow::follow;
pub(super) use standing::{of_claim, of_operation, said};
pub use under_way::{ClaimName, Subject};
pub(super) use under_way::{has_ended, is_leaving};

use crate::cli::connection::Session;
use crate::cli::failure::{Exit, Failure};
use crate::clock::Clock;
use line::Line;
use saddlebag_client::{ResponseValue, types};
use std::convert::Infallible;
use std::io::{IsTerminal, stderr};
use std::time::Duration;
use tokio::time::sleep;

/// What a request comes to.
type Answered<T> = Result<ResponseValue<T>, saddlebag_client::Error<types::Error>>;

/// Waits for the answer to a request that changes something.
///
/// # Errors
/// The request failed, or the user left by Ctrl-C.
pub async fn wait<T>(
    session: &Session,
    subject: Subject<'_>,
    answer: impl Future<Output = Answered<T>>,
) -> Result<T, Failure> {
    until_answered(session, &subject, answer, tell(session, &subject)).await
}

async fn until_answered<T>(
    session: &Session,
    subject: &Subject<'_>,
    answer: impl Future<Output = Answered<T>>,
    telling: impl Future<Output = Infallible>,
) -> Result<T, Failure> {
    tokio::select! {
        biased;
        answered = answer => match answered {
            Ok(answer) => Ok(answer.into_inner()),
            Err(error) => Err(session.failure(error)),
        },
        left = tokio::signal::ctrl_c() => match left {
            Ok(()) => Err(subject.left_behind(session).await),
            Err(error) => Err(Failure::new(Exit::Failed, error.to_string(), &[])),
        },
        never = telling => match never {},
    }
}

/// Tells what goes on until it is dropped, which wipes what it told.
async fn tell(session: &Session, subject: &Subject<'_>) -> Infallible {
    /// What is done sooner needs no telling.
    const SOON: Duration = Duration::from_millis(400);
    const FRAME: Duration = Duration::from_millis(100);
    /// After so many frames the server is asked anew.
    const FRAMES_A_LOOK: usize = 5;
    if !stderr().is_terminal() {
        return std::future::pending().await;
    }
    sleep(SOON).await;
    let mut line = Line::default();
    loop {
        let under_way = subject.under_way(session).await;
        for _ in 0..FRAMES_A_LOOK {
            line.draw(&match &under_way {
                Some(under_way) => under_way.standing(Clock::default().now()),
                None => "waiting for the server".to_owned(),
            });
            sleep(FRAME).await;
        }
    }
}
