//! Every operation, killed at every point that it passes.

use crate::operation::{Operation, Request, given_out};
use crate::points::Passing;
use crate::records::Records;
use crate::world::{PATIENCE, World};
use futures::{FutureExt, StreamExt};
use serde_json::Value;
use std::any::Any;
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How many worlds there are at once.
const AT_ONCE: usize = 6;
/// How often a pair is tried whose point was not passed: what goes on side by side may pass others.
const TRIES: usize = 3;
/// How many pairs there are, at least; which commits become one differs by a few from run to run.
const PAIRS: usize = 165;
/// Names the one operation to look at, to find out what is wrong with it.
const ONLY: &str = "SADDLEBAG_CRASH_ONLY";
/// Between two looks at what there is.
const A_MOMENT: Duration = Duration::from_millis(15);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_at_any_point_of_any_operation_loses_nothing_and_leaves_nothing_behind() {
    let began = Instant::now();
    let only = std::env::var(ONLY).ok();
    let is_wanted = |operation: &Operation| {
        let name = format!("{operation:?}");
        only.as_ref().is_none_or(|only| *only == name)
    };
    let mut pairs = Vec::new();
    for operation in Operation::ALL.into_iter().filter(is_wanted) {
        let passed = uninterrupted(operation).await;
        pairs.extend(passed.into_iter().map(|at| (operation, at)));
    }
    let crashes = pairs.into_iter().map(|(operation, at)| async move {
        let pair = format!("{operation:?} at {at}");
        let crash = AssertUnwindSafe(crash(operation, at)).catch_unwind();
        (operation, pair, crash.await)
    });
    let mut crashes = pin!(futures::stream::iter(crashes).buffer_unordered(AT_ONCE));
    let mut covered: BTreeMap<Operation, usize> = BTreeMap::new();
    let mut failed = Vec::new();
    while let Some((operation, pair, outcome)) = crashes.next().await {
        match outcome {
            Ok(()) => *covered.entry(operation).or_default() += 1,
            Err(panic) => failed.push(format!("{pair}: {}", said(&*panic))),
        }
    }
    for (operation, points) in &covered {
        println!("{points:5} points of {operation:?}");
    }
    let count: usize = covered.values().sum();
    let took = began.elapsed();
    println!("{count:5} pairs of an operation and a point, in {took:.0?}");
    let failures = failed.join("\n\n");
    assert!(failed.is_empty(), "{} failed:\n{failures}", failed.len());
    assert!(
        count >= PAIRS || only.is_some(),
        "there were {PAIRS} pairs, and are {count}"
    );
}

/// Runs an operation in a world of its own, and gives the points that it passed.
async fn uninterrupted(operation: Operation) -> Vec<Passing> {
    let mut world = World::start().await;
    let request = operation.prepare(&mut world).await;
    world.points.begin(operation.counts(), None);
    begin(operation, &mut world).await;
    obeyed(operation, &request, &world).await;
    at_rest(operation, &world).await;
    let passed = world.points.passed();
    world.stop().await;
    passed
}

/// Runs an operation in a world of its own, where the server is killed there.
async fn crash(operation: Operation, at: Passing) {
    for _ in 0..TRIES {
        if is_killed_and_recovers(operation, at.clone()).await {
            return;
        }
    }
    panic!("not passed in {TRIES} tries");
}

/// `false`: the point was not passed.
async fn is_killed_and_recovers(operation: Operation, at: Passing) -> bool {
    let mut world = World::start().await;
    let request = operation.prepare(&mut world).await;
    world.points.begin(operation.counts(), Some(at));
    let mut before = None;
    if begin(operation, &mut world).await {
        before = obeyed(operation, &request, &world).await;
    }
    if before.is_some() {
        at_rest(operation, &world).await;
    }
    let was_killed = world.points.have_killed();
    if was_killed {
        world.start_again().await;
        let after = obeyed(operation, &request, &world).await;
        let before = before.as_ref().and_then(given_out);
        if let (Some(before), Some(after)) = (before, after.as_ref().and_then(given_out)) {
            assert_eq!(before, after, "another answer than before the crash");
        }
        at_rest(operation, &world).await;
    }
    world.stop().await;
    was_killed
}

/// Starts the server if that is the operation. `false`: it was killed at it.
async fn begin(operation: Operation, world: &mut World) -> bool {
    if operation != Operation::Start {
        return true;
    }
    let started = world.start_server().await;
    let as_meant = started.is_ok() || world.points.have_killed();
    assert!(as_meant, "it did not start: {started:?}");
    started.is_ok()
}

/// Asks until the server has done as asked; what it answers. `None`: it is gone.
async fn obeyed(operation: Operation, request: &Request, world: &World) -> Option<Value> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match request.send(world).await? {
            (200, answer) => return Some(answer),
            (status, answer) if operation.is_done_by(status) => return Some(answer),
            (503 | 504, answer) => {
                assert!(Instant::now() < deadline, "not obeyed: {answer}");
                sleep(A_MOMENT).await;
            }
            (status, answer) => panic!("{status}: {answer}"),
        }
    }
}

/// Waits until all is as it should be, or the server is gone.
async fn at_rest(operation: Operation, world: &World) {
    let deadline = Instant::now() + PATIENCE;
    while let Some(records) = Records::read(world).await {
        let breaches = world.driver.take_breaches();
        assert!(breaches.is_empty(), "{breaches:#?}");
        let Err(unrest) = operation.is_done(&records, &world.driver) else {
            return;
        };
        assert!(
            Instant::now() < deadline,
            "{unrest}\n{records:?}\n{}",
            world.history()
        );
        sleep(A_MOMENT).await;
    }
}

fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("it panicked")
}
