//! Answers that the document does not tell are told of.
use super::*;

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
        [r#"get_volume: response 200 application/json / Id: "db" is not allowed here"#]
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
