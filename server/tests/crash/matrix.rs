//! Every operation, killed at every point that it passes.

use crate::operation::{Operation, Request, given_out};
use crate::points::{Deadly, Passing};
use crate::records::Records;
use crate::strict_driver::Fault;
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
/// One in so many is killed again while the next one recovers.
const SELDOM: usize = 4;
/// How often a pair is tried whose point was not passed: what goes on side by side may pass others.
const TRIES: usize = 3;
/// How many pairs there are, at least; which commits become one differs by a few from run to run.
const PAIRS: usize = 185;
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
    let mut crashes = Vec::new();
    for operation in Operation::ALL.into_iter().filter(is_wanted) {
        let passed = uninterrupted(operation).await;
        let calls = 0..operation.calls(&passed);
        crashes.extend(calls.map(|number| (operation, Crash::DuringCall { number })));
        let sure = passed.into_iter().filter(|at| operation.is_sure_of(at));
        crashes.extend(sure.enumerate().map(|(number, at)| {
            let again = number
                .is_multiple_of(SELDOM)
                .then(|| number / SELDOM % SELDOM + 1);
            (operation, Crash::At { at, again })
        }));
    }
    let crashes = crashes.into_iter().map(|(operation, crash)| async move {
        let pair = format!("{operation:?} {crash:?}");
        let kills = AssertUnwindSafe(crashed(operation, &crash)).catch_unwind();
        let kills = kills.await;
        (operation, crash, pair, kills)
    });
    let mut crashes = pin!(futures::stream::iter(crashes).buffer_unordered(AT_ONCE));
    let mut covered: BTreeMap<Operation, usize> = BTreeMap::new();
    let mut failed = Vec::new();
    let (mut during_calls, mut again) = (0, 0);
    while let Some((operation, crash, pair, outcome)) = crashes.next().await {
        match outcome {
            Ok(kills) => {
                match crash {
                    Crash::DuringCall { .. } => during_calls += 1,
                    Crash::At { .. } => *covered.entry(operation).or_default() += 1,
                }
                again += kills - 1;
            }
            Err(panic) => failed.push(format!("{pair}: {}", said(&*panic))),
        }
    }
    for (operation, points) in &covered {
        println!("{points:5} points of {operation:?}");
    }
    let count: usize = covered.values().sum();
    let took = began.elapsed();
    println!("{count:5} pairs of an operation and a point, in {took:.0?}");
    println!("{during_calls:5} calls during which the server was killed");
    println!("{again:5} recoveries during which it was killed again");
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

/// When a server is killed.
#[derive(Clone, Debug)]
enum Crash {
    /// At a point; and again at the so-manieth point that the next one passes, if it does.
    At { at: Passing, again: Option<usize> },
    /// While the driver does what this call, from 0, asks for. It has done it when the next one runs.
    DuringCall { number: usize },
}

/// Runs an operation in a world of its own, where the server is killed so; how often it was.
async fn crashed(operation: Operation, crash: &Crash) -> usize {
    for _ in 0..TRIES {
        let kills = is_killed_and_recovers(operation, crash).await;
        if kills > 0 {
            return kills;
        }
    }
    panic!("not passed in {TRIES} tries");
}

/// How often the server was killed; 0: it did not come to that.
async fn is_killed_and_recovers(operation: Operation, crash: &Crash) -> usize {
    let mut world = World::start().await;
    let request = operation.prepare(&mut world).await;
    let mut answers = Vec::new();
    match crash {
        Crash::At { at, .. } => {
            let deadly = Some(Deadly::At(at.clone()));
            world.points.begin(operation.counts(), deadly);
            if begin(operation, &mut world).await {
                answers.extend(obeyed(operation, &request, &world).await);
            }
            if !answers.is_empty() {
                at_rest(operation, &world).await;
            }
        }
        Crash::DuringCall { number } => {
            world.driver.fail_after(*number, Fault::Hang);
            let done = async {
                obeyed(operation, &request, &world).await;
                at_rest(operation, &world).await;
            };
            tokio::select! {
                () = done => {}
                () = world.driver.hangs() => world.kill(),
            }
        }
    }
    while world.points.killed() > 0 {
        let kills = world.points.killed();
        let again = match crash {
            Crash::At { again, .. } if kills == 1 => again.map(Deadly::Nth),
            Crash::At { .. } | Crash::DuringCall { .. } => None,
        };
        world.points.begin(operation.counts(), again);
        let started = world.start_again().await;
        world.driver.let_go();
        if started.is_ok() {
            answers.extend(obeyed(operation, &request, &world).await);
            at_rest(operation, &world).await;
        }
        if world.points.killed() == kills {
            assert_eq!(started, Ok(()), "it did not start");
            break;
        }
    }
    let kills = world.points.killed();
    let mut given_out = answers.iter().filter_map(given_out);
    if let Some(first) = given_out.next() {
        given_out.for_each(|later| assert_eq!(first, later, "another answer than before"));
    }
    world.stop().await;
    kills
}

/// Starts the server if that is the operation. `false`: it was killed at it.
async fn begin(operation: Operation, world: &mut World) -> bool {
    if operation != Operation::Start {
        return true;
    }
    let started = world.start_server().await;
    let as_meant = started.is_ok() || world.points.killed() > 0;
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
                // As a client tries again after 503 and 504: it was told of nothing to await.
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
        // Rest is of the records and of the driver together, which no index tells.
        sleep(A_MOMENT).await;
    }
}

fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("it panicked")
}
