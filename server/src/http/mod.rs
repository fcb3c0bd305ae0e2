//! HTTP in front of the domain.
//!
//! ```text
//! socket ─► truth ─► edge: guard, route, query, body ─► admission ─► dispatch ─► handler ─► domain verb
//!             │                                                                      │
//!             └◄──────────── finish: content type, compression ◄─────────────────────┘
//! ```
//!
//! A handler unpacks the request, calls one domain verb, and wraps its answer. Which handler answers
//! which operation of the document stands in `dispatch`, without a wildcard.

mod acl;
mod admission;
mod claims;
pub mod contract;
pub mod declared;
pub mod differences;
mod dispatch;
mod doctor;
pub mod edge;
mod events;
mod filtering;
mod front;
mod jobs;
mod keyring;
pub mod limits;
mod line;
pub mod listen;
mod namespaces;
mod nodes;
mod operations;
mod plugins;
mod record;
mod reply;
pub mod request;
mod search;
mod snapshots;
mod status;
mod testing;
mod volumes;
mod waiting;
pub mod wire;

pub use front::{Front, Settings};
