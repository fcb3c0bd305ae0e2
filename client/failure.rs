//! Why a request came to nothing, and what may be tried again.

use crate::{Error, ResponseValue, TlsProblem, types};
use std::{fmt, future::Future, time::Duration};

/// Why a request came to nothing.
///
/// `?` makes one of what a request fails with.
///
/// ```
/// use saddlebag_client::{Client, Failure, types};
///
/// async fn external_id(client: &Client, id: &str) -> Result<Option<String>, Failure> {
///     match client.read_volume().volume_id(id).send().await.map_err(Failure::from) {
///         Ok(volume) => Ok(Some(volume.into_inner().external_id)),
///         Err(failure) if failure.code() == Some("volume_not_found") => Ok(None),
///         Err(failure) => Err(failure),
///     }
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Failure {
    /// The server refused, and says why.
    Refused {
        /// The HTTP status.
        status: u16,
        /// Its `code` is stable; its `message` is Nomad's text, where Nomad has one.
        error: Box<types::Error>,
    },
    /// Nobody answered, or the connection ended before the answer did. A change that was asked for may go on.
    Unanswered(String),
    /// The request cannot be sent as it is.
    Unsendable(String),
    /// The answer is none that the document describes.
    Unexpected(String),
}

impl Failure {
    /// What went wrong, as one of the words of the document's `Error`, if the server said so.
    pub fn code(&self) -> Option<&str> {
        match self {
            Failure::Refused { error, .. } => Some(&error.code),
            _ => None,
        }
    }

    /// Whether the very same request may succeed later, without anybody changing it. Every request may be sent again: a
    /// change that is under way is joined, and none is made twice.
    pub fn is_retryable(&self) -> bool {
        match self {
            Failure::Refused { error, .. } => error.retryable,
            Failure::Unanswered(_) => true,
            Failure::Unsendable(_) | Failure::Unexpected(_) => false,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Refused { error, .. } => f.write_str(&error.message),
            Failure::Unanswered(why) => write!(f, "no answer: {why}"),
            Failure::Unsendable(why) => write!(f, "the request cannot be sent: {why}"),
            Failure::Unexpected(why) => write!(f, "the answer was not understood: {why}"),
        }
    }
}

impl std::error::Error for Failure {}

impl From<Error<types::Error>> for Failure {
    fn from(error: Error<types::Error>) -> Self {
        match error {
            Error::ErrorResponse(response) => Failure::Refused {
                status: response.status().as_u16(),
                error: Box::new(response.into_inner()),
            },
            Error::CommunicationError(error) | Error::ResponseBodyError(error) => {
                match TlsProblem::of(&error) {
                    Some(problem) => Failure::Unsendable(problem.to_string()),
                    None => Failure::Unanswered(error.to_string()),
                }
            }
            Error::InvalidRequest(why) => Failure::Unsendable(why),
            other => Failure::Unexpected(other.to_string()),
        }
    }
}

/// Sends a request until it is answered with what was asked for, or with a failure that trying again does not mend. At most
/// `tries` times; before each next one it waits, first 250 ms, then twice as long each time, at most 10 s.
///
/// ```no_run
/// # use saddlebag_client::{Client, Failure, retried};
/// # async fn example(client: Client) -> Result<(), Failure> {
/// let volume = retried(5, || client.read_volume().volume_id("pgdata").send()).await?;
/// println!("{}", volume.external_id);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// The failure of the last try.
pub async fn retried<T, Sent>(
    tries: u32,
    mut request: impl FnMut() -> Sent,
) -> Result<ResponseValue<T>, Failure>
where
    Sent: Future<Output = Result<ResponseValue<T>, Error<types::Error>>>,
{
    const FIRST: Duration = Duration::from_millis(250);
    const LONGEST: Duration = Duration::from_secs(10);
    let mut pause = FIRST;
    for _ in 1..tries {
        match request().await.map_err(Failure::from) {
            Err(failure) if failure.is_retryable() => tokio::time::sleep(pause).await,
            outcome => return outcome,
        }
        pause = (pause * 2).min(LONGEST);
    }
    Ok(request().await?)
}
