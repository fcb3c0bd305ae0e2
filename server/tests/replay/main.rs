//! What a real Nomad answered, asked again of saddlebag.
//!
//! `recorded/*.jsonl` holds exchanges with a Nomad 2.0 whose plugin `hp0` was csi-driver-host-path v1.18.0:
//! one on each line, each file one sequence on one fresh server, `acl` with access control on. Tokens stand in it
//! as `{{secret:NAME}}` and `{{accessor:NAME}}`: here they are those that the exchange which made NAME made. Every answer is equal here (status, headers
//! that carry meaning, body), with identifiers, indexes and times mapped, or it differs by a rule of
//! [`differences`], or the exchange is left out for a reason that is told.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod compare;
mod differences;
mod exchange;
mod hostpath;
#[path = "../api/server.rs"]
#[allow(dead_code, reason = "this test uses a part of it")]
mod server;
mod tally;
mod wire;
mod world;

use exchange::{Exchange, FILES};
use saddlebag::error::StatusStyle;
use tally::Tally;
use world::World;

#[tokio::test]
async fn every_recorded_answer_is_given_with_true_statuses_or_differs_by_a_rule() {
    replay(StatusStyle::True).await;
}

#[tokio::test]
async fn every_recorded_answer_is_given_with_nomad_s_statuses_or_differs_by_a_rule() {
    replay(StatusStyle::Nomad).await;
}

/// `EXPECTORATE=overwrite cargo test -p saddlebag --test replay` writes the page anew.
#[test]
fn the_page_of_differences_is_what_the_replay_is_checked_by() {
    expectorate::assert_contents("src/http/differences.md", &differences::page());
}

#[test]
fn what_was_not_recorded_is_shown_by_a_test_elsewhere() {
    for unrecorded in differences::UNRECORDED {
        let (file, name) = unrecorded.test;
        let path = format!("{}/tests/{file}", env!("CARGO_MANIFEST_DIR"));
        let tests = std::fs::read_to_string(&path).unwrap();
        let is_there = tests.contains(&format!("fn {name}()"));
        assert!(is_there, "{}: {path} has no {name}", unrecorded.matter);
    }
}

async fn replay(style: StatusStyle) {
    let mut tally = Tally::new(style);
    for (file, lines) in FILES {
        let mut world = World::start(style, file == "acl").await;
        for exchange in Exchange::all(lines) {
            if let Some(reason) = tally::left_out(&exchange) {
                world.schedule(&exchange).await;
                tally.leave_out(reason);
                continue;
            }
            let answer = world.ask(&exchange).await;
            let differences = world.bindings.compare(&exchange, &answer);
            tally.judge(file, &exchange, differences);
            if exchange.asks("DELETE", "/v1/volume/csi/alias") {
                world.forget_orphans();
            }
        }
    }
    tally.settle();
}
