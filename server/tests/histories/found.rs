//! Histories that failed once.

use crate::play::play;
use crate::step::{CREATED, Event, Request, Round};
use crate::strict_driver::Fault;
use tonic::Code;

/// A creation has no backing store yet, by which the end of its call could be told: when its next try was
/// due before that end was noticed, it was never made.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_creation_is_tried_again_although_its_time_came_before_its_last_try_was_recorded() {
    let create = |number: usize| Round {
        faults: vec![Fault::Before(Code::Aborted); 2],
        requests: vec![(
            Request::Create {
                volume: number % 4,
                mib: 1,
            },
            10_000,
        )],
        event: None,
    };
    let delete = |number: usize| Round {
        faults: Vec::new(),
        requests: vec![(Request::Delete { volume: number % 4 }, 10_000)],
        event: None,
    };
    let history: Vec<Round> = (0..60)
        .flat_map(|number| [create(number), delete(number)])
        .collect();
    if let Err(failure) = play(&history).await {
        panic!("in round {}: {}", failure.round, failure.what);
    }
}

/// A second id for a backing store that is being destroyed was taken, and stood for nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_registered_for_a_backing_store_that_is_being_deleted() {
    let asked = |request, wait, faults: &[Fault]| Round {
        faults: faults.to_vec(),
        requests: vec![(request, wait)],
        event: None,
    };
    let (first, second) = (CREATED, CREATED + 1);
    let history = [
        asked(
            Request::Create {
                volume: first,
                mib: 1,
            },
            10_000,
            &[],
        ),
        asked(Request::Delete { volume: first }, 50, &[Fault::Hang]),
        asked(
            Request::Create {
                volume: second,
                mib: 1,
            },
            10_000,
            &[],
        ),
    ];
    if let Err(failure) = play(&history).await {
        panic!("in round {}: {}", failure.round, failure.what);
    }
}

/// At rest is only what has heard that its node was switched off and on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_at_rest_that_stands_as_before_a_reboot() {
    let alone = |request| Round {
        faults: Vec::new(),
        requests: vec![(request, 10_000)],
        event: None,
    };
    let happens = |event| Round {
        faults: Vec::new(),
        requests: Vec::new(),
        event: Some((0, event)),
    };
    let claim = alone(Request::Claim {
        user: 0,
        volume: 0,
        node: 1,
        mode: 0,
        read_only: false,
        release_on_reboot: false,
    });
    let created = alone(Request::Create { volume: 0, mib: 1 });
    let history: Vec<Round> = std::iter::once(created)
        .chain((0..20).flat_map(|_| {
            [
                claim.clone(),
                happens(Event::Reboot(1, 0)),
                happens(Event::Rest),
            ]
        }))
        .collect();
    if let Err(failure) = play(&history).await {
        panic!("in round {}: {}", failure.round, failure.what);
    }
}

/// The last claim lets go in the very moment in which another one comes: the attachment was on its way
/// down with a claim on it, and who had let go waited for that one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_lets_go_as_another_comes_does_not_wait_for_him() {
    let claim = |user| Request::Claim {
        user,
        volume: 1,
        node: 1,
        mode: 0,
        read_only: false,
        release_on_reboot: false,
    };
    let at_once = |requests: &[Request]| Round {
        faults: Vec::new(),
        requests: requests.iter().map(|request| (*request, 10_000)).collect(),
        event: None,
    };
    let rest = || Round {
        event: Some((0, Event::Rest)),
        ..at_once(&[])
    };
    let turn = |user: usize| {
        let (last, next) = (user % 2, (user + 1) % 2);
        [
            at_once(&[Request::Release { user: last }, claim(next)]),
            rest(),
        ]
    };
    let begin = [
        at_once(&[Request::Create { volume: 1, mib: 1 }]),
        at_once(&[claim(0)]),
    ];
    let history: Vec<Round> = begin.into_iter().chain((0..40).flat_map(turn)).collect();
    if let Err(failure) = play(&history).await {
        panic!("in round {}: {}", failure.round, failure.what);
    }
}

/// A fence that is taken back before all claims on its node have heard of it: what it passed over stayed
/// published for as long as the others lived.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_false_fence_passed_over_is_taken_down_beside_those_who_stay() {
    let claim = |user| Request::Claim {
        user,
        volume: 1,
        node: 1,
        mode: 0,
        read_only: false,
        release_on_reboot: false,
    };
    let at_once = |requests: Vec<Request>| Round {
        faults: Vec::new(),
        requests: requests.into_iter().map(|it| (it, 10_000)).collect(),
        event: None,
    };
    let rest = || Round {
        event: Some((0, Event::Rest)),
        ..at_once(Vec::new())
    };
    let turn = |number: u64| {
        let fenced = Round {
            event: Some((number % 20, Event::FalseFence(1))),
            ..at_once(vec![claim(2), claim(3)])
        };
        let released = (0..4).map(|user| Request::Release { user });
        [
            at_once(vec![claim(0), claim(1)]),
            fenced,
            rest(),
            at_once(released.collect()),
        ]
    };
    let created = at_once(vec![Request::Create { volume: 1, mib: 1 }]);
    let turns = (0..40).flat_map(turn);
    let history: Vec<Round> = std::iter::once(created).chain(turns).collect();
    if let Err(failure) = play(&history).await {
        panic!("in round {}: {}", failure.round, failure.what);
    }
}
