//! Check 3, truth: a real client, a real socket, and a server that misbehaves in one way at a time.
use super::document;
use axum::{
    Extension, Router,
    body::Body,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::StreamExt;
use reqwest::{Client, Method, RequestBuilder};
use saddlebag::http::contract::truth::{BODY_BOUND, Ledger, Routed, Truth, layer};
use serde_json::json;
use std::sync::Arc;
use tokio::net::TcpListener;

const DOCUMENT: &str = r##"
openapi: 3.0.3
paths:
  /v1/volume/{id}:
    parameters:
      - { name: id, in: path, required: true, schema: { type: string, maxLength: 8 } }
    get:
      operationId: get_volume
      parameters:
        - { name: node, in: query, required: true, schema: { type: string } }
        - { name: per_page, in: query, schema: { type: integer, format: int32 } }
        - { name: index, in: query, allowEmptyValue: true, schema: { type: integer } }
        - { name: X-Nomad-CSI-Secrets, in: header, schema: { type: string, pattern: "=" } }
      responses:
        "200":
          description: the volume
          headers:
            X-Nomad-Index: { required: true, schema: { type: integer, format: uint64 } }
            X-Nomad-Knownleader: { schema: { type: boolean } }
          content: { application/json: { schema: { $ref: "#/components/schemas/Volume" } } }
        "400": { description: no, content: { text/plain: { schema: { type: string } } } }
    put:
      operationId: register_volume
      requestBody:
        required: true
        content: { application/json: { schema: { $ref: "#/components/schemas/Volume" } } }
      responses:
        "200": { description: done }
        "400": { description: no, content: { text/plain: { schema: { type: string } } } }
components:
  schemas:
    Volume:
      type: object
      required: [ID]
      properties:
        ID: { type: string }
        Secrets: { type: object, nullable: true, additionalProperties: { type: string } }
"##;

const GET: Routed = Routed {
    method: "GET",
    path: "/v1/volume/{id}",
};
const PUT: Routed = Routed {
    method: "PUT",
    path: "/v1/volume/{id}",
};

/// A server that gives one answer to everything, judged by the document.
struct Server {
    url: String,
    ledger: Ledger,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    async fn answering<A, R>(answer: A) -> Self
    where
        A: Fn() -> R + Clone + Send + Sync + 'static,
        R: IntoResponse,
    {
        let ledger = Ledger::default();
        let truth = Arc::new(Truth::new(document(DOCUMENT)));
        let app = Router::new()
            // Taking the body reads it to its end, as handlers do.
            .fallback(move |_: Bytes| async move { answer().into_response() })
            .layer(layer(truth, ledger.recorder()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, ledger, task }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        Client::new().request(method, format!("{}{path}", self.url))
    }

    fn violations(&self) -> Vec<String> {
        self.ledger.take().iter().map(ToString::to_string).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
        self.ledger.settle();
    }
}

fn volume() -> Response {
    json_answer(&json!({ "ID": "db", "Secrets": null }).to_string())
}

fn json_answer(body: &str) -> Response {
    let headers = [("content-type", "application/json"), ("x-nomad-index", "7")];
    (Extension(GET), headers, body.to_owned()).into_response()
}

/// What the layer says when a good request gets this answer.
async fn answered<R: IntoResponse>(
    answer: impl Fn() -> R + Clone + Send + Sync + 'static,
) -> Vec<String> {
    let server = Server::answering(answer).await;
    let request = server.request(Method::GET, "/v1/volume/db?node=a");
    request.send().await.unwrap().bytes().await.unwrap();
    server.violations()
}

/// What the layer says when this request to read a volume is answered 200.
async fn accepted(path: &str, change: impl Fn(RequestBuilder) -> RequestBuilder) -> Vec<String> {
    let server = Server::answering(volume).await;
    let request = change(server.request(Method::GET, path));
    request.send().await.unwrap().bytes().await.unwrap();
    server.violations()
}

/// What the layer says when this body to register a volume is answered 200.
async fn registered(body: &str) -> Vec<String> {
    let server = Server::answering(|| Extension(PUT)).await;
    let request = server.request(Method::PUT, "/v1/volume/db");
    request.body(body.to_owned()).send().await.unwrap();
    server.violations()
}

#[tokio::test]
async fn a_true_exchange_is_no_violation_and_passes_unchanged() {
    let server = Server::answering(volume).await;
    let request = server.request(Method::GET, "/v1/volume/db?node=a&per_page=5&index=");
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["content-length"], "26");
    assert_eq!(
        response.text().await.unwrap(),
        r#"{"ID":"db","Secrets":null}"#
    );
    assert_eq!(server.violations(), [""; 0]);
}

#[tokio::test]
async fn an_undocumented_status_is_told() {
    let violations = answered(|| (StatusCode::IM_A_TEAPOT, Extension(GET))).await;
    assert_eq!(
        violations,
        ["get_volume: response 418: the document has no such status"]
    );
}

#[tokio::test]
async fn an_undocumented_content_type_is_told() {
    let html = || {
        (
            StatusCode::BAD_REQUEST,
            Extension(GET),
            axum::response::Html("no"),
        )
    };
    assert_eq!(
        answered(html).await,
        ["get_volume: response 400: content type text/html is not documented"]
    );
    let bare = || (StatusCode::BAD_REQUEST, Extension(GET));
    assert_eq!(
        answered(bare).await,
        ["get_volume: response 400: no content type where text/plain is due"]
    );
    let text = || (StatusCode::BAD_REQUEST, Extension(GET), "no");
    assert_eq!(
        answered(text).await,
        [""; 0],
        "parameters of a content type do not count"
    );
}

#[tokio::test]
async fn a_body_off_its_schema_is_told() {
    assert_eq!(
        answered(|| json_answer(r#"{"ID":5}"#)).await,
        [r#"get_volume: response 200 application/json / ID: 5 is not of type "string""#]
    );
    assert_eq!(
        answered(|| json_answer("{}")).await,
        [r#"get_volume: response 200 application/json: "ID" is a required property"#]
    );
    assert_eq!(
        answered(|| json_answer(r#"{"ID":"db","Id":"db"}"#)).await,
        ["get_volume: response 200 application/json: \
          Unevaluated properties are not allowed ('Id' was unexpected)"]
    );
    let broken = answered(|| json_answer("{")).await;
    assert!(broken[0].starts_with("get_volume: response 200 application/json: it is no JSON"));
}

#[tokio::test]
async fn a_body_where_none_is_documented_is_told() {
    let server = Server::answering(|| (Extension(PUT), Body::from("done"))).await;
    let request = server
        .request(Method::PUT, "/v1/volume/db")
        .body(r#"{"ID":"db"}"#);
    request.send().await.unwrap().bytes().await.unwrap();
    assert_eq!(
        server.violations(),
        ["register_volume: response 200: it has a body where the document has none"]
    );
}

#[tokio::test]
async fn a_missing_or_mistyped_header_is_told() {
    let without = || {
        let mut response = volume();
        response.headers_mut().remove("x-nomad-index");
        response
    };
    assert_eq!(
        answered(without).await,
        ["get_volume: response 200 header X-Nomad-Index: it is required and was not sent"]
    );
    let mistyped = || ([("x-nomad-knownleader", "maybe")], volume());
    assert_eq!(
        answered(mistyped).await,
        [
            r#"get_volume: response 200 header X-Nomad-Knownleader: "maybe" is not what {"type":"boolean"} demands"#
        ]
    );
}

#[tokio::test]
async fn an_encoded_body_is_told_because_nobody_read_it() {
    let violations = answered(|| ([(header::CONTENT_ENCODING, "gzip")], volume())).await;
    assert_eq!(
        violations,
        [r#"get_volume: response 200: cannot read "gzip": check inside of what encodes bodies"#]
    );
}

#[tokio::test]
async fn accepting_a_wrong_parameter_is_told() {
    assert_eq!(
        accepted("/v1/volume/db", |request| request).await,
        ["get_volume: request query node: accepted invalid input: it is required and was not sent"]
    );
    assert_eq!(
        accepted("/v1/volume/db?node=a&per_page=ten", |request| request).await,
        [
            r#"get_volume: request query per_page: accepted invalid input: "ten" is not what {"maximum":2147483647,"minimum":-2147483648,"type":"integer"} demands"#
        ]
    );
    assert_eq!(
        accepted("/v1/volume/database%31?node=a", |request| request).await,
        [
            r#"get_volume: request path id: accepted invalid input: "database1" is not what {"maxLength":8,"type":"string"} demands"#
        ]
    );
}

#[tokio::test]
async fn accepting_a_wrong_body_is_told() {
    let place = "register_volume: request body";
    assert_eq!(registered(r#"{"ID":"db"}"#).await, [""; 0]);
    assert_eq!(
        registered(r#"{"ID":5}"#).await,
        [format!(
            r#"{place} / id: accepted invalid input: 5 is not of type "string""#
        )]
    );
    assert_eq!(
        registered("").await,
        [format!(
            "{place}: accepted invalid input: it is required and was not sent"
        )]
    );
    assert_eq!(
        registered("nonsense").await,
        [format!("{place}: accepted invalid input: it is no JSON")]
    );
}

#[tokio::test]
async fn requests_are_read_as_nomad_reads_them() {
    assert_eq!(
        registered(r#"{"id":"db","Unknown":1} trailing"#).await,
        [""; 0]
    );
}

#[tokio::test]
async fn refusing_a_wrong_request_is_right() {
    let server = Server::answering(|| (StatusCode::BAD_REQUEST, Extension(PUT), "no")).await;
    let request = server
        .request(Method::PUT, "/v1/volume/db")
        .body("nonsense");
    request.send().await.unwrap().bytes().await.unwrap();
    assert_eq!(server.violations(), [""; 0]);
}

#[tokio::test]
async fn secrets_and_tokens_are_never_told() {
    let header = accepted("/v1/volume/db?node=a", |request| {
        request.header("X-Nomad-CSI-Secrets", "hunter2")
    })
    .await;
    assert_eq!(
        header,
        [
            r#"get_volume: request header X-Nomad-CSI-Secrets: accepted invalid input: (hidden) is not what {"pattern":"=","type":"string"} demands"#
        ]
    );
    let sent = registered(r#"{"ID":"db","Secrets":{"key":["hunter2"]}}"#).await;
    assert_eq!(
        sent,
        [
            r#"register_volume: request body / secrets / key: accepted invalid input: (hidden) is not of type "string""#
        ]
    );
    let answer = answered(|| json_answer(r#"[{"Secrets":"hunter2"}]"#))
        .await
        .join("");
    assert!(
        answer.contains("(hidden)") && !answer.contains("hunter2"),
        "{answer}"
    );
}

#[tokio::test]
async fn what_no_operation_answered_is_not_found_or_not_allowed() {
    assert_eq!(answered(|| StatusCode::NOT_FOUND).await, [""; 0]);
    assert_eq!(answered(|| StatusCode::METHOD_NOT_ALLOWED).await, [""; 0]);
    assert_eq!(
        answered(|| "hello").await,
        ["GET /v1/volume/db: response 200: answered by no operation of the document"]
    );
}

#[tokio::test]
async fn an_operation_that_the_document_lacks_is_told() {
    let routed = Routed {
        method: "GET",
        path: "/v1/gone",
    };
    let violations = answered(move || (Extension(routed), "hello")).await;
    assert_eq!(
        violations[0],
        "GET /v1/gone: operation: the document has no such operation"
    );
}

#[tokio::test]
async fn a_stream_flows_and_its_head_is_judged() {
    let endless = || {
        let first = futures::stream::iter([Ok::<_, std::io::Error>("first")]);
        let body = Body::from_stream(first.chain(futures::stream::pending()));
        (
            Extension(GET),
            [("content-type", "application/x-ndjson")],
            body,
        )
    };
    let server = Server::answering(endless).await;
    let request = server.request(Method::GET, "/v1/volume/db?node=a");
    let mut response = request.send().await.unwrap();
    assert_eq!(response.chunk().await.unwrap().unwrap(), "first");
    assert_eq!(
        server.violations(),
        [
            "get_volume: response 200: content type application/x-ndjson is not documented",
            "get_volume: response 200 header X-Nomad-Index: it is required and was not sent",
        ]
    );
}

#[tokio::test]
async fn a_body_in_many_pieces_is_judged_before_its_last_one_arrives() {
    let pieces = || {
        let pieces = [r#"{"ID""#, ":", "5}"].map(Ok::<_, std::io::Error>);
        let headers = [("content-type", "application/json"), ("x-nomad-index", "7")];
        (
            Extension(GET),
            headers,
            Body::from_stream(futures::stream::iter(pieces)),
        )
    };
    assert_eq!(
        answered(pieces).await,
        [r#"get_volume: response 200 application/json / ID: 5 is not of type "string""#]
    );
}

#[tokio::test]
async fn a_body_beyond_the_bound_passes_whole_and_unjudged() {
    let server = Server::answering(|| json_answer(&"x".repeat(BODY_BOUND + 1))).await;
    let request = server.request(Method::GET, "/v1/volume/db?node=a");
    let body = request.send().await.unwrap().bytes().await.unwrap();
    assert_eq!(body.len(), BODY_BOUND + 1);
    assert_eq!(server.violations(), [""; 0]);
}

#[tokio::test]
async fn a_test_that_saw_violations_fails_at_its_end() {
    let server = Server::answering(|| StatusCode::IM_A_TEAPOT).await;
    let request = server.request(Method::GET, "/v1/volume/db?node=a");
    request.send().await.unwrap();
    let end = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || drop(server)));
    let message = *end.unwrap_err().downcast::<String>().unwrap();
    assert_eq!(
        message,
        "the wire broke the document:\n\
         GET /v1/volume/db: response 418: answered by no operation of the document"
    );
}
