//! The shortest history that still fails.

use crate::play::{Failure, play};
use crate::step::Round;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use std::fmt::Write;
use std::time::{Duration, Instant};

/// How long is looked for it.
const PATIENCE: Duration = Duration::from_secs(120);

/// Leaves out what is not needed for the failure: first halves, then smaller parts, at last single
/// things. How things are interleaved is left to chance, so each is tried a few times.
pub async fn shortest(history: Vec<Round>, failure: Failure) -> String {
    let began = Instant::now();
    let whole: usize = history.iter().map(Round::size).sum();
    let (mut history, mut failure) = (history, failure);
    history.truncate(failure.round + 1);
    let mut part = history.len().div_ceil(2);
    while part > 0 && began.elapsed() < PATIENCE {
        let mut at = 0;
        while at < history.len() && began.elapsed() < PATIENCE {
            let mut shorter = history.clone();
            shorter.drain(at..(at + part).min(shorter.len()));
            match fails(&shorter).await {
                Some(found) => {
                    shorter.truncate(found.round + 1);
                    (history, failure) = (shorter, found);
                }
                None => at += part,
            }
        }
        part = if part == 1 { 0 } else { part.div_ceil(2) };
    }
    while let Some((shorter, found)) = without_one_thing(&history, began).await {
        (history, failure) = (shorter, found);
    }
    told(&history, &failure, whole)
}

async fn without_one_thing(history: &[Round], began: Instant) -> Option<(Vec<Round>, Failure)> {
    for at in 0..history.len() {
        let round = &history[at];
        let mut fewer = Vec::new();
        fewer.extend((0..round.faults.len()).map(|fault| {
            let mut fewer = round.clone();
            fewer.faults.remove(fault);
            fewer
        }));
        fewer.extend((0..round.requests.len()).map(|request| {
            let mut fewer = round.clone();
            fewer.requests.remove(request);
            fewer
        }));
        if round.event.is_some() {
            fewer.push(Round {
                event: None,
                ..round.clone()
            });
        }
        for fewer in fewer {
            if began.elapsed() > PATIENCE {
                return None;
            }
            let mut shorter = history.to_vec();
            shorter[at] = fewer;
            if let Some(found) = fails(&shorter).await {
                return Some((shorter, found));
            }
        }
    }
    None
}

async fn fails(history: &[Round]) -> Option<Failure> {
    const TRIES: usize = 4;
    let tries: FuturesUnordered<_> = (0..TRIES).map(|_| play(history)).collect();
    let failures = tries.filter_map(async |played| played.err());
    std::pin::pin!(failures).next().await
}

fn told(history: &[Round], failure: &Failure, whole: usize) -> String {
    let left: usize = history.iter().map(Round::size).sum();
    let mut text = format!("in round {}: {}\n", failure.round, failure.what);
    let _ = writeln!(
        text,
        "the shortest history that still failed has {left} of {whole} things:"
    );
    for (number, round) in history.iter().enumerate() {
        let _ = writeln!(
            text,
            "{number:4}  faults {:?}, event {:?}",
            round.faults, round.event
        );
        for (request, wait) in &round.requests {
            let _ = writeln!(text, "      {request:?}, waits {wait} ms");
        }
    }
    text
}
