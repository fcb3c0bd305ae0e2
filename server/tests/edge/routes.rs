//! Paths and methods: every row of `nomad-http.md` §1.3 and §1.4, and what was recorded.

use axum::http::{Method, StatusCode};
use saddlebag::http::edge::{Route, Routed, Router};

/// The operations of the document that have a shape of their own, by name.
const OPERATIONS: &[(&str, &str, &str)] = &[
    ("GET", "/v1/plugins", "list_plugins"),
    ("GET", "/v1/plugin/csi/{plugin_id}", "read_plugin"),
    ("GET", "/v1/volumes", "list_volumes"),
    ("PUT", "/v1/volumes", "register_volumes"),
    ("POST", "/v1/volumes", "post_volumes"),
    ("GET", "/v1/volumes/external", "list_external"),
    ("GET", "/v1/volumes/snapshot", "list_snapshots"),
    ("PUT", "/v1/volumes/snapshot", "create_snapshot"),
    ("POST", "/v1/volumes/snapshot", "post_snapshot"),
    ("DELETE", "/v1/volumes/snapshot", "delete_snapshot"),
    (
        "PUT",
        "/v1/volumes/snapshot/{volume_id}",
        "snapshot_by_path",
    ),
    ("GET", "/v1/volume/csi/{volume_id}", "read"),
    ("PUT", "/v1/volume/csi/{volume_id}", "register"),
    ("DELETE", "/v1/volume/csi/{volume_id}", "deregister"),
    ("PUT", "/v1/volume/csi/{volume_id}/create", "create"),
    ("DELETE", "/v1/volume/csi/{volume_id}/delete", "delete"),
    ("DELETE", "/v1/volume/csi/{volume_id}/detach", "detach"),
    ("PUT", "/v1/volume/csi/{volume_id}/snapshot", "snapshot"),
    ("PUT", "/v1/volume/csi/{volume_id}/claim", "claim"),
    ("GET", "/v1/volume/csi/{volume_id}/claims", "list_claims"),
    (
        "GET",
        "/v1/volume/csi/{volume_id}/claim/{alloc_id}",
        "read_claim",
    ),
    (
        "DELETE",
        "/v1/volume/csi/{volume_id}/claim/{alloc_id}",
        "release_claim",
    ),
    ("GET", "/v1/csi/plugins", "draft_plugins"),
    ("GET", "/v1/csi/plugin/{plugin_id}", "draft_plugin"),
    ("GET", "/v1/job/{job_id}", "read_job"),
    (
        "GET",
        "/v1/job/{job_id}/allocations",
        "list_job_allocations",
    ),
    ("GET", "/v1/operations", "list_operations"),
    ("GET", "/v1/operation/{id}", "read_operation"),
    ("DELETE", "/v1/operation/{id}", "give_up"),
    ("PUT", "/v1/operation/{id}/retry", "retry"),
    ("GET", "/openapi.yaml", "document"),
    ("GET", "/docs/{*file}", "docs"),
];

pub fn router() -> Router<&'static str> {
    let route = |(method, template, value): &(&str, &str, &'static str)| Route {
        method: method.parse().unwrap(),
        template: (*template).to_owned(),
        value: *value,
    };
    Router::new(OPERATIONS.iter().map(route)).unwrap()
}

/// Where a request leads, in a line: `create volume_id=x`, `307 /v1/…`, `405 GET PUT`, `404 text`.
fn lead(router: &Router<&'static str>, method: &str, target: &str) -> String {
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    let method: Method = method.parse().unwrap();
    match router.route(&method, path, query) {
        Routed::Found { value, params } => {
            params.iter().fold((*value).to_owned(), |line, (k, v)| {
                format!("{line} {k}={v}")
            })
        }
        Routed::Redirect(redirect) => format!("307 {}", redirect.location()),
        Routed::NotFound { text } => format!("404 {text}").trim_end().to_owned(),
        Routed::MethodNotAllowed { allow } => allow
            .iter()
            .fold("405".to_owned(), |line, method| format!("{line} {method}")),
        Routed::Malformed(refusal) => format!("400 {refusal}"),
    }
}

fn check(table: &[(&str, &str, &str)]) {
    let router = router();
    let wrong: Vec<String> = table
        .iter()
        .map(|(method, target, expected)| (method, target, expected, lead(&router, method, target)))
        .filter(|(_, _, expected, actual)| *expected != actual)
        .map(|(method, target, expected, actual)| {
            format!("{method} {target}: expected `{expected}`, got `{actual}`")
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const NOT_FOUND: &str = "404 resource not found";

#[test]
fn the_rest_behind_a_volume_is_split_as_nomad_splits_it() {
    check(&[
        // :id, which may be empty
        ("GET", "/v1/volume/csi/x", "read volume_id=x"),
        ("PUT", "/v1/volume/csi/x", "register volume_id=x"),
        ("POST", "/v1/volume/csi/x", "405 GET PUT DELETE"),
        ("DELETE", "/v1/volume/csi/x", "deregister volume_id=x"),
        ("PATCH", "/v1/volume/csi/x", "405 GET PUT DELETE"),
        ("GET", "/v1/volume/csi/", "read volume_id="),
        ("PUT", "/v1/volume/csi/", "register volume_id="),
        ("DELETE", "/v1/volume/csi/", "deregister volume_id="),
        ("POST", "/v1/volume/csi/", "405 GET PUT DELETE"),
        // :id/create
        ("GET", "/v1/volume/csi/x/create", "405 PUT"),
        ("PUT", "/v1/volume/csi/x/create", "create volume_id=x"),
        ("POST", "/v1/volume/csi/x/create", "405 PUT"),
        ("DELETE", "/v1/volume/csi/x/create", NOT_FOUND),
        ("OPTIONS", "/v1/volume/csi/x/create", "405 PUT"),
        // :id/detach
        ("GET", "/v1/volume/csi/x/detach", "405 DELETE"),
        ("PUT", "/v1/volume/csi/x/detach", NOT_FOUND),
        ("POST", "/v1/volume/csi/x/detach", "405 DELETE"),
        (
            "DELETE",
            "/v1/volume/csi/x/detach?node=n",
            "detach volume_id=x",
        ),
        // :id/delete
        ("GET", "/v1/volume/csi/x/delete", "405 DELETE"),
        ("PUT", "/v1/volume/csi/x/delete", NOT_FOUND),
        ("POST", "/v1/volume/csi/x/delete", "405 DELETE"),
        ("DELETE", "/v1/volume/csi/x/delete", "delete volume_id=x"),
        // :id/<anything else>, also :id/
        ("GET", "/v1/volume/csi/x/y", "405"),
        ("PUT", "/v1/volume/csi/x/y", NOT_FOUND),
        ("POST", "/v1/volume/csi/x/y", "405"),
        ("DELETE", "/v1/volume/csi/x/y", NOT_FOUND),
        ("PATCH", "/v1/volume/csi/x/y", "405"),
        ("GET", "/v1/volume/csi/x/", "405"),
        ("PUT", "/v1/volume/csi/x/", NOT_FOUND),
        ("POST", "/v1/volume/csi/x/", "405"),
        ("DELETE", "/v1/volume/csi/x/", NOT_FOUND),
        // 3 and more segments
        ("GET", "/v1/volume/csi/x/y/z", NOT_FOUND),
        ("PUT", "/v1/volume/csi/x/create/", NOT_FOUND),
        ("POST", "/v1/volume/csi/x/y/z", NOT_FOUND),
        ("DELETE", "/v1/volume/csi/x/y/z/w", NOT_FOUND),
        ("HEAD", "/v1/volume/csi/x/y/z", NOT_FOUND),
        ("OPTIONS", "/v1/volume/csi/x/y/z", NOT_FOUND),
    ]);
}

#[test]
fn our_own_actions_fit_into_nomads_table() {
    check(&[
        ("PUT", "/v1/volume/csi/x/snapshot", "snapshot volume_id=x"),
        ("GET", "/v1/volume/csi/x/snapshot", "405 PUT"),
        ("DELETE", "/v1/volume/csi/x/snapshot", NOT_FOUND),
        ("GET", "/v1/volume/csi/x/claims", "list_claims volume_id=x"),
        (
            "GET",
            "/v1/volume/csi/x/claim/a",
            "read_claim volume_id=x alloc_id=a",
        ),
        (
            "DELETE",
            "/v1/volume/csi/x/claim/a",
            "release_claim volume_id=x alloc_id=a",
        ),
        ("POST", "/v1/volume/csi/x/claim/a", "405 GET DELETE"),
        ("GET", "/v1/volume/csi/x/claim/", NOT_FOUND),
        (
            "PUT",
            "/v1/volumes/snapshot/v",
            "snapshot_by_path volume_id=v",
        ),
        ("GET", "/v1/volumes/snapshot/v", "405 PUT"),
        ("GET", "/v1/operation/7", "read_operation id=7"),
        ("PUT", "/v1/operation/7", "405 GET DELETE"),
        ("PUT", "/v1/operation/7/retry", "retry id=7"),
        ("GET", "/v1/operation/", "404"),
        ("GET", "/v1/operation", "404"),
        ("GET", "/v1/csi/plugins", "draft_plugins"),
        ("GET", "/v1/job/a/b", "read_job job_id=a/b"),
        (
            "GET",
            "/v1/job/a/b/allocations",
            "list_job_allocations job_id=a/b",
        ),
        ("GET", "/v1/job/allocations", "read_job job_id=allocations"),
        ("PUT", "/v1/job/a/allocations", "405 GET"),
        ("GET", "/v1/job/a%2Fb%2f", "read_job job_id=a/b/"),
        ("GET", "/v1/job/", "read_job job_id="),
        ("GET", "/v1/job", "307 /v1/job/"),
        ("GET", "/openapi.yaml", "document"),
        ("GET", "/docs/", "docs file="),
        ("GET", "/docs/css/a.css", "docs file=css/a.css"),
        ("GET", "/docs", "307 /docs/"),
    ]);
}

#[test]
fn what_follows_a_plugins_id_is_ignored_once() {
    check(&[
        ("GET", "/v1/plugin/csi/hp0", "read_plugin plugin_id=hp0"),
        ("GET", "/v1/plugin/csi/h%70%30", "read_plugin plugin_id=hp0"),
        ("GET", "/v1/plugin/csi/", "read_plugin plugin_id="),
        ("GET", "/v1/plugin/csi/hp0/", "read_plugin plugin_id=hp0"),
        ("GET", "/v1/plugin/csi/hp0/x", "read_plugin plugin_id=hp0"),
        ("GET", "/v1/plugin/csi/hp0/x/y", NOT_FOUND),
        ("PUT", "/v1/plugin/csi/hp0", "405 GET"),
        ("POST", "/v1/plugin/csi/hp0/x", "405 GET"),
        ("DELETE", "/v1/plugin/csi/hp0/x/y", "405 GET"),
        ("HEAD", "/v1/plugin/csi/hp0", "405 GET"),
        ("OPTIONS", "/v1/plugin/csi/hp0", "405 GET"),
    ]);
}

#[test]
fn collections_know_their_methods_and_no_slash() {
    check(&[
        ("GET", "/v1/plugins?type=csi", "list_plugins"),
        ("PUT", "/v1/plugins?type=csi", "405 GET"),
        ("OPTIONS", "/v1/plugins?type=csi", "405 GET"),
        ("HEAD", "/v1/plugins", "405 GET"),
        ("POST", "/v1/volumes", "post_volumes"),
        ("DELETE", "/v1/volumes", "405 GET PUT POST"),
        ("PATCH", "/v1/volumes", "405 GET PUT POST"),
        ("OPTIONS", "/v1/volumes?type=csi", "405 GET PUT POST"),
        ("HEAD", "/v1/volumes?type=csi", "405 GET PUT POST"),
        ("HEAD", "/v1/volumes?type=", "405 GET PUT POST"),
        ("HEAD", "/v1/volumes", "list_volumes"),
        ("HEAD", "/v1/volumes?prefix=type", "list_volumes"),
        ("PUT", "/v1/volumes/external", "405 GET"),
        ("PATCH", "/v1/volumes/snapshot", "405 GET PUT POST DELETE"),
        ("GET", "/v1/volumes/", "404"),
        ("GET", "/v1/plugins/", "404"),
        ("GET", "/v1/volumes/snapshot/", "404"),
        ("GET", "/v1/nonsense", "404"),
        ("GET", "/v1", "404"),
        ("GET", "/V1/volumes", "404"),
        ("OPTIONS", "*", "404"),
        ("CONNECT", "", "404"),
    ]);
}

#[test]
fn paths_are_cleaned_by_a_redirect_that_keeps_the_query() {
    check(&[
        ("GET", "/", "307 /docs/"),
        ("GET", "/?a=b", "307 /docs/?a=b"),
        ("GET", "/v1/volume/csi", "307 /v1/volume/csi/"),
        (
            "PUT",
            "/v1/volume/csi?namespace=a",
            "307 /v1/volume/csi/?namespace=a",
        ),
        ("GET", "/v1/plugin/csi", "307 /v1/plugin/csi/"),
        ("GET", "//", "307 /"),
        ("GET", "//v1//volumes?type=csi", "307 /v1/volumes?type=csi"),
        ("GET", "/v1/volumes//", "307 /v1/volumes/"),
        ("GET", "/v1/volume/csi//create", "307 /v1/volume/csi/create"),
        ("DELETE", "/v1/volume/csi/x/../y", "307 /v1/volume/csi/y"),
        ("GET", "/v1/volume/csi/x/..", "307 /v1/volume/csi/"),
        ("GET", "/v1/./plugins", "307 /v1/plugins"),
        ("GET", "/../../etc", "307 /etc"),
        ("GET", "//evil.example/x", "307 /evil.example/x"),
        ("GET", "//\\evil.example", "307 /%5Cevil.example"),
        ("GET", "//a%2Fb\u{e9}\"<", "307 /a%2Fb%C3%A9%22%3C"),
        ("GET", "//a?b=\u{e9}%20\"", "307 /a?b=%C3%A9%20%22"),
    ]);
}

#[test]
fn ids_are_decoded_before_the_path_is_split() {
    check(&[
        ("GET", "/v1/volume/csi/web[0]", "read volume_id=web[0]"),
        ("GET", "/v1/volume/csi/web%5B0%5D", "read volume_id=web[0]"),
        (
            "PUT",
            "/v1/volume/csi/web%5B0%5D/create",
            "create volume_id=web[0]",
        ),
        (
            "DELETE",
            "/v1/volume/csi/v-%C3%A9/delete",
            "delete volume_id=v-\u{e9}",
        ),
        ("GET", "/v1/volume/csi/v-\u{e9}", "read volume_id=v-\u{e9}"),
        ("PUT", "/v1/volume/csi/a%2Fcreate", "create volume_id=a"),
        ("PUT", "/v1/volume/csi/a%2Fb/create", NOT_FOUND),
        ("GET", "/v1/volume/csi/a%2Fb", "405"),
        ("PUT", "/v1/volume/csi/%2Fcreate", "create volume_id="),
        ("GET", "/v1/volume/csi/%2e%2e", "read volume_id=.."),
        ("GET", "/v1/volume/csi/a+b", "read volume_id=a+b"),
        ("GET", "/v1/volume/csi/%ff", NOT_FOUND),
    ]);
    let router = router();
    for path in [
        "/v1/volume/csi/%",
        "/v1/volume/csi/%4",
        "/v1/%zz/x",
        "//%g0",
    ] {
        assert!(lead(&router, "GET", path).starts_with("400 "), "{path}");
    }
}

#[test]
fn parameters_are_found_by_name() {
    let router = router();
    let routed = router.route(&Method::GET, "/v1/volume/csi/x/claim/a%20b", None);
    let Routed::Found { params, .. } = routed else {
        panic!("{routed:?}");
    };
    assert_eq!(params.get("volume_id"), Some("x"));
    assert_eq!(params.get("alloc_id"), Some("a b"));
    assert_eq!(params.get("job_id"), None);
}

#[test]
fn a_router_refuses_what_it_could_not_find() {
    let route = |template: &str| Route {
        method: Method::GET,
        template: template.to_owned(),
        value: (),
    };
    for (templates, because) in [
        (vec!["/a/{x}", "/a/{y}"], "have a route already"),
        (vec!["/{a}/{b}/{c}"], "at most two parameters"),
        (vec!["/{*a}/b"], "nothing can follow"),
        (vec!["a"], "begins with"),
    ] {
        let clash = Router::new(templates.iter().map(|t| route(t)))
            .err()
            .unwrap();
        assert!(clash.to_string().contains(because), "{clash}");
    }
}

#[test]
fn a_redirect_has_gos_page_for_get_only() {
    let router = router();
    let answer = |method: Method| {
        let routed = router.route(&method, "/v1/volume/csi", Some("a=b&c='"));
        let Routed::Redirect(redirect) = routed else {
            panic!("{routed:?}");
        };
        redirect.answer(&method)
    };
    let get = answer(Method::GET);
    assert_eq!(get.status, StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(get.headers["location"], "/v1/volume/csi/?a=b&c='");
    assert_eq!(
        get.body,
        "<a href=\"/v1/volume/csi/?a=b&amp;c=&#39;\">Temporary Redirect</a>.\n\n"
    );
    assert!(answer(Method::PUT).body.is_empty());
    assert!(answer(Method::HEAD).body.is_empty());
}
