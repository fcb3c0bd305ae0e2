//! What keeps the server and `openapi.yaml` one and the same thing, and Swagger UI to browse it.
//!
//! ```text
//! openapi.yaml ──► document ──┬─► compare    what handlers declare through utoipa, both ways
//!                             ├─► truth      what goes over the wire, while it goes
//!                             ├─► examples   what the document shows, executed
//!                             └─► swagger    what a person sees in a browser
//! ```
//!
//! - Nothing here knows a route: every check works on any [`document::Document`], so it is tested
//!   on small documents that are wrong in just one way.
//! - A check answers with a list that is empty when all is well. Each entry names the operation,
//!   the place in it and the values, and can be read alone.
//! - [`schema`] turns OpenAPI 3.0 schemas into JSON Schema, [`validator`] tells what a value does to one.
//!
//! The first of the four checks, presence, is not here: the compiler does it, because the router
//! matches `saddlebag_client::operations::Operation` without a wildcard.
pub mod compare;
pub mod document;
mod exact;
pub mod examples;
pub mod schema;
pub mod swagger;
pub mod truth;
pub mod validator;
mod violation;
