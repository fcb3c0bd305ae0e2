//! The HTTP edge against what a real Nomad answers: tables of odd requests, most of them recorded.
#![allow(missing_docs, clippy::unwrap_used)] // clippy.toml lets tests unwrap, but not what they share

mod bodies;
mod credentials;
mod filter;
mod guard;
mod options;
mod random;
mod requests;
mod routes;
mod socket;
