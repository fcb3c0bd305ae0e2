//! Successful answers, as handlers declare them. None of these types has a value: a handler's answer
//! is an [`edge::Answer`](crate::http::edge::Answer), of which they say what is in it.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use utoipa::openapi::{Array, Content, Header, Ref, RefOr, Response, ResponseBuilder, Schema};
use utoipa::{IntoResponses, PartialSchema, ToSchema};

type Responses = BTreeMap<String, RefOr<Response>>;

/// 200 with `T` as JSON.
pub(in crate::http) struct Json<T>(PhantomData<T>);

/// 200 with `T` as JSON, and Nomad's three headers about the state that it was found in.
pub(in crate::http) struct At<T>(PhantomData<T>);

/// One page of `T`: as [`At`], with the token of the next page if there is one.
pub(in crate::http) struct Page<T>(PhantomData<T>);

/// 200 without a body, with Nomad's three headers.
pub(in crate::http) struct Done;

/// 200 without a body, with the index of the change.
pub(in crate::http) struct Changed;

/// 200 with `T` as JSON, and the index of the change.
pub(in crate::http) struct Made<T>(PhantomData<T>);

/// A list of `T`.
pub(in crate::http) struct List<T>(PhantomData<T>);

impl<T: ToSchema> PartialSchema for List<T> {
    fn schema() -> RefOr<Schema> {
        Array::new(Ref::from_schema_name(T::name())).into()
    }
}

impl<T: PartialSchema> IntoResponses for Json<T> {
    fn responses() -> Responses {
        ok(json::<T>())
    }
}

impl<T: PartialSchema> IntoResponses for At<T> {
    fn responses() -> Responses {
        ok(about_state(json::<T>()))
    }
}

impl<T: PartialSchema> IntoResponses for Page<T> {
    fn responses() -> Responses {
        let token = Header::new(String::schema());
        ok(about_state(json::<T>()).header("X-Nomad-Nexttoken", token))
    }
}

impl IntoResponses for Done {
    fn responses() -> Responses {
        ok(about_state(ResponseBuilder::new()))
    }
}

impl IntoResponses for Changed {
    fn responses() -> Responses {
        ok(about_change(ResponseBuilder::new()))
    }
}

impl<T: PartialSchema> IntoResponses for Made<T> {
    fn responses() -> Responses {
        ok(about_change(json::<T>()))
    }
}

/// With the index of a change.
fn about_change(response: ResponseBuilder) -> ResponseBuilder {
    response.header("X-Nomad-Index", Header::new(u64::schema()))
}

fn ok(response: ResponseBuilder) -> Responses {
    BTreeMap::from([("200".to_owned(), response.build().into())])
}

fn json<T: PartialSchema>() -> ResponseBuilder {
    ResponseBuilder::new().content("application/json", Content::new(Some(T::schema())))
}

/// With Nomad's three headers.
pub(super) fn about_state(response: ResponseBuilder) -> ResponseBuilder {
    response
        .header("X-Nomad-Index", Header::new(u64::schema()))
        .header("X-Nomad-Lastcontact", Header::new(u64::schema()))
        .header("X-Nomad-Knownleader", Header::new(bool::schema()))
}
