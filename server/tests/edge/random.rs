//! Whatever a client sends ends in a value or in a refusal of the 400s.

use crate::routes::router;
use axum::http::{HeaderMap, HeaderValue, Method, Uri};
use proptest::prelude::*;
use saddlebag::http::{
    edge::{
        Guard, Query, ReadOptions, Refusal, Routed, WriteOptions,
        credentials::{ClientToken, header_secrets},
        options, spelling, wants_json,
    },
    request::{SnapshotsRequest, VolumesRequest},
};

/// A refusal is the client's fault and says something.
fn check<T>(result: Result<T, Refusal>) -> Result<(), TestCaseError> {
    if let Err(refusal) = result {
        prop_assert!(refusal.status().is_client_error(), "{refusal:?}");
        prop_assert!(!refusal.message.is_empty());
    }
    Ok(())
}

/// Bytes that are often nearly a request.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just("{\"Volumes\":[".to_owned()),
        Just("\"Secrets\":".to_owned()),
        Just("\"Topologies\":[null,{\"a\":".to_owned()),
        Just("\"RequestedCapacityMin\":".to_owned()),
        Just("\"ID\":\"\\ud800".to_owned()),
        "[\\[\\]{}\",:0-9eE.+a-z\\\\u-]{0,12}",
        any::<String>(),
    ];
    prop_oneof![
        any::<Vec<u8>>(),
        prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat().into_bytes()),
    ]
}

/// A path that is often nearly one of ours.
fn path() -> impl Strategy<Value = String> {
    let segment = prop_oneof![
        prop::sample::select(vec![
            "v1", "volume", "volumes", "csi", "plugin", "create", "snapshot", "job", "docs", "",
            ".", "..", "%2F", "%", "%ff", "[0]",
        ])
        .prop_map(str::to_owned),
        any::<String>(),
    ];
    prop::collection::vec(segment, 0..7).prop_map(|segments| format!("/{}", segments.join("/")))
}

proptest! {
    #[test]
    fn any_body_is_read_or_refused(body in body()) {
        check(VolumesRequest::decode(&body))?;
        check(SnapshotsRequest::decode(&body))?;
    }

    #[test]
    fn any_path_leads_somewhere(path in prop_oneof![path(), any::<String>()], query in any::<Option<String>>(), method in "[A-Z]{1,7}") {
        let router = router();
        let method: Method = method.parse().unwrap();
        match router.route(&method, &path, query.as_deref()) {
            Routed::Redirect(redirect) => {
                let location = redirect.location();
                prop_assert!(location.starts_with('/') && !location.starts_with("//"), "{location}");
                prop_assert!(location.is_ascii() && !location.contains(['\\', '"', '<', '>']), "{location}");
                prop_assert!(redirect.answer(&method).headers.contains_key("location"));
            }
            Routed::Malformed(refusal) => check::<()>(Err(refusal))?,
            Routed::Found { params, .. } => prop_assert!(params.iter().count() <= 2),
            Routed::NotFound { .. } | Routed::MethodNotAllowed { .. } => {}
        }
    }

    #[test]
    fn a_redirect_leads_to_no_other_redirect_of_its_kind(path in path()) {
        let router = router();
        if let Routed::Redirect(redirect) = router.route(&Method::GET, &path, None) {
            let location = redirect.location();
            let again = router.route(&Method::GET, location, None);
            prop_assert!(location == "/" || !matches!(again, Routed::Redirect(_)), "{path} {location}");
        }
    }

    #[test]
    fn any_query_is_read_or_refused(query in prop_oneof!["((wait|index|stale|force|per_page)=[-+0-9a-zµ.%;&]{0,9}&?){0,4}", any::<String>()]) {
        let query = Query::parse(Some(&query));
        check(ReadOptions::read(&query, "global"))?;
        check(WriteOptions::read(&query, "global"))?;
        check(options::force(&query))?;
    }

    #[test]
    fn any_header_is_read_or_refused(value in any::<Vec<u8>>()) {
        let Ok(value) = HeaderValue::from_bytes(&value) else {
            return Ok(());
        };
        let mut headers = HeaderMap::new();
        for name in ["x-nomad-token", "authorization", "x-nomad-csi-secrets", "host"] {
            headers.insert(name, value.clone());
        }
        let _ = ClientToken::of(&headers);
        let _ = wants_json(Some(&value));
        for (key, value) in header_secrets(&headers).iter() {
            prop_assert!(!key.contains(['=', ',']) && !value.expose().contains(','));
        }
        check(Guard::default().admit(&Uri::from_static("/"), &headers))?;
    }

    #[test]
    fn a_duration_of_whole_units_is_their_sum(hours in 0i64..1000, minutes in 0i64..1000, millis in 0i64..100_000) {
        let text = format!("{hours}h{minutes}m{millis}ms");
        let expected = ((hours * 60 + minutes) * 60_000 + millis) * 1_000_000;
        prop_assert_eq!(spelling::duration(&text), Some(expected));
    }
}
