//! The keys of `[http]`.

use crate::config::{Config, Count, Period};
use crate::http::edge::{body, json};
use crate::http::{limits, listen};
use crate::volume::MOST_ITEMS;
use serde::{Deserialize, Serialize};

/// The keys of `[http]`.
#[derive(Clone, Debug, Default, PartialEq, clap::Args, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// The most connections at once; more wait to be let in. [default: 16384]
    #[arg(
        long = "http-connections",
        value_name = "N",
        env = "SADDLEBAG_HTTP_CONNECTIONS"
    )]
    pub connections: Option<Count<1>>,

    /// The most connections at once of one client's address; one more is answered 429 and closed. [default: 100]
    #[arg(
        long = "http-connections-per-address",
        value_name = "N",
        env = "SADDLEBAG_HTTP_CONNECTIONS_PER_ADDRESS"
    )]
    pub connections_per_address: Option<Count<1>>,

    /// The largest request line with headers, in bytes. [default: 65536]
    #[arg(
        long = "http-head-bytes",
        value_name = "BYTES",
        env = "SADDLEBAG_HTTP_HEAD_BYTES"
    )]
    pub head_bytes: Option<Count<8192>>,

    /// The longest URL of a request, in bytes. [default: 16384]
    #[arg(
        long = "http-url-bytes",
        value_name = "BYTES",
        env = "SADDLEBAG_HTTP_URL_BYTES"
    )]
    pub url_bytes: Option<Count<1024, 65_534>>,

    /// How long a TLS handshake may take. [default: 10s]
    #[arg(
        long = "http-handshake-time",
        value_name = "TIME",
        env = "SADDLEBAG_HTTP_HANDSHAKE_TIME"
    )]
    pub handshake_time: Option<Period>,

    /// How long a request's head may take to arrive, the pause before it included. [default: 1m 40s]
    #[arg(
        long = "http-head-time",
        value_name = "TIME",
        env = "SADDLEBAG_HTTP_HEAD_TIME"
    )]
    pub head_time: Option<Period>,

    /// The largest body of a request, in bytes. [default: 1048576]
    #[arg(
        long = "http-body-bytes",
        value_name = "BYTES",
        env = "SADDLEBAG_HTTP_BODY_BYTES"
    )]
    pub body_bytes: Option<Count<1024>>,

    /// How long a request's body may take to arrive. [default: 30s]
    #[arg(
        long = "http-body-time",
        value_name = "TIME",
        env = "SADDLEBAG_HTTP_BODY_TIME"
    )]
    pub body_time: Option<Period>,

    /// How long a client may take nothing of what is sent to it. [default: 1m]
    #[arg(
        long = "http-untaken-time",
        value_name = "TIME",
        env = "SADDLEBAG_HTTP_UNTAKEN_TIME"
    )]
    pub untaken_time: Option<Period>,

    /// How deep lists and objects may lie in each other in the body of a request. [default: 64]
    #[arg(
        long = "http-json-depth",
        value_name = "N",
        env = "SADDLEBAG_HTTP_JSON_DEPTH"
    )]
    pub json_depth: Option<Count<8, { json::MOST_DEPTH as u32 }>>,

    /// The most volumes, or snapshots, of one request. [default: 32]
    #[arg(long = "http-items", value_name = "N", env = "SADDLEBAG_HTTP_ITEMS")]
    pub items: Option<Count<1, { MOST_ITEMS as u32 }>>,

    /// The most blocked queries and event streams at once; one more is answered 429. [default: 16384]
    #[arg(
        long = "http-blocked-queries",
        value_name = "N",
        env = "SADDLEBAG_HTTP_BLOCKED_QUERIES"
    )]
    pub blocked_queries: Option<Count<1>>,

    /// The most of them of one client's address. [default: 1000]
    #[arg(
        long = "http-blocked-queries-per-address",
        value_name = "N",
        env = "SADDLEBAG_HTTP_BLOCKED_QUERIES_PER_ADDRESS"
    )]
    pub blocked_queries_per_address: Option<Count<1>>,
}

impl Http {
    pub(super) fn of(config: &Config) -> Self {
        let (connections, bodies, requests) = (config.connections, config.bodies, config.requests);
        Self {
            connections: Some(Count::known(connections.connections)),
            connections_per_address: Some(Count::known(connections.connections_per_address)),
            head_bytes: Some(Count::known(connections.head_bytes)),
            url_bytes: Some(Count::known(requests.url_bytes)),
            handshake_time: Some(connections.handshake_time.into()),
            head_time: Some(connections.head_time.into()),
            body_bytes: Some(Count::known(bodies.bytes)),
            body_time: Some(bodies.time.into()),
            untaken_time: Some(connections.untaken_time.into()),
            json_depth: Some(Count::known(requests.json_depth)),
            items: Some(Count::known(requests.items)),
            blocked_queries: Some(Count::known(requests.blocked_queries)),
            blocked_queries_per_address: Some(Count::known(requests.blocked_queries_per_address)),
        }
    }

    pub(super) fn or(self, those: Self) -> Self {
        Self {
            connections: self.connections.or(those.connections),
            connections_per_address: self
                .connections_per_address
                .or(those.connections_per_address),
            head_bytes: self.head_bytes.or(those.head_bytes),
            url_bytes: self.url_bytes.or(those.url_bytes),
            handshake_time: self.handshake_time.or(those.handshake_time),
            head_time: self.head_time.or(those.head_time),
            body_bytes: self.body_bytes.or(those.body_bytes),
            body_time: self.body_time.or(those.body_time),
            untaken_time: self.untaken_time.or(those.untaken_time),
            json_depth: self.json_depth.or(those.json_depth),
            items: self.items.or(those.items),
            blocked_queries: self.blocked_queries.or(those.blocked_queries),
            blocked_queries_per_address: self
                .blocked_queries_per_address
                .or(those.blocked_queries_per_address),
        }
    }

    pub(super) fn connections_over(&self, standard: listen::Limits) -> listen::Limits {
        listen::Limits {
            connections: self.connections.map_or(standard.connections, Count::get),
            connections_per_address: self
                .connections_per_address
                .map_or(standard.connections_per_address, Count::get),
            head_bytes: self.head_bytes.map_or(standard.head_bytes, Count::get),
            handshake_time: self
                .handshake_time
                .map_or(standard.handshake_time, Into::into),
            head_time: self.head_time.map_or(standard.head_time, Into::into),
            untaken_time: self.untaken_time.map_or(standard.untaken_time, Into::into),
            drain: standard.drain,
        }
    }

    pub(super) fn bodies_over(&self, standard: body::Limits) -> body::Limits {
        body::Limits {
            bytes: self.body_bytes.map_or(standard.bytes, Count::get),
            time: self.body_time.map_or(standard.time, Into::into),
        }
    }

    pub(super) fn requests_over(&self, standard: limits::Limits) -> limits::Limits {
        limits::Limits {
            url_bytes: self.url_bytes.map_or(standard.url_bytes, Count::get),
            json_depth: self.json_depth.map_or(standard.json_depth, Count::get),
            items: self.items.map_or(standard.items, Count::get),
            blocked_queries: self
                .blocked_queries
                .map_or(standard.blocked_queries, Count::get),
            blocked_queries_per_address: self
                .blocked_queries_per_address
                .map_or(standard.blocked_queries_per_address, Count::get),
        }
    }
}
