//! From a request to its response.

use super::admission::admit;
use super::contract::swagger;
use super::contract::truth::{self, OnViolation, Routed as Answered, Truth};
use super::dispatch::dispatch;
use super::edge::{
    self, Asked, ClientAddress, Guard, Interference, Params, Query, Refusal, Route, Routed, Router,
};
use super::limits::Limits;
use super::line::Line;
use super::record::Record;
use super::reply::{self, Refused};
use crate::acl::{Caller, on_behalf_of};
use crate::control::ControlPlane;
use crate::crash::{self, Point};
use crate::crowd::{Crowd, Place};
use crate::error::{Fault, StatusStyle};
use crate::testing::{Outcome, Struck};
use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{self, HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use bytes::Bytes;
use futures::FutureExt;
use saddlebag_client::operations::Operation;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::Deref;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use tower::{Layer as _, Service, ServiceExt, service_fn};

/// The tag of the operations that only a server for tests has.
const TESTING: &str = "testing";

/// How a server answers.
pub struct Settings {
    /// Which statuses failures are answered with.
    pub status: StatusStyle,
    /// The region's name.
    pub region: String,
    /// The names, besides `localhost` and addresses, by which browsers may call this server.
    pub host_names: Vec<String>,
    /// The address that `/v1/status/leader` answers.
    pub address: String,
    /// Whether requests are answered over TLS.
    pub tls: bool,
    /// What bounds a request's body.
    pub body: edge::body::Limits,
    /// The largest URL with headers, in bytes.
    pub head_bytes: usize,
    /// What bounds a request otherwise.
    pub limits: Limits,
    /// Checks every request and answer against the document and tells what is off.
    pub truth: Option<(Arc<Truth>, OnViolation)>,
}

/// Everything that stands before the handlers.
pub struct Front {
    cp: ControlPlane,
    router: Router<Operation>,
    guard: Guard,
    settings: Settings,
    blocked: Crowd<IpAddr>,
}

/// A request for an operation.
pub(super) struct Request<'r> {
    pub operation: Operation,
    pub settings: &'r Settings,
    pub params: &'r Params<'r, 'r>,
    pub query: &'r Query<'r>,
    pub headers: &'r HeaderMap,
    /// The address that it came from.
    pub client: IpAddr,
    /// What the audit log is told of it.
    pub record: &'r Record,
    body: &'r Result<Bytes, Refusal>,
    blocked: &'r Crowd<IpAddr>,
}

/// A request as a handler sees it, of somebody who may make it.
pub(super) struct Asking<'r> {
    request: Request<'r>,
    /// Who asks.
    pub caller: Caller,
}

impl<'r> Deref for Asking<'r> {
    type Target = Request<'r>;

    fn deref(&self) -> &Request<'r> {
        &self.request
    }
}

impl Request<'_> {
    /// A part of the path; empty where the path leaves it out.
    pub fn param(&self, name: &str) -> &str {
        self.params.get(name).unwrap_or_default()
    }

    /// A place among the blocked queries. The error: there is none left.
    pub fn block(&self) -> Result<Place<IpAddr>, Fault> {
        let limits = &self.settings.limits;
        let place = self.blocked.admit(self.client, limits.most_blocked());
        place.map_err(|full| limits.too_many_blocked(full))
    }

    /// The whole body. Why there is none concerns only who asks for it.
    pub fn body(&self) -> Result<&Bytes, Refusal> {
        self.body.as_ref().map_err(Refusal::clone)
    }
}

impl Front {
    /// A front for every operation of the document.
    pub fn new(cp: ControlPlane, settings: Settings) -> Result<Self, String> {
        let route = |operation: &Operation| {
            Ok(Route {
                method: Method::from_bytes(operation.method().as_bytes())
                    .map_err(|error| error.to_string())?,
                template: operation.path().to_owned(),
                value: *operation,
            })
        };
        let routes = Operation::ALL
            .iter()
            .filter(|operation| cp.testing.is_some() || operation.tag() != TESTING)
            .map(route)
            .collect::<Result<Vec<_>, String>>()?;
        Ok(Self {
            router: Router::new(routes).map_err(|clash| clash.to_string())?,
            guard: Guard::new(settings.host_names.iter().map(String::as_str)),
            cp,
            settings,
            blocked: Crowd::default(),
        })
    }

    /// The front as a service for a listener.
    pub fn into_service(
        self,
    ) -> impl Service<
        http::Request<Body>,
        Response = Response<Body>,
        Error = Infallible,
        Future: Send + 'static,
    > + Clone
    + Send
    + 'static {
        let front = Arc::new(self);
        service_fn(move |request| {
            let front = Arc::clone(&front);
            async move { Ok(front.respond(request).await) }
        })
    }

    /// Answers a request: by a page of Swagger UI, or else by the document's routes, judged by the document
    /// before the answer is compressed.
    pub async fn respond(self: Arc<Self>, request: http::Request<Body>) -> Response<Body> {
        let line = Line::of(&request);
        let asked = Asked::of(request.headers(), &Query::parse(request.uri().query()));
        let response = match (self.page(&request), &self.settings.truth) {
            (Some(page), _) => page,
            (None, None) => self.answer(request).await,
            (None, Some(truth)) => Box::pin(Arc::clone(&self).judged(truth, request)).await,
        };
        if let Some(line) = line {
            line.end(&response);
        }
        let mut response = edge::finish(response, asked).await;
        if self.cp.clock.stands() {
            let now = self.cp.clock.now().strftime("%a, %d %b %Y %H:%M:%S GMT");
            if let Ok(date) = HeaderValue::from_str(&now.to_string()) {
                response.headers_mut().insert(header::DATE, date);
            }
        }
        response
    }

    /// Answers a request, and has the document judge both.
    async fn judged(
        self: Arc<Self>,
        (truth, on_violation): &(Arc<Truth>, OnViolation),
        request: http::Request<Body>,
    ) -> Response<Body> {
        let judge = truth::layer(Arc::clone(truth), Arc::clone(on_violation));
        let routes = service_fn(move |request| {
            let front = Arc::clone(&self);
            async move { Ok::<_, Infallible>(front.answer(request).await) }
        });
        match judge.layer(routes).oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    /// A page of Swagger UI, for whoever may ask.
    fn page(&self, request: &http::Request<Body>) -> Option<Response<Body>> {
        let path = request.uri().path();
        if *request.method() != Method::GET || !path.starts_with("/docs") {
            return None;
        }
        let page = swagger::answer(path)?;
        let answer = match self.guard.admit(request.uri(), request.headers()) {
            Err(refusal) if !self.cp.acl_enabled => self.refuse(request.headers(), refusal.into()),
            _ => reply::page(page),
        };
        Some(edge::plain(answer))
    }

    async fn answer(&self, request: http::Request<Body>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let parts = edge::detached(parts);
        let record = Record::begin(&self.cp, &parts);
        let query = Query::parse(parts.uri.query());
        let body = edge::body::read(body, self.settings.body).await;
        // What is left of a body would be taken for the next request.
        let is_last = body.is_err();
        let body = body.and_then(|body| {
            edge::json::check_depth(&body, self.settings.limits.json_depth).map(|()| body)
        });
        let answered = self.route(&parts, &query, &body, &record);
        // A defect in a handler ends its request, not the connection's other requests.
        let (operation, answer) = AssertUnwindSafe(answered)
            .catch_unwind()
            .await
            .unwrap_or_else(|_| {
                tracing::error!(path = parts.uri.path(), "a request met a defect");
                (None, self.refuse(&parts.headers, Fault::Internal.into()))
            });
        let recorded = record.complete(answer.status.as_u16()).await;
        let answer = match recorded {
            Ok(()) => answer,
            Err(fault) => self.refuse(&parts.headers, fault.into()),
        };
        let mut response = edge::plain(answer);
        if is_last {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(header::CONNECTION, close);
        }
        if let Some(operation) = operation {
            crash::pass(Point::BeforeReply(operation));
            response.extensions_mut().insert(Answered::from(operation));
        }
        response
    }

    async fn route(
        &self,
        parts: &Parts,
        query: &Query<'_>,
        body: &Result<Bytes, Refusal>,
        record: &Record,
    ) -> (Option<Operation>, edge::Answer) {
        let (method, uri, headers) = (&parts.method, &parts.uri, &parts.headers);
        let limits = &self.settings.limits;
        if let Err(refusal) = limits.check_head(uri, headers, self.settings.head_bytes) {
            return (None, self.refuse(headers, refusal.into()));
        }
        if !self.cp.acl_enabled
            && let Err(refusal) = self.guard.admit(uri, headers)
        {
            return (None, self.refuse(headers, refusal.into()));
        }
        let unrouted = |fault: Fault| (None, self.refuse(headers, fault.into()));
        match self.router.route(method, uri.path(), uri.query()) {
            Routed::Found { value, params } => {
                let operation = *value;
                let request = Request {
                    operation,
                    settings: &self.settings,
                    params: &params,
                    query,
                    headers,
                    client: client(parts),
                    record,
                    body,
                    blocked: &self.blocked,
                };
                record.asked(&self.cp, &request);
                // A web page has no token, and nobody needs one for this.
                let needs_no_token = operation.tag() == TESTING
                    || matches!(
                        operation,
                        Operation::BootstrapAcl | Operation::BootstrapAclByPost
                    );
                if needs_no_token && let Err(refusal) = self.guard.admit(uri, headers) {
                    return (Some(operation), self.refuse(headers, refusal.into()));
                }
                let answering = async {
                    let answered = self.handle(request).await;
                    answered.unwrap_or_else(|refused| self.refuse(headers, refused))
                };
                let faults = self.cp.testing.as_ref().map(|testing| &testing.faults);
                let (volume, plugin) = (params.get("volume_id"), params.get("plugin_id"));
                let struck = faults.and_then(|it| it.strike_request(operation, volume, plugin));
                let answer = match struck {
                    Some(struck) => self.strike(headers, struck, answering).await,
                    None => answering.await,
                };
                (Some(operation), answer)
            }
            Routed::Redirect(redirect) => (None, redirect.answer(method)),
            Routed::NotFound { text: "" } => (None, edge::Answer::empty(StatusCode::NOT_FOUND)),
            Routed::NotFound { text } => unrouted(Fault::NoSuchRoute(text.to_owned())),
            Routed::MethodNotAllowed { allow } => {
                let (operation, mut answer) = unrouted(Fault::MethodNotAllowed);
                let allow: Vec<&str> = allow.iter().map(Method::as_str).collect();
                if let Ok(allow) = HeaderValue::from_str(&allow.join(", ")) {
                    answer.headers.insert(header::ALLOW, allow);
                }
                (operation, answer)
            }
            Routed::Malformed(refusal) => (None, self.refuse(headers, refusal.into())),
        }
    }

    /// What a request comes to that was struck by a fault.
    async fn strike(
        &self,
        headers: &HeaderMap,
        struck: Struck<Outcome>,
        answering: impl Future<Output = edge::Answer>,
    ) -> edge::Answer {
        let mut answering = Box::pin(answering);
        let answer = match struck.after_work {
            true => Some(answering.as_mut().await),
            false => None,
        };
        struck.hold().await;
        match struck.outcome {
            None => match answer {
                Some(answer) => answer,
                None => answering.await,
            },
            Some(Outcome::Status(status)) => {
                let message = struck.message;
                let fault = Fault::Injected { status, message };
                edge::Answer {
                    interference: Some(Interference::Replaced),
                    ..self.refuse(headers, fault.into())
                }
            }
            Some(Outcome::Drop) => edge::Answer {
                interference: Some(Interference::Dropped),
                ..edge::Answer::empty(StatusCode::OK)
            },
        }
    }

    async fn handle(&self, request: Request<'_>) -> reply::Reply {
        let operation = request.operation;
        let caller = admit(&self.cp, operation, &request)?;
        request.record.received().await?;
        let asking = Asking { request, caller };
        on_behalf_of(&asking.caller, dispatch(&self.cp, operation, &asking)).await
    }

    fn refuse(&self, headers: &HeaderMap, refused: Refused) -> edge::Answer {
        let json = edge::wants_json(headers.get(header::ACCEPT));
        reply::refusal(refused, self.settings.status, json)
    }
}

/// The address that a request came from; none of a machine's, where nobody listens.
pub(super) fn client(parts: &Parts) -> IpAddr {
    let known = parts.extensions.get::<ClientAddress>();
    known.map_or(Ipv4Addr::UNSPECIFIED.into(), |client| client.0)
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        let message = refusal.message.into_owned();
        match refusal.reason {
            edge::Reason::Malformed => Fault::Malformed(message),
            edge::Reason::NullSnapshot => Fault::NullSnapshot,
            edge::Reason::UnknownRegion => Fault::UnknownRegion,
            edge::Reason::ForeignOrigin => Fault::ForeignOrigin(message),
            edge::Reason::NotFound => Fault::NoSuchRoute(message),
            edge::Reason::MethodNotAllowed => Fault::MethodNotAllowed,
            edge::Reason::BodyTooSlow => Fault::BodyTooSlow(message),
            edge::Reason::BodyTooLarge => Fault::BodyTooLarge(message),
            edge::Reason::UrlTooLong => Fault::UrlTooLong(message),
            edge::Reason::HeadTooLarge => Fault::HeadTooLarge(message),
        }
    }
}
