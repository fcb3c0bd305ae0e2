//! The saddlebag control plane: Nomad's CSI HTTP API in front, CSI drivers behind.
//!
//! ```text
//! request ─► http ─► domain verb ─► store.commit ─► every committed change, in order
//!             │      (volume, …)     (intention)            │
//!             │                           ▲                 ▼
//!             └──── waits, reads ◄────────┼────────────── state ─► worker ─► csi ─► driver
//!                                         └──── (outcome) ───────────┘
//! ```
//!
//! Domain verbs know no HTTP and no driver; `http` knows no gRPC; only `csi` knows protobuf; only
//! `work` calls drivers to change something.

pub mod acl;
pub mod attachment;
pub mod audit;
pub mod chance;
pub mod claim;
pub mod cli;
pub mod clock;
pub mod config;
pub mod control;
pub mod crash;
pub mod crowd;
pub mod csi;
pub mod doctor;
pub mod driver;
pub mod error;
pub mod filter;
mod hcl;
pub mod http;
pub mod id;
pub mod keyring;
#[cfg(test)]
mod mangled;
pub mod namespace;
pub mod node;
pub mod operation;
pub mod picture;
pub mod plugin;
pub mod seal;
pub mod server;
pub mod snapshot;
pub mod state;
pub mod store;
pub mod testing;
pub mod tls;
pub mod tries;
pub mod volume;
pub mod work;
