//! Points at which a test may kill this process: before and after each commit, before and after each
//! call to a driver, before each answer.
//!
//! - In a build without debug assertions, so in every release, there is nothing of this: a point does
//!   nothing and has no name.
//! - In a build with them a process whose environment names a socket in [`LISTENER`] tells each point
//!   to who listens there, one line each, and goes on when a byte comes back. Whoever listens may let
//!   it go on, hold it there, or kill it. Without that variable nothing happens.
//!
//! A point blocks its thread, and all points wait for the one before: they are told one after the
//! other, in the order in which they are passed.

use crate::csi::Call;
use crate::store::{Change, keys::Table};
use saddlebag_client::operations::Operation;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// The variable that names the socket.
pub const LISTENER: &str = "SADDLEBAG_CRASH_POINTS";

/// Where a process is.
pub(crate) enum Point<'a> {
    /// What a commit changes is written, and not durable.
    BeforeCommit(&'a Change),
    /// It is durable, and nobody knows.
    AfterCommit(&'a Change),
    /// A driver is about to be called.
    BeforeCall(Call),
    /// A driver has answered, or failed to.
    AfterCall(Call),
    /// A request is about to be answered.
    BeforeReply(Operation),
}

/// By the tables that a commit puts rows into or, with a `-`, removes rows from.
impl fmt::Display for Point<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Point::BeforeCommit(change) => write!(f, "before commit {}", tables(change)),
            Point::AfterCommit(change) => write!(f, "after commit {}", tables(change)),
            Point::BeforeCall(call) => write!(f, "before {call}"),
            Point::AfterCall(call) => write!(f, "after {call}"),
            Point::BeforeReply(operation) => write!(f, "before reply {operation:?}"),
        }
    }
}

fn tables(change: &Change) -> String {
    let table = |(key, row): &(_, Option<_>)| {
        let sign = if row.is_some() { "" } else { "-" };
        let table = Table::of(key).map_or("unknown", |(table, _)| table.word());
        format!("{sign}{table}")
    };
    let tables: BTreeSet<String> = change.rows.iter().map(table).collect();
    tables.into_iter().collect::<Vec<_>>().join("+")
}

/// Passes the points before, or after, a group of commits that become durable together.
pub(crate) fn pass_each<'a>(changes: &'a [Arc<Change>], point: impl Fn(&'a Change) -> Point<'a>) {
    for change in changes {
        pass(point(change));
    }
}

/// Passes a point.
#[cfg(debug_assertions)]
pub(crate) fn pass(point: Point<'_>) {
    listener::tell(&point);
}

/// Passes a point.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub(crate) fn pass(_: Point<'_>) {}

#[cfg(debug_assertions)]
mod listener {
    use super::{LISTENER, Point};
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;
    use std::sync::{LazyLock, Mutex, PoisonError};

    static LISTENS: LazyLock<Option<Mutex<UnixStream>>> = LazyLock::new(|| {
        let socket = std::env::var_os(LISTENER)?;
        match UnixStream::connect(&socket) {
            Ok(stream) => Some(Mutex::new(stream)),
            Err(error) => {
                tracing::error!("nobody listens at {}: {error}", socket.display());
                None
            }
        }
    });

    pub(super) fn tell(point: &Point<'_>) {
        let Some(listens) = &*LISTENS else { return };
        let mut stream = listens.lock().unwrap_or_else(PoisonError::into_inner);
        let told = stream.write_all(format!("{point}\n").as_bytes());
        // One that has gone away holds up nobody.
        let _ = told.and_then(|()| stream.read_exact(&mut [0]));
    }
}
