//! What a driver's error is to us: the one table of work.md's "Errors of drivers".

use crate::csi::{About, CallError, Class, Code, Origin};
use crate::error::Fault;

/// The fault that a failed call is, with Nomad's text for it.
pub fn fault_of(error: &CallError, about: &About<'_>) -> Fault {
    let text = error.nomad_text(about);
    if error.origin == Origin::Here {
        return Fault::RefusedLocally(text);
    }
    if error.call.is_list() && error.code == Code::Aborted {
        return Fault::DriverInvalid(text);
    }
    match error.code {
        Code::InvalidArgument | Code::OutOfRange => Fault::DriverInvalid(text),
        Code::NotFound => Fault::DriverNotFound(text),
        Code::AlreadyExists | Code::FailedPrecondition => Fault::DriverConflict(text),
        Code::ResourceExhausted => Fault::DriverExhausted(text),
        Code::Unimplemented => Fault::DriverUnimplemented(text),
        Code::Unavailable => Fault::DriverUnavailable(text),
        Code::Aborted | Code::DeadlineExceeded => Fault::DriverSlow(text),
        Code::Internal
        | Code::Unknown
        | Code::PermissionDenied
        | Code::Unauthenticated
        | Code::Canceled
        | Code::DataLoss => Fault::DriverFailed(text),
    }
}

/// Whether the outcome of the call is known.
pub(super) fn is_final(error: &CallError) -> bool {
    error.class() == Class::Final
}
