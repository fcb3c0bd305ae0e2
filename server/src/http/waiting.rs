//! Blocking queries: a read that waits for a newer index.

use super::edge::ReadOptions;
use super::front::Asking;
use crate::control::ControlPlane;
use crate::error::Fault;
use crate::state::{Evaluated, Interest, Seat, State};
use crate::store::Index;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// The state to answer from. With an `index` that is not older than what `shown` says, it is one in
/// which the rows of `interest` changed, or the state when the wait is over or the server stops.
/// Nomad adds up to a sixteenth to each wait, so that clients that came together do not come again
/// together. The error: there are as many blocked queries as there may be.
pub(super) async fn state(
    cp: &ControlPlane,
    asking: &Asking<'_>,
    options: &ReadOptions,
    interest: Interest,
    shown: impl Fn(&State) -> Index,
) -> Result<Arc<State>, Fault> {
    let state = cp.state();
    if options.index == 0 || shown(&state).0 > options.index {
        return Ok(state);
    }
    let _place = asking.block()?;
    let mut watch = cp.live.watch(interest);
    let deadline = Instant::now() + options.wait + jitter(options.wait);
    loop {
        let state = cp.state();
        if shown(&state).0 > options.index {
            return Ok(state);
        }
        let over = async {
            tokio::select! {
                () = sleep_until(deadline) => {}
                () = cp.stopping.cancelled() => {}
            }
        };
        tokio::select! {
            () = watch.changed() => {}
            () = over => return Ok(cp.state()),
        }
    }
}

/// A reader of a query, who shares what it shows with all who wait for the same.
pub(super) struct Reader<'r>(Option<Seat<'r>>);

impl<'r> Reader<'r> {
    /// Takes a seat if the query waits. Queries are the same if everything in them is, but for how long
    /// they wait and from where, and their tokens are.
    pub fn of(cp: &'r ControlPlane, asking: &Asking<'_>, options: &ReadOptions) -> Self {
        if options.index == 0 {
            return Self(None);
        }
        let tokens = ["x-nomad-token", "authorization"].map(|name| asking.headers.get(name));
        let query = asking.query.without(&["index", "wait", "stale", "pretty"]);
        let query = format!(
            "{:?} {:?} {query:?} {tokens:?}",
            asking.operation, asking.params
        );
        Self(Some(cp.evaluations.seat(query)))
    }

    /// What the query shows of a state.
    ///
    /// # Errors
    ///
    /// Those of `make`.
    pub fn evaluate<E>(
        &self,
        state: &State,
        make: impl FnOnce() -> Result<Evaluated, E>,
    ) -> Result<Evaluated, E> {
        match &self.0 {
            Some(seat) => seat.evaluate(state, make),
            None => make(),
        }
    }
}

fn jitter(wait: Duration) -> Duration {
    wait.mul_f64(rand::random_range(0.0..1.0 / 16.0))
}
