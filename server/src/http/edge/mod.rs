//! Everything between the socket and a handler: what makes this server behave like Nomad's front door.
//!
//! What may be relied on:
//!
//! - nothing here knows volumes, plugins or drivers, and nothing here keeps state;
//! - whatever a client sends, nothing here panics, and nothing blocks the caller for longer than
//!   [`body::Limits`] says: it ends in a value or in a [`Refusal`];
//! - no secret can be printed: what holds one has a `Debug` that shows none.
//!
//! ```text
//! Guard ──► Router ──► Query, ReadOptions, WriteOptions ──► handler ──► Answer ──► finish
//!                      credentials, body::read + json::decode
//! ```

pub mod accept;
pub mod answer;
pub mod body;
pub mod credentials;
pub mod detach;
mod encoding;
pub mod guard;
pub mod json;
pub mod options;
mod pretty;
pub mod query;
pub mod redirect;
pub mod refuse;
pub mod route;
pub mod spelling;

/// In the extensions of a request: the address of the client that sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub std::net::IpAddr);

pub use accept::wants_json;
pub use answer::{Answer, Asked, Interference, IsStreamed, finish, plain};
pub use detach::detached;
pub use guard::Guard;
pub use options::{ReadOptions, WriteOptions};
pub use query::Query;
pub use redirect::Redirect;
pub use refuse::{Reason, Refusal};
pub use route::{Params, Route, Routed, Router};
