//! Failures, as handlers declare them: which statuses there can be. Each is an
//! [`Error`](crate::http::wire::Error) in JSON, or its message as text.

use super::answers::about_state;
use crate::http::wire;
use std::collections::BTreeMap;
use utoipa::openapi::{Content, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, PartialSchema, ToSchema};

macro_rules! failures {
    ($($(#[$doc:meta])* $name:ident: $($status:literal)+;)+) => {$(
        $(#[$doc])*
        pub(in crate::http) struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                let failures = [$($status),+].map(|status| (status, failure().build().into()));
                failures.map(|(status, failure)| (status.to_string(), failure)).into()
            }
        }
    )+};
}

failures! {
    /// Nobody but a web page of another origin is refused, and nothing goes wrong but by a defect.
    Always: 403 500;
    /// A parameter is malformed.
    ReadErrors: 400 403 500;
    /// Nobody but a web page of another origin is refused, and the store may take no changes.
    TestErrors: 403 500 503;
    /// Something that the request names is not there.
    NotFound: 404;
    /// There are as many blocked queries as there may be.
    Crowded: 429;
    /// The body is too slow or too large.
    BodyErrors: 408 413;
    /// The request makes no sense, names what is not there, or is in conflict with what is, or the
    /// store takes no changes.
    ChangeErrors: 400 403 404 409 500 503;
    /// The request makes no sense, or the store takes no changes.
    StoredErrors: 400 403 500 503;
    /// The request makes no sense or names what is not there, or the store takes no changes.
    RecordErrors: 400 403 404 500 503;
    /// A driver refuses for good: it cannot, fails, or is at a limit.
    RefusalErrors: 501 502 507;
    /// The outcome is not known yet.
    WaitErrors: 504;
    /// A driver is asked: it may refuse, be unable, fail, be away, or be slow.
    DriverErrors: 409 501 502 503 504 507;
}

/// What is read is not there, in the state of which Nomad's three headers tell.
pub(in crate::http) struct Missing;

impl IntoResponses for Missing {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let missing = about_state(failure()).build();
        BTreeMap::from([("404".to_owned(), missing.into())])
    }
}

fn failure() -> ResponseBuilder {
    let error = Ref::from_schema_name(wire::Error::name());
    ResponseBuilder::new()
        .content("application/json", Content::new(Some(error)))
        .content("text/plain", Content::new(Some(String::schema())))
}
