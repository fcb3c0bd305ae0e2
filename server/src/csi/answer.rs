//! What an answer must hold, and which errors are none.

use super::{Call, CallError, Code, Secrets};

/// What an OK must hold (CSI: REQUIRED), or an error that no second try would change.
pub(super) fn promised<T>(call: Call, part: Option<T>, name: &str) -> Result<T, CallError> {
    part.ok_or_else(|| {
        CallError::by_driver(
            call,
            Code::Internal,
            &format!("the driver answered {call} without {name}"),
            &Secrets::none(),
        )
    })
}

/// NotFound means that it is done already.
pub(super) fn done_if_not_found<T>(outcome: Result<T, CallError>) -> Result<(), CallError> {
    match outcome {
        Err(error) if error.wire() && error.code == Code::NotFound => Ok(()),
        outcome => outcome.map(drop),
    }
}
