//! A line for each thing that happens to a claim.

use super::{Answered, ClaimName, Subject, of_claim, until_answered};
use crate::cli::connection::{Session, given};
use crate::cli::failure::{Failure, printable};
use crate::cli::say;
use crate::clock::Clock;
use jiff::Timestamp;
use saddlebag_client::types::Claim;
use saddlebag_client::{Error, ResponseValue};
use std::convert::Infallible;
use std::io::stderr;
use std::time::Duration;
use tokio::time::sleep;

/// Waits for the answer to a request about a claim, and tells meanwhile, on standard error, what happens to it: a time
/// and what the claim is at, one line each. What happens faster than it can be asked for is told as it came out.
///
/// # Errors
/// The request failed, or the user left by Ctrl-C.
pub async fn follow(
    session: &Session,
    name: ClaimName<'_>,
    answer: impl Future<Output = Answered<Claim>>,
) -> Result<Claim, Failure> {
    let mut follower = Follower::default();
    let telling = follower.run(session, name);
    let claim = until_answered(session, &Subject::Claim(name), answer, telling).await?;
    follower.see(&claim);
    Ok(claim)
}

/// What of a claim makes a line: its state, its step, and the tries of it.
type Seen = (String, String, i64, Option<String>, Option<Timestamp>);

#[derive(Default)]
struct Follower {
    seen: Option<Seen>,
}

impl Follower {
    /// Tells of the claim until it is dropped.
    async fn run(&mut self, session: &Session, name: ClaimName<'_>) -> Infallible {
        /// The server wakes the question earlier if something happens.
        const LONG: Duration = Duration::from_secs(60);
        /// Before a server that could not be asked is asked again.
        const PAUSE: Duration = Duration::from_millis(200);
        let mut index = None;
        loop {
            let request = given!(
                session
                    .client
                    .read_claim()
                    .volume_id(name.volume)
                    .alloc_id(name.allocation)
                    .namespace(name.namespace)
                    .wait(LONG),
                region: session.region.as_deref(),
                index: index,
            );
            index = match request.send().await {
                Ok(answer) => {
                    let index = index_of(&answer);
                    self.see(&answer);
                    index
                }
                // It is not there yet: the answer says from which index on it is to be waited for.
                Err(Error::ErrorResponse(answer)) => index_of(&answer),
                Err(_) => None,
            };
            if index.is_none() {
                sleep(PAUSE).await;
            }
        }
    }

    /// Tells what the claim is at, unless that was told last.
    fn see(&mut self, claim: &Claim) {
        let seen = (
            claim.state.clone(),
            claim.step.clone(),
            claim.attempts,
            claim.last_error.clone(),
            claim.next_try,
        );
        if self.seen.as_ref() == Some(&seen) {
            return;
        }
        let now = Clock::default().now();
        let line = printable(&of_claim(claim, now)).replace('\n', " ");
        say(stderr(), &format!("{now:.3}  {line}\n"));
        self.seen = Some(seen);
    }
}

fn index_of<T>(answer: &ResponseValue<T>) -> Option<u64> {
    let index = answer.headers().get("x-nomad-index")?;
    index.to_str().ok()?.parse().ok()
}
