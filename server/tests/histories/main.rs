//! Random histories: what clients, operators, drivers and hosts do, in any order and at once, against a
//! driver that holds its caller to the order of CSI and a model of what clients were told.
//!
//! `SADDLEBAG_HISTORY_OPERATIONS` says how much happens in all (default 2,000), `SADDLEBAG_HISTORY_SEED`
//! what (by chance, and printed). What happens follows from the seed, how it is interleaved does not: a failure may take
//! several runs to come again.
#![allow(missing_docs, clippy::unwrap_used)] // clippy.toml lets tests unwrap, but not what they share

#[path = "../store/disk.rs"]
#[allow(dead_code, reason = "what fails is tested with the store")]
mod disk;
mod found;
mod isolation;
mod model;
mod play;
mod rest;
mod shrink;
mod site;
mod step;
#[path = "../support/strict_driver/mod.rs"]
mod strict_driver;

use futures::StreamExt;
use std::time::Instant;

/// How much happens in one history.
const SIZE: usize = 250;
/// How many histories are played side by side.
const AT_ONCE: usize = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_happens_nothing_is_lost_leaked_or_endangered() {
    let operations = from_environment("SADDLEBAG_HISTORY_OPERATIONS").unwrap_or(2_000);
    let seed = from_environment("SADDLEBAG_HISTORY_SEED").unwrap_or_else(rand::random);
    println!("SADDLEBAG_HISTORY_OPERATIONS={operations} SADDLEBAG_HISTORY_SEED={seed}");
    let began = Instant::now();
    let histories = operations.div_ceil(SIZE as u64);
    let each = futures::stream::iter(0..histories).map(|number| {
        let seed = seed.wrapping_add(number);
        let history = step::made_up(seed, SIZE);
        async move {
            let played = play::play(&history).await;
            (seed, history, played)
        }
    });
    let mut all = play::Played::default();
    let failed = {
        let mut each = std::pin::pin!(each.buffer_unordered(AT_ONCE));
        loop {
            match each.next().await {
                Some((_, _, Ok(played))) => all.add(&played),
                Some((seed, history, Err(failure))) => break Some((seed, history, failure)),
                None => break None,
            }
        }
    };
    if let Some((seed, history, failure)) = failed {
        let again = format!("SADDLEBAG_HISTORY_OPERATIONS={SIZE} SADDLEBAG_HISTORY_SEED={seed}");
        println!("{again}: in round {}: {}", failure.round, failure.what);
        let shortest = shrink::shortest(history, failure).await;
        panic!("{again}: {shortest}");
    }
    let took = began.elapsed();
    println!(
        "{} operations in {histories} histories in {took:.1?}",
        all.things
    );
    for ((request, answer), count) in &all.answers {
        println!("{request:16}{answer:>6}{count:>8}");
    }
}

fn from_environment(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    let number = value.parse();
    Some(number.unwrap_or_else(|_| panic!("{name} is no number: {value}")))
}
