//! The layer changes nothing, delays nothing, and tells in time.
use super::*;

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
