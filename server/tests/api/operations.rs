//! Operations: tried until the end is clear, joined, retried, given up.

use crate::driven::{Driven, NOT_AT_ALL, key};
use crate::scripted_driver::Reply;
use crate::server::refusal;
use jiff::SignedDuration;
use saddlebag::csi::{Call, v1};
use saddlebag::id::PluginId;
use saddlebag::operation::Progress;
use tonic::Code;
use uuid::Uuid;

#[tokio::test]
async fn a_create_that_meets_an_unavailable_driver_twice_makes_one_volume() {
    let driven = Driven::start().await;
    driven.refuse(Call::CreateVolume, Code::Unavailable, "storage is away");
    driven.refuse(Call::CreateVolume, Code::Unavailable, "still away");
    let client = driven.create("db");

    let waiting = driven.waiting("db").await;
    assert_eq!(waiting.attempts, 1);
    assert_eq!(
        (waiting.kind.as_str(), waiting.by.as_str()),
        ("create", "anonymous")
    );
    assert_eq!(waiting.last_error_code.as_deref(), Some("Unavailable"));
    let last_error = waiting.last_error.clone().unwrap();
    assert!(last_error.contains("storage is away"), "{last_error}");
    let next_try = waiting.next_try.unwrap();
    let pause = next_try.duration_since(driven.server.clock.now());
    assert!(pause > SignedDuration::ZERO && pause < SignedDuration::from_secs(1));
    let waits_for = format!("the next try, at {next_try}");
    assert_eq!(waiting.waits_for.as_deref(), Some(waits_for.as_str()));
    assert_eq!(driven.read_operation(&waiting.id).await.unwrap(), waiting);

    driven.server.clock.advance(pause);
    driven.driver.asked(Call::CreateVolume, 2).await;
    let waiting = driven.waiting("db").await;
    assert_eq!(waiting.attempts, 2);
    driven.server.clock.advance(SignedDuration::from_secs(1));
    let volume = client.await.unwrap().unwrap();

    let asked: Vec<v1::CreateVolumeRequest> = driven.driver.questions(Call::CreateVolume);
    assert_eq!(asked.len(), 3);
    assert!(asked.iter().all(|question| question == &asked[0]));
    assert_eq!(asked[0].name, waiting.name);
    assert!(waiting.name.starts_with("db-"), "{}", waiting.name);
    assert_eq!(volume.external_id, format!("id-of-{}", waiting.name));
    let done = driven.read_operation(&waiting.id).await.unwrap();
    assert_eq!((done.state.as_str(), done.attempts), ("done", 3));
    assert_eq!(
        (done.last_error, done.next_try, done.waits_for),
        (None, None, None)
    );
    assert_eq!(done.end_time, Some(driven.server.clock.now()));
}

#[tokio::test]
async fn what_a_driver_refuses_ends_the_create_and_leaves_nothing() {
    let driven = Driven::start().await;
    for (code, status, answer) in [
        (Code::InvalidArgument, 400, "driver_refused"),
        (Code::OutOfRange, 400, "driver_refused"),
        (Code::NotFound, 404, "driver_refused"),
        (Code::AlreadyExists, 409, "driver_refused"),
        (Code::FailedPrecondition, 409, "driver_refused"),
        (Code::ResourceExhausted, 507, "driver_exhausted"),
        (Code::Unimplemented, 501, "capability_missing"),
        (Code::Internal, 502, "driver_failed"),
        (Code::Unknown, 502, "driver_failed"),
        (Code::PermissionDenied, 502, "driver_failed"),
        (Code::Unauthenticated, 502, "driver_failed"),
        (Code::DataLoss, 502, "driver_failed"),
        (Code::Cancelled, 502, "driver_failed"),
    ] {
        let id = format!("{code:?}");
        driven.refuse(Call::CreateVolume, code, "because");
        let (told, error) = refusal(driven.create(&id).await.unwrap());
        assert_eq!((told, error.code.as_str()), (status, answer), "{code:?}");
        assert!(!error.retryable, "{code:?}");
        let failed = driven.operation(&id).await;
        assert_eq!(error.operation, Some(failed.id), "{code:?}");
        assert_eq!(
            (failed.state.as_str(), failed.attempts),
            ("failed", 1),
            "{code:?}"
        );
        assert_eq!(refusal(driven.server.read(&id).await).0, 404, "{code:?}");
        driven.create(&id).await.unwrap().unwrap();
        let asked: Vec<v1::CreateVolumeRequest> = driven.driver.questions(Call::CreateVolume);
        let [.., refused, made] = asked.as_slice() else {
            panic!("{asked:?}")
        };
        assert_ne!(
            refused.name, made.name,
            "a name is never used for two creates"
        );
    }
}

#[tokio::test]
async fn what_a_driver_leaves_unclear_is_answered_when_the_wait_ends_and_goes_on() {
    let driven = Driven::start().await;
    for (code, status, answer) in [
        (Code::Unavailable, 503, "driver_unavailable"),
        (Code::Aborted, 504, "operation_timeout"),
        (Code::DeadlineExceeded, 504, "operation_timeout"),
    ] {
        let id = format!("{code:?}");
        driven.refuse(Call::CreateVolume, code, "not now");
        let client = driven.create(&id);
        let waiting = driven.waiting(&id).await;
        let (told, error) = refusal(driven.create_within(&id, NOT_AT_ALL).await);
        assert_eq!((told, error.code.as_str()), (status, answer), "{code:?}");
        assert!(error.retryable, "{code:?}");
        assert_eq!(
            error.operation.as_deref(),
            Some(waiting.id.as_str()),
            "{code:?}"
        );
        driven.retry(&waiting.id).await.unwrap();
        client.await.unwrap().unwrap();
    }
    assert_eq!(driven.changes(), [Call::CreateVolume; 6]);
}

#[tokio::test]
async fn the_same_request_joins_and_every_client_gets_the_volume() {
    let driven = Driven::start().await;
    let held = driven.hold(Call::CreateVolume);
    let clients = [
        driven.create("db"),
        driven.create("db"),
        driven.create("db"),
    ];
    driven.driver.asked(Call::CreateVolume, 1).await;
    let (status, error) = refusal(driven.create_within("db", NOT_AT_ALL).await);
    let running = driven.operation("db").await;
    assert_eq!((status, error.code.as_str()), (504, "operation_timeout"));
    assert_eq!(error.operation, Some(running.id));
    assert_eq!(running.state, "running");
    assert_eq!(
        running.waits_for.as_deref(),
        Some("the answer of plugin \"scripted\"")
    );
    held.go_on();
    for client in clients {
        let volume = client.await.unwrap().unwrap();
        assert_eq!(volume, driven.server.read("db").await.unwrap());
    }
    assert_eq!(driven.changes(), [Call::CreateVolume]);
}

#[tokio::test]
async fn a_client_that_leaves_changes_nothing() {
    let driven = Driven::start().await;
    let held = driven.hold(Call::CreateVolume);
    let client = driven.create("db");
    driven.driver.asked(Call::CreateVolume, 1).await;
    client.abort();
    assert!(client.await.unwrap_err().is_cancelled());
    held.go_on();
    driven.nothing_under_way("db").await;
    assert!(driven.server.read("db").await.unwrap().schedulable);
    assert_eq!(driven.changes(), [Call::CreateVolume]);
}

#[tokio::test]
async fn a_request_joins_what_waits_for_a_driver_that_is_away() {
    let mut driven = Driven::start().await;
    driven.refuse(Call::CreateVolume, Code::Unavailable, "going");
    let client = driven.create("db");
    let waiting = driven.waiting("db").await;
    driven.driver.leave();
    driven
        .server
        .until("the driver to be missed", |state| {
            let plugin = state.plugin(&PluginId::known("scripted"));
            plugin.is_some_and(|plugin| plugin.health().controllers_healthy == 0)
        })
        .await;
    let waits_for = driven.operation("db").await.waits_for;
    assert_eq!(
        waits_for.as_deref(),
        Some("a healthy controller of plugin \"scripted\"")
    );

    driven.retry(&waiting.id).await.unwrap();
    driven
        .server
        .until("the try without a driver", |state| {
            state.under_way().any(|operation| {
                matches!(
                    &operation.row.progress, Progress::Waiting(trouble) if trouble.lacks_controller
                )
            })
        })
        .await;
    let index = driven.server.control_plane.state().operations_index;
    let (status, error) = refusal(driven.create_within("db", NOT_AT_ALL).await);
    assert_eq!((status, error.code.as_str()), (503, "no_healthy_plugin"));
    assert_eq!(error.operation, Some(waiting.id));
    let still = driven.operation("db").await;
    assert_eq!(
        (still.attempts, still.next_try),
        (1, None),
        "nobody was asked, and when is not known"
    );

    driven.server.clock.advance(SignedDuration::from_mins(10));
    let (status, _) = refusal(driven.create_within("other", NOT_AT_ALL).await);
    assert_eq!(status, 503);
    let now = driven.server.control_plane.state().operations_index;
    assert_eq!(
        now, index,
        "nothing is tried, or written, while there is nobody to ask"
    );

    driven.driver.come_back();
    client.await.unwrap().unwrap();
}

#[tokio::test]
async fn retry_makes_the_next_try_due_now() {
    let driven = Driven::start().await;
    for _ in 0..3 {
        driven.refuse(Call::CreateVolume, Code::Aborted, "busy");
    }
    let client = driven.create("db");
    for attempt in 1..=3 {
        driven.driver.asked(Call::CreateVolume, attempt).await;
        let waiting = driven.waiting("db").await;
        assert_eq!(waiting.attempts, attempt as i64);
        let due = driven.retry(&waiting.id).await.unwrap();
        assert!(
            due.next_try
                .is_none_or(|next| next == driven.server.clock.now()),
            "{due:?}"
        );
    }
    client.await.unwrap().unwrap();
    assert_eq!(driven.changes(), [Call::CreateVolume; 4]);
    let done = driven.operation("db").await;
    for refused in [
        driven.retry(&done.id).await,
        driven.abandon(&done.id, "late").await,
    ] {
        let (status, error) = refusal(refused);
        assert_eq!((status, error.code.as_str()), (409, "operation_ended"));
    }
}

#[tokio::test]
async fn a_create_that_is_given_up_leaves_no_volume_and_a_late_answer_changes_nothing() {
    let driven = Driven::start().await;
    let held = driven.hold(Call::CreateVolume);
    let client = driven.create("db");
    driven.driver.asked(Call::CreateVolume, 1).await;
    let running = driven.operation("db").await;
    let (status, error) = refusal(driven.abandon(&running.id, " ").await);
    assert_eq!((status, error.code.as_str()), (400, "missing_field"));

    let abandoned = driven
        .abandon(&running.id, "the rack burnt down")
        .await
        .unwrap();
    assert_eq!(abandoned.state, "abandoned");
    assert_eq!(abandoned.reason.as_deref(), Some("the rack burnt down"));
    let (status, error) = refusal(client.await.unwrap());
    assert_eq!((status, error.code.as_str()), (409, "operation_abandoned"));
    assert!(
        error.message.contains("the rack burnt down"),
        "{}",
        error.message
    );

    let index = driven.server.control_plane.state().index;
    held.go_on();
    let other = driven.create("other").await.unwrap().unwrap();
    assert_eq!(
        other.create_index,
        index.0 + 2,
        "an intention and its outcome, and nothing else"
    );
    assert_eq!(refusal(driven.server.read("db").await).0, 404);
    assert_eq!(driven.read_operation(&running.id).await.unwrap(), abandoned);
    driven.create("db").await.unwrap().unwrap();
    assert_eq!(
        driven.changes(),
        [Call::CreateVolume; 3],
        "nothing is deleted"
    );
}

#[tokio::test]
async fn a_delete_that_is_given_up_returns_the_volume() {
    let driven = Driven::start().await;
    let before = driven.create("db").await.unwrap().unwrap();
    let held = driven.hold(Call::DeleteVolume);
    let client = driven.delete("db");
    driven.driver.asked(Call::DeleteVolume, 1).await;
    assert!(!driven.server.read("db").await.unwrap().schedulable);
    let delete = driven.operations("db").await.remove(1);
    driven.abandon(&delete.id, "a mistake").await.unwrap();
    assert_eq!(refusal(client.await.unwrap()).1.code, "operation_abandoned");
    let after = driven.server.read("db").await.unwrap();
    assert_eq!(after.delete_given_up.as_ref().unwrap().reason, "a mistake");
    let unmarked = saddlebag_client::types::Volume {
        delete_given_up: None,
        modify_index: before.modify_index,
        modify_time: before.modify_time,
        ..after
    };
    assert_eq!(unmarked, before);
    held.go_on();
    driven.delete("db").await.unwrap().unwrap();
    assert_eq!(refusal(driven.server.read("db").await).0, 404);
}

#[tokio::test]
async fn an_operation_that_could_never_end_is_refused() {
    let driven = Driven::start().await;
    let large = |id: &str, bytes: usize| saddlebag_client::types::VolumeRequest {
        parameters: Some([("text".to_owned(), "x".repeat(bytes))].into()),
        ..crate::driven::described(id)
    };
    driven
        .create_as(large("fits", 180 << 10))
        .await
        .unwrap()
        .unwrap();
    let (status, error) = refusal(driven.create_as(large("db", 200 << 10)).await.unwrap());
    assert_eq!((status, error.code.as_str()), (413, "body_too_large"));
    assert_eq!(driven.changes(), [Call::CreateVolume]);
    assert!(driven.operations("db").await.is_empty());
}

#[tokio::test]
async fn an_answer_that_no_store_can_hold_is_a_failure_of_the_driver() {
    let driven = Driven::start().await;
    let volume = v1::Volume {
        volume_id: "v".into(),
        volume_context: [("text".to_owned(), "x".repeat(300 << 10))].into(),
        ..Default::default()
    };
    let answer = v1::CreateVolumeResponse {
        volume: Some(volume),
    };
    driven
        .driver
        .script(Call::CreateVolume, Reply::answer(answer));
    let (status, error) = refusal(driven.create("db").await.unwrap());
    assert_eq!((status, error.code.as_str()), (502, "driver_failed"));
    assert!(
        driven
            .server
            .control_plane
            .state()
            .volume(&key("db"))
            .is_none()
    );
    assert_eq!(driven.operation("db").await.state, "failed");
}

#[tokio::test]
async fn what_no_operation_is_called_is_not_found() {
    let driven = Driven::start().await;
    for id in ["nope", &Uuid::new_v4().to_string()] {
        for refused in [
            driven.read_operation(id).await,
            driven.retry(id).await,
            driven.abandon(id, "why not").await,
        ] {
            let (status, error) = refusal(refused);
            assert_eq!((status, error.code.as_str()), (404, "operation_not_found"));
        }
    }
}
