//! Blocking queries: a read that waits for a newer index.

use super::edge::ReadOptions;
use crate::control::ControlPlane;
use crate::state::{Interest, State};
use crate::store::Index;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// The state to answer from. With an `index` that is not older than what `shown` says, it is one in
/// which the rows of `interest` changed, or the state when the wait is over or the server stops.
/// Nomad adds up to a sixteenth to each wait, so that clients that came together do not come again
/// together.
pub(super) async fn state(
    cp: &ControlPlane,
    options: &ReadOptions,
    interest: Interest,
    shown: impl Fn(&State) -> Index,
) -> Arc<State> {
    if options.index == 0 {
        return cp.state();
    }
    let mut watch = cp.live.watch(interest);
    let deadline = Instant::now() + options.wait + jitter(options.wait);
    loop {
        let state = cp.state();
        if shown(&state).0 > options.index {
            return state;
        }
        let over = async {
            tokio::select! {
                () = sleep_until(deadline) => {}
                () = cp.stopping.cancelled() => {}
            }
        };
        tokio::select! {
            () = watch.changed() => {}
            () = over => return cp.state(),
        }
    }
}

fn jitter(wait: Duration) -> Duration {
    wait.mul_f64(rand::random_range(0.0..1.0 / 16.0))
}
