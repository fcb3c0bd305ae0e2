//! The query parameters that many routes share, in Nomad's order: the first that is wrong decides.

use super::{Query, Reason, Refusal, spelling};
use std::time::Duration;

/// The longest that a request may ask to wait, and how long a read with `index` waits by default.
pub const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// How long a change waits for its outcome by default.
pub const DEFAULT_CHANGE_WAIT: Duration = Duration::from_secs(120);
/// The namespace of who names none.
pub const DEFAULT_NAMESPACE: &str = "default";
/// The greatest index that can be waited for: what the document's `int64` holds, since many generators
/// know no `uint64`. (Nomad takes twice that.)
const GREATEST_INDEX: u64 = i64::MAX.unsigned_abs();

/// What a read may ask for (`nomad-http.md` §1.10), the filter excepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadOptions {
    /// Answer at once with what is here, however old.
    pub stale: bool,
    /// Only ids that begin so; `""` for all.
    pub prefix: String,
    /// `default` unless given; `*` is every namespace.
    pub namespace: String,
    /// At most so many rows; `0` for all. Negative as sent.
    pub per_page: i32,
    /// Where the page begins; `""` for the beginning.
    pub next_token: String,
    /// Only the literal `true` counts; what is no boolean as Go spells them is refused (Nomad: false).
    pub reverse: bool,
    /// How long to wait for an index above [`ReadOptions::index`]: over zero, at most [`LONGEST_WAIT`].
    pub wait: Duration,
    /// Wait until there is something newer; `0` not to wait.
    pub index: u64,
}

impl ReadOptions {
    /// Reads them for a server in this region.
    ///
    /// # Errors
    ///
    /// [`Reason::UnknownRegion`] or [`Reason::Malformed`], with Nomad's texts.
    pub fn read(query: &Query<'_>, region: &str) -> Result<Self, Refusal> {
        check_region(query.filled("region"), region)?;
        let stale = match query.get("stale") {
            None => false,
            Some("") => true,
            Some(text) => spelling::boolean(text).ok_or_else(|| {
                Refusal::malformed("Expect `true` or `false` for `stale` query string parameter")
            })?,
        };
        let per_page = match query.filled("per_page") {
            None => 0,
            Some(text) => text.parse().map_err(|_| {
                Refusal::malformed("Expect a number for `per_page` query string parameter")
            })?,
        };
        let wait = match wait(query)? {
            None | Some(Duration::ZERO) => LONGEST_WAIT,
            Some(wait) => wait,
        };
        let index = match query.filled("index") {
            None => 0,
            Some(text) => spelling::unsigned(text)
                .filter(|index| *index <= GREATEST_INDEX)
                .ok_or_else(|| Refusal::malformed("Invalid index"))?,
        };
        let reverse = query.filled("reverse").unwrap_or("false");
        if spelling::boolean(reverse).is_none() {
            return Err(Refusal::malformed(
                "Expect `true` or `false` for `reverse` query string parameter",
            ));
        }
        let text = |name| query.get(name).unwrap_or_default().to_owned();
        Ok(Self {
            stale,
            prefix: text("prefix"),
            namespace: query
                .filled("namespace")
                .unwrap_or(DEFAULT_NAMESPACE)
                .to_owned(),
            per_page,
            next_token: text("next_token"),
            reverse: reverse == "true",
            wait,
            index,
        })
    }
}

impl ReadOptions {
    /// How many rows the page may have; a negative page has none, as Nomad's.
    pub fn page_size(&self) -> usize {
        match self.per_page {
            0 => usize::MAX,
            size => usize::try_from(size).unwrap_or(0),
        }
    }
}

/// What a change may ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteOptions {
    /// As in the query. The body's counts where it is absent, then [`DEFAULT_NAMESPACE`].
    pub namespace: Option<String>,
    /// As in the query.
    pub idempotency_token: Option<String>,
    /// How long to wait for the outcome: the route's default unless given, at most
    /// [`LONGEST_WAIT`]; zero not to wait.
    pub wait: Duration,
}

impl WriteOptions {
    /// Reads them for a server in this region, of a route that waits for [`DEFAULT_CHANGE_WAIT`].
    ///
    /// # Errors
    ///
    /// [`Reason::UnknownRegion`], or [`Reason::Malformed`] for `wait`.
    pub fn read(query: &Query<'_>, region: &str) -> Result<Self, Refusal> {
        Self::waiting(query, region, DEFAULT_CHANGE_WAIT)
    }

    /// Reads them likewise, of a route that waits so long by default.
    ///
    /// # Errors
    ///
    /// As [`WriteOptions::read`].
    pub fn waiting(query: &Query<'_>, region: &str, default: Duration) -> Result<Self, Refusal> {
        check_region(query.filled("region"), region)?;
        let text = |name| query.filled(name).map(str::to_owned);
        Ok(Self {
            namespace: text("namespace"),
            idempotency_token: text("idempotency_token"),
            wait: wait(query)?.unwrap_or(default),
        })
    }
}

/// `force` of the routes that know it: false unless given. Nomad reads it before all else.
///
/// # Errors
///
/// [`Reason::Malformed`] if it is no boolean as Go spells them.
pub fn force(query: &Query<'_>) -> Result<bool, Refusal> {
    match query.filled("force") {
        None => Ok(false),
        Some(text) => {
            spelling::boolean(text).ok_or_else(|| Refusal::malformed("invalid force value"))
        }
    }
}

/// Refuses a region, of the query or else of the body, that is neither empty nor this one.
///
/// # Errors
///
/// [`Reason::UnknownRegion`], with Nomad's text.
pub fn check_region(asked: Option<&str>, region: &str) -> Result<(), Refusal> {
    match asked {
        Some(asked) if !asked.is_empty() && asked != region => {
            Err(Refusal::new(Reason::UnknownRegion, "No path to region"))
        }
        _ => Ok(()),
    }
}

/// `wait`, cut to [`LONGEST_WAIT`]; `None` if it is absent or negative.
fn wait(query: &Query<'_>) -> Result<Option<Duration>, Refusal> {
    let Some(text) = query.filled("wait") else {
        return Ok(None);
    };
    let nanoseconds =
        spelling::duration(text).ok_or_else(|| Refusal::malformed("Invalid wait time"))?;
    let wait = u64::try_from(nanoseconds).ok().map(Duration::from_nanos);
    Ok(wait.map(|wait| wait.min(LONGEST_WAIT)))
}
