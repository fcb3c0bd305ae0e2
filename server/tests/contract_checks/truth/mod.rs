//! Check 3, truth: a real client, a real socket, and a server that misbehaves in one way at a time.
mod answers;
mod flow;
mod requests;

use super::document;
use axum::{
    Extension, Router,
    body::Body,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::StreamExt;
use reqwest::{Method, RequestBuilder};
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
        - { name: stale, in: query, schema: { type: boolean } }
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
        saddlebag_client::http()
            .build()
            .unwrap()
            .request(method, format!("{}{path}", self.url))
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
async fn registered(body: impl Into<reqwest::Body>) -> Vec<String> {
    let server = Server::answering(|| Extension(PUT)).await;
    let request = server.request(Method::PUT, "/v1/volume/db");
    request.body(body).send().await.unwrap();
    server.violations()
}
