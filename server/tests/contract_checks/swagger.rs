//! Swagger UI and the document, over a real socket: all there, all ours.
use super::document;
use axum::{
    Router,
    http::{StatusCode, Uri},
    response::{IntoResponse, Redirect, Response},
};
use regex::Regex;
use saddlebag::http::contract::{
    document::Document,
    swagger::{Answer, answer, untryable},
};
use tokio::net::TcpListener;

async fn page(uri: Uri) -> Response {
    match answer(uri.path()) {
        Some(Answer::Page {
            content_type,
            bytes,
        }) => ([("content-type", content_type.into_owned())], bytes).into_response(),
        Some(Answer::Redirect(path)) => Redirect::permanent(path).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// What a server answers to this path: final path, content type, body.
async fn get(path: &str) -> (String, String, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}{path}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        axum::serve(listener, Router::new().fallback(page))
            .await
            .unwrap();
    });
    let response = saddlebag_client::http()
        .build()
        .unwrap()
        .get(url)
        .send()
        .await
        .unwrap()
        .error_for_status()
        .unwrap();
    let path = response.url().path().to_owned();
    let content_type = response.headers()["content-type"]
        .to_str()
        .unwrap()
        .to_owned();
    let body = response.bytes().await.unwrap();
    server.abort();
    (
        path,
        content_type,
        String::from_utf8_lossy(&body).into_owned(),
    )
}

#[tokio::test]
async fn docs_lead_to_a_page_whose_parts_are_all_there() {
    let (path, content_type, html) = get("/docs").await;
    assert_eq!(
        (path.as_str(), content_type.as_str()),
        ("/docs/", "text/html")
    );
    let parts: Vec<String> = Regex::new(r#"(?:src|href)="([^"]+)""#)
        .unwrap()
        .captures_iter(&html)
        .map(|found| found[1].trim_start_matches("./").to_owned())
        .collect();
    assert!(parts.len() >= 5, "{html}");
    for part in parts {
        let (_, content_type, body) = get(&format!("/docs/{part}")).await;
        let wanted = match part.rsplit('.').next() {
            Some("js") => "text/javascript",
            Some("css") => "text/css",
            _ => "image/png",
        };
        assert_eq!(content_type, wanted, "{part}");
        assert!(!body.is_empty(), "{part}");
    }
    assert_eq!(answer("/docs/no-such-part.js"), None);
    assert_eq!(answer("/v1/volumes"), None);
}

#[tokio::test]
async fn the_page_loads_our_document_and_may_try_everything_out() {
    let (.., script) = get("/docs/swagger-initializer.js").await;
    for setting in [
        r#""url": "/openapi.json""#,
        r#""tryItOutEnabled": true"#,
        r#""persistAuthorization": true"#,
        r#""validatorUrl": "none""#,
    ] {
        assert!(script.contains(setting), "{setting} in {script}");
    }
    assert!(
        !script.contains("supportedSubmitMethods"),
        "no method is left out"
    );
}

#[tokio::test]
async fn the_document_is_served_as_written_and_as_json() {
    let (_, content_type, yaml) = get("/openapi.yaml").await;
    assert_eq!(content_type, "application/yaml");
    assert_eq!(yaml, saddlebag_client::DOCUMENT);
    let (_, content_type, json) = get("/openapi.json").await;
    assert_eq!(content_type, "application/json");
    let served = Document::from_value(serde_json::from_str(&json).unwrap()).unwrap();
    assert_eq!(served.root(), document(&yaml).root());
    assert!(json.starts_with(r#"{"openapi":"#), "keys keep their order");
}

#[test]
fn every_operation_of_the_contract_can_be_tried_out() {
    assert_eq!(untryable(&document(saddlebag_client::DOCUMENT)), []);
}

#[test]
fn what_no_browser_could_send_is_named() {
    let document = document(
        "{openapi: 3.0.3, servers: [{url: /}, {url: 'http://127.0.0.1:4646'}], paths: {/v1/volumes: \
         {get: {operationId: list_volumes, responses: {}, parameters: [\
         {name: X-Nomad-CSI-Secrets, in: header}, {name: Accept, in: header}, \
         {name: Accept-Encoding, in: header}, {name: Sec-Fetch-Site, in: header}]}}}}",
    );
    let told: Vec<String> = untryable(&document)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        told,
        [
            "list_volumes: parameter header Accept: no page can send this header",
            "list_volumes: parameter header Accept-Encoding: no page can send this header",
            "list_volumes: parameter header Sec-Fetch-Site: no page can send this header",
            "servers: http://127.0.0.1:4646: the page may have come from another address: begin with `/`",
        ]
    );
}
