//! What bounds a request, beside its [body](super::edge::body::Limits) and its
//! [connection](super::listen::Limits).

use super::edge::{Reason, Refusal, json};
use crate::crowd::{Full, Most};
use crate::error::Fault;
use crate::volume::MOST_ITEMS;
use axum::http::{HeaderMap, Uri};

/// What bounds a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest URL, in bytes, up to 65,534; 414. Default 16 KiB.
    pub url_bytes: usize,
    /// How deep lists and objects may lie in each other in a body, up to [`json::MOST_DEPTH`]; 400. Default
    /// that.
    pub json_depth: usize,
    /// The most volumes, or snapshots, of a request, up to [`MOST_ITEMS`]; 400. Default that.
    pub items: usize,
    /// The most blocked queries and event streams at once; 429. Default 16,384.
    pub blocked_queries: usize,
    /// The most of them of one client's address; 429. Default 1,000.
    pub blocked_queries_per_address: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            url_bytes: 16 << 10,
            json_depth: json::MOST_DEPTH,
            items: MOST_ITEMS,
            blocked_queries: 16_384,
            blocked_queries_per_address: 1_000,
        }
    }
}

impl Limits {
    /// Refuses a head whose URL is too long, or that is longer than this in all.
    pub(super) fn check_head(
        &self,
        uri: &Uri,
        headers: &HeaderMap,
        most_head: usize,
    ) -> Result<(), Refusal> {
        let url = uri.path_and_query().map_or(0, |it| it.as_str().len());
        if url > self.url_bytes {
            let most = self.url_bytes;
            let text = format!("the URL has {url} bytes, and at most {most} are taken");
            return Err(Refusal::new(Reason::UrlTooLong, text));
        }
        // As it stands on a line of HTTP/1.1, with ": " and the line's end.
        let header = |(name, value): (&_, &axum::http::HeaderValue)| {
            axum::http::HeaderName::as_str(name).len() + value.len() + 4
        };
        let head = url + headers.iter().map(header).sum::<usize>();
        if head > most_head {
            let text = format!(
                "the URL and the headers have {head} bytes, and at most {most_head} are taken"
            );
            return Err(Refusal::new(Reason::HeadTooLarge, text));
        }
        Ok(())
    }

    /// Refuses a request about more volumes, or snapshots, than one may have.
    pub(super) fn check_items(&self, count: usize, what: &str) -> Result<(), Fault> {
        let most = self.items;
        match count > most {
            true => Err(Fault::BadItems(format!(
                "the request holds {count} {what}, more than {most}"
            ))),
            false => Ok(()),
        }
    }

    /// How many blocked queries there may be.
    pub(super) fn most_blocked(&self) -> Most {
        Most {
            of_each: self.blocked_queries_per_address,
            in_all: self.blocked_queries,
        }
    }

    /// Why a query may not wait.
    pub(super) fn too_many_blocked(&self, full: Full) -> Fault {
        Fault::TooManyBlocked(match full {
            Full::OfThis => format!(
                "your address has {} blocked queries and event streams, as many as one may have: end one of them first, \
                 or ask without index",
                self.blocked_queries_per_address
            ),
            Full::InAll => format!(
                "this server has {} blocked queries and event streams, as many as it takes: ask again later, or \
                 without index",
                self.blocked_queries
            ),
        })
    }
}
