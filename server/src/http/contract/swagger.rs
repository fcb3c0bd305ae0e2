//! Swagger UI over the document, and the document itself.
//!
//! - Everything is in the binary. Nothing is fetched from elsewhere, by us or by the browser: no
//!   network of styles or scripts, no validator, and [`CONTENT_SECURITY_POLICY`] has the browser
//!   see to it.
//! - "Try it out" is open on every operation and sends to the server that the page came from. The
//!   tokens that are entered under "Authorize" stay in the browser.
//! - Answers are plain bytes, so that any router can give them.
use super::{
    document::{Document, elements, text},
    validator::Problem,
};
use axum::body::Bytes;
use flate2::read::GzDecoder;
use saddlebag_client::DOCUMENT;
use std::{
    borrow::Cow,
    io::Read,
    sync::{Arc, LazyLock},
};
use utoipa_swagger_ui::Config;

/// What the pages below `/docs` may do, as the header of that name: nothing but talk to us.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; frame-ancestors 'none'; form-action 'none'; base-uri 'none'";

/// What a compressed file begins with (RFC 1952, section 2.3.1).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Headers that Swagger UI leaves to itself, as OpenAPI 3.0 says of parameters with these names.
const RESERVED: [&str; 3] = ["accept", "content-type", "authorization"];

/// Headers that no page may set (the Fetch standard's forbidden request-headers).
const FORBIDDEN: [&str; 20] = [
    "accept-charset",
    "accept-encoding",
    "access-control-request-headers",
    "access-control-request-method",
    "access-control-request-private-network",
    "connection",
    "content-length",
    "cookie",
    "cookie2",
    "date",
    "dnt",
    "expect",
    "host",
    "keep-alive",
    "origin",
    "referer",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// What a path is answered with, status 200 or a redirect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// 200.
    Page {
        /// The value of `Content-Type`.
        content_type: Cow<'static, str>,
        /// The body.
        bytes: Bytes,
    },
    /// 308 to this path: the pages refer to each other relative to `/docs/`.
    Redirect(&'static str),
}

/// The answer to GET on `/docs`, what is below it, `/openapi.yaml` and `/openapi.json`; `None` for
/// any other path.
#[must_use]
pub fn answer(path: &str) -> Option<Answer> {
    let page = |content_type, bytes| Answer::Page {
        content_type: Cow::Borrowed(content_type),
        bytes,
    };
    match path {
        "/docs" => Some(Answer::Redirect("/docs/")),
        "/openapi.yaml" => Some(page(
            "application/yaml",
            Bytes::from_static(DOCUMENT.as_bytes()),
        )),
        "/openapi.json" => Some(page("application/json", JSON.clone())),
        path => asset(path.strip_prefix("/docs/")?),
    }
}

/// Why operations of a document could not be tried in a browser: headers that a page may not send,
/// servers that are not the one that the page came from.
#[must_use]
pub fn untryable(document: &Document) -> Vec<Problem> {
    let mut problems = vec![];
    for operation in document.operations() {
        for parameter in operation
            .parameters
            .iter()
            .filter(|p| p.location == "header")
        {
            let name = parameter.name.to_lowercase();
            let prefixed = name.starts_with("sec-") || name.starts_with("proxy-");
            if prefixed || RESERVED.contains(&&*name) || FORBIDDEN.contains(&&*name) {
                problems.push(Problem {
                    place: format!("{}: parameter header {}", operation.id, parameter.name),
                    problem: "no page can send this header".into(),
                });
            }
        }
    }
    for server in elements(&document.root()["servers"]).map(|server| text(&server["url"])) {
        if !server.starts_with('/') || server.starts_with("//") {
            problems.push(Problem {
                place: format!("servers: {server}"),
                problem: "the page may have come from another address: begin with `/`".into(),
            });
        }
    }
    problems
}

/// The document as JSON, its keys in the order written, made when first asked for.
static JSON: LazyLock<Bytes> = LazyLock::new(|| {
    yaml_serde::from_str::<yaml_serde::Value>(DOCUMENT)
        .ok()
        .and_then(|document| serde_json::to_vec(&document).ok())
        .expect("the document was read when the client was built")
        .into()
});

static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
    Arc::new(
        Config::from("/openapi.json")
            .try_it_out_enabled(true)
            .persist_authorization(true)
            .validator_url("none")
            .display_operation_id(true)
            .display_request_duration(true)
            .filter(true),
    )
});

/// What is wider than a narrow screen scrolls where it stands, and not the page with it.
const NARROW: &[u8] = b"\n.swagger-ui .opblock-body { overflow-x: auto; }\n";

fn asset(name: &str) -> Option<Answer> {
    let file = utoipa_swagger_ui::serve(name, Arc::clone(&CONFIG)).ok()??;
    let bytes = unpacked(file.bytes)?;
    Some(Answer::Page {
        content_type: file.content_type.into(),
        bytes: match name {
            "index.css" => [&bytes, NARROW].concat().into(),
            _ => bytes,
        },
    })
}

/// The binary carries the pages compressed, but for the one that is filled in for who asks.
fn unpacked(file: Cow<'static, [u8]>) -> Option<Bytes> {
    if !file.starts_with(&GZIP_MAGIC) {
        return Some(file.into_owned().into());
    }
    let mut bytes = vec![];
    GzDecoder::new(&*file).read_to_end(&mut bytes).ok()?;
    Some(bytes.into())
}
