//! Letting go of a connection's buffer.

use super::Query;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Uri};

/// A request's head, in memory of its own if the request is going to wait for an index: as it was read, it
/// keeps all of the connection's buffer, which is many times as large.
pub fn detached(mut head: Parts) -> Parts {
    if Query::parse(head.uri.query()).filled("index").is_none() {
        return head;
    }
    if let Ok(uri) = Uri::try_from(head.uri.to_string()) {
        head.uri = uri;
    }
    for value in head.headers.values_mut() {
        if let Ok(mut own) = HeaderValue::from_bytes(value.as_bytes()) {
            own.set_sensitive(value.is_sensitive());
            *value = own;
        }
    }
    head
}

#[cfg(test)]
mod tests {
    use super::detached;
    use axum::http::Request;

    #[test]
    fn a_head_says_the_same_afterwards() {
        for uri in [
            "/v1/volume/csi/a%20b?index=7&wait=5m&namespace=%2A",
            "http://127.0.0.1:4646/v1/volumes?type=csi&index=7",
            "/v1/volumes?type=csi",
        ] {
            let asked = Request::get(uri)
                .header("host", "127.0.0.1")
                .header("accept", "a")
                .header("accept", "b")
                .header("x-nomad-token", &[0xe9_u8][..])
                .body(());
            let (head, ()) = asked.unwrap().into_parts();
            let own = detached(head.clone());
            assert_eq!(own.method, head.method);
            assert_eq!(own.uri, head.uri);
            assert_eq!(own.headers, head.headers);
        }
    }
}
