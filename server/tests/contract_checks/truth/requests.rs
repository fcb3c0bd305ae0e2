//! Requests that should have been refused, and were not, are told of; secrets are not.
use super::*;

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
        accepted("/v1/volume/db?node=a&stale=t", |request| request).await,
        [""; 0]
    );
    assert_eq!(
        accepted("/v1/volume/db?node=a&stale=yes", |request| request)
            .await
            .len(),
        1
    );
    for number in ["7", "+7", "007"] {
        let target = format!("/v1/volume/db?node=a&per_page={number}");
        assert_eq!(accepted(&target, |request| request).await, [""; 0]);
    }
    assert_eq!(
        registered(r#"{"id":"db","Unknown":1} trailing"#).await,
        [""; 0]
    );
    assert_eq!(
        registered(b"{\"id\":\"db\",\"name\":\"\xff\"}".to_vec()).await,
        [""; 0]
    );
    for null in ["null", "null}]trailing"] {
        assert_eq!(
            registered(null).await,
            [
                r#"register_volume: request body: accepted invalid input: "id" is a required property"#
            ]
        );
    }
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
