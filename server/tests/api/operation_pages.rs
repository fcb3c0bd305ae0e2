//! Operations in pages.

use crate::driven::Driven;
use saddlebag_client::types;

/// One page, and the token of the next.
async fn page(
    driven: &Driven,
    per_page: i32,
    token: Option<&str>,
) -> (Vec<types::Operation>, Option<String>) {
    let mut list = driven.server.client.list_operations().per_page(per_page);
    if let Some(token) = token {
        list = list.next_token(token);
    }
    let answer = list.send().await.unwrap();
    let next = answer.headers().get("x-nomad-nexttoken");
    let next = next.map(|token| token.to_str().unwrap().to_owned());
    (answer.into_inner(), next)
}

#[tokio::test]
async fn operations_come_in_pages_oldest_first_each_once() {
    let driven = Driven::start().await;
    let ids = ["a", "b", "c", "d", "e"];
    for id in ids {
        driven.create(id).await.unwrap().unwrap();
    }
    let mut listed = Vec::new();
    let mut token = None;
    loop {
        let (operations, next) = page(&driven, 2, token.as_deref()).await;
        assert!(operations.len() <= 2);
        listed.extend(operations.into_iter().map(|operation| operation.volume_id));
        match next {
            Some(next) => token = Some(next),
            None => break,
        }
    }
    assert_eq!(listed, ids);
}

#[tokio::test]
async fn a_page_goes_on_behind_operations_that_were_added_or_forgotten_meanwhile() {
    let driven = Driven::start().await;
    for id in ["a", "b", "c"] {
        driven.create(id).await.unwrap().unwrap();
    }
    let (first, token) = page(&driven, 1, None).await;
    assert_eq!(first[0].volume_id, "a");
    driven.create("d").await.unwrap().unwrap();
    let (rest, next) = page(&driven, 0, token.as_deref()).await;
    let rest: Vec<&str> = rest.iter().map(|it| it.volume_id.as_str()).collect();
    assert_eq!((rest.as_slice(), next), (["b", "c", "d"].as_slice(), None));
}

#[tokio::test]
async fn a_filter_narrows_the_pages_too() {
    let driven = Driven::start().await;
    for id in ["a", "b"] {
        driven.create(id).await.unwrap().unwrap();
        driven.delete(id).await.unwrap().unwrap();
    }
    let list = driven.server.client.list_operations().volume_id("b");
    let answer = list.per_page(1).send().await.unwrap();
    let token = answer.headers()["x-nomad-nexttoken"].to_str().unwrap();
    assert_eq!(
        (answer[0].volume_id.as_str(), answer[0].kind.as_str()),
        ("b", "create")
    );
    let list = driven.server.client.list_operations().volume_id("b");
    let answer = list.per_page(1).next_token(token).send().await.unwrap();
    assert_eq!(
        (answer[0].volume_id.as_str(), answer[0].kind.as_str()),
        ("b", "delete")
    );
    assert!(answer.headers().get("x-nomad-nexttoken").is_none());
}

#[tokio::test]
async fn a_negative_page_is_empty_and_a_token_that_was_never_given_begins_at_the_beginning() {
    let driven = Driven::start().await;
    driven.create("a").await.unwrap().unwrap();
    let (none, _) = page(&driven, -1, None).await;
    assert_eq!(none, []);
    let (all, next) = page(&driven, 5, Some("junk")).await;
    assert_eq!((all.len(), next), (1, None));
}
