//! The machinery of the contract checks, on small documents that are wrong in just one way: each
//! check must be able to fail, and to say where.
#![allow(clippy::unwrap_used)] // a test that meets what it does not expect should fail
mod compare;
mod declared;
mod documents;
mod examples;
mod schemas;
mod shown;
mod swagger;
mod truth;

use saddlebag::http::contract::document::Document;

/// A document from YAML; a broken one fails the test.
fn document(yaml: &str) -> Document {
    Document::parse(yaml).unwrap()
}
